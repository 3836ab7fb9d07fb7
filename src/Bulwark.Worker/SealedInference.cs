using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Worker;

/// <summary>An inference request as it is sealed: JSON of the Open Inference Protocol V2, one tensor of FP32 or FP64 with its data flat. An unknown member is refused.</summary>
internal sealed record SealedInference
{
    private const int LongestId = 128;

    public string? Id { get; init; }

    public required IReadOnlyList<Tensor> Inputs { get; init; }

    /// <summary>Reads a body; null and why when it is not exactly what the model takes.</summary>
    internal static (SealedInference? Request, float[] Rows, string Fault) Read(ReadOnlySpan<byte> body, int width, int maximumRows)
    {
        SealedInference? request;
        try
        {
            request = JsonSerializer.Deserialize(body, SealedInferenceJson.Default.SealedInference);
        }
        catch (JsonException)
        {
            return (null, [], "the body is no inference request of the Open Inference Protocol");
        }

        if (request is not { Inputs: [{ } tensor] } || tensor.Name != "features" || tensor.Datatype is not ("FP32" or "FP64") || request.Id?.Length > LongestId)
            return (null, [], "the request must have one tensor \"features\" of FP32 or FP64");
        if (tensor.Shape is not [var rows, var columns] || columns != width || rows < 1 || rows > maximumRows || tensor.Data.Count != rows * columns)
            return (null, [], $"the tensor must have shape [rows, {width}] with at most {maximumRows} rows, and data of that size");
        return (request, [.. tensor.Data.Select(value => value ?? float.NaN)], "");
    }

    /// <summary>The one tensor.</summary>
    internal sealed record Tensor
    {
        public required string Name { get; init; }

        public required string Datatype { get; init; }

        public required IReadOnlyList<long> Shape { get; init; }

        public required IReadOnlyList<float?> Data { get; init; }
    }
}

[JsonSerializable(typeof(SealedInference))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
internal sealed partial class SealedInferenceJson : JsonSerializerContext;
