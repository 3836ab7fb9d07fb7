namespace Bulwark.Server;

/// <summary>An output that a request asks for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsBinary">True to send it as raw bytes.</param>
internal readonly record struct RequestedOutput(string Name, bool IsBinary);

/// <summary>One request to score, read strictly (Open Inference Protocol V2).</summary>
/// <param name="Id">The client's name for the request, echoed; null when it gave none.</param>
/// <param name="Inputs">The model's inputs, in the model's order.</param>
/// <param name="Outputs">What is asked for, in the order asked; every output when the request names none.</param>
internal sealed record InferenceRequest(string? Id, Tensor[] Inputs, RequestedOutput[] Outputs)
{
    /// <summary>True when the answer holds raw bytes and so needs a JSON head of known length.</summary>
    internal bool AsksForBytes => Array.Exists(Outputs, output => output.IsBinary);

    /// <summary>Rows of the first input.</summary>
    internal int RowCount => (int)Inputs[0].Shape[0];

    /// <summary>Reads a JSON body; null and a refusal when it is not exactly what the model takes.</summary>
    internal static InferenceRequest? Read(ReadOnlySpan<byte> body, ModelSignature model, out Refusal refusal) => Read(body, body.Length, model, out refusal);

    /// <summary>Reads a JSON head of <paramref name="headBytes"/> and the raw tensors behind it.</summary>
    internal static InferenceRequest? Read(ReadOnlySpan<byte> body, int headBytes, ModelSignature model, out Refusal refusal)
    {
        var reader = new InferenceMessageReader(body, headBytes, model, model.Inputs, isRequest: true);
        var isRead = reader.Read();
        refusal = reader.Refusal;
        return isRead ? new(reader.Id, reader.Tensors!, reader.RequestedOutputs()) : null;
    }

    /// <summary>Reads an upstream server's answer: its output tensors, in the signature's order; null and what is wrong otherwise.</summary>
    internal static Tensor[]? ReadAnswer(ReadOnlySpan<byte> body, int headBytes, ModelSignature model, IReadOnlyList<TensorSpec> expected, out Refusal refusal)
    {
        var reader = new InferenceMessageReader(body, headBytes, model, expected, isRequest: false);
        var isRead = reader.Read();
        refusal = reader.Refusal;
        return isRead ? reader.Tensors : null;
    }
}
