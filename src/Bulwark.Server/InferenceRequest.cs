namespace Bulwark.Server;

/// <summary>What a model takes and gives, as the Open Inference Protocol names it.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Width">Values in a row.</param>
/// <param name="Classes">Values in a row's score.</param>
/// <param name="MaximumRows">Most rows of one request.</param>
internal sealed record ModelSignature(string Name, string Version, int Width, int Classes, int MaximumRows)
{
    internal const string InputName = "features";
    internal const string OutputName = "score";
}

/// <summary>One request to score rows, read strictly (Open Inference Protocol V2, REST).</summary>
/// <param name="Id">The client's name for the request, echoed; null when it gave none.</param>
/// <param name="Rows">Shape (<paramref name="RowCount"/>, width), row-major; NaN where the request says null.</param>
/// <param name="RowCount">How many rows, at least 1.</param>
internal sealed record InferenceRequest(string? Id, float[] Rows, int RowCount)
{
    /// <summary>Reads a request body; null and a refusal when it is not exactly what the model takes.</summary>
    internal static InferenceRequest? Read(ReadOnlySpan<byte> body, ModelSignature model, out Refusal refusal)
    {
        var reader = new InferenceRequestReader(body, model);
        var request = reader.Read();
        refusal = reader.Refusal;
        return request;
    }
}
