using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <summary>What another server said of its model when the gateway started.</summary>
/// <param name="Signature">Inputs and outputs, under the model's name here.</param>
/// <param name="IsBinary">True when the server lists the binary tensor data extension.</param>
/// <param name="Path">The model's path there, with its version.</param>
internal sealed record UpstreamFacts(ModelSignature Signature, bool IsBinary, string Path)
{
    /// <summary>What names the pinned model in the log: digest of address, name, version and signature.</summary>
    internal required Digest Digest { get; init; }

    internal static async Task<UpstreamFacts> AskAsync(HttpClient http, UpstreamOptions options, CancellationToken cancel)
    {
        try
        {
            var server = await GetAsync(http, "v2", cancel);
            var name = options.UpstreamModel ?? options.Name;
            var path = $"v2/models/{Uri.EscapeDataString(name)}";
            var model = await GetAsync(http, options.UpstreamVersion is null ? path : $"{path}/versions/{Uri.EscapeDataString(options.UpstreamVersion)}", cancel);
            var version = options.UpstreamVersion ?? (model.TryGetProperty("versions", out var versions) && versions.ValueKind == JsonValueKind.Array && versions.GetArrayLength() > 0 ? versions[versions.GetArrayLength() - 1].GetString() : null);
            var platform = model.TryGetProperty("platform", out var word) && word.ValueKind == JsonValueKind.String ? word.GetString()! : "unknown";
            var isBinary = server.TryGetProperty("extensions", out var extensions) && extensions.ValueKind == JsonValueKind.Array
                && extensions.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.GetString() is "binary_tensor_data" or "binary_data");
            return Of(options, version, platform, Specs(model.GetProperty("inputs")), Specs(model.GetProperty("outputs")), isBinary, version is null ? path : $"{path}/versions/{Uri.EscapeDataString(version)}");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException or JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"The upstream {options.Name} at {options.Address} does not describe its model: {fault.Message}", fault);
        }
    }

    /// <summary>Pins what a server said.</summary>
    /// <exception cref="FormatException">It names no inputs or no outputs.</exception>
    internal static UpstreamFacts Of(UpstreamOptions options, string? version, string platform, IReadOnlyList<TensorSpec> inputs, IReadOnlyList<TensorSpec> outputs, bool isBinary, string path)
    {
        if (inputs.Count == 0 || outputs.Count == 0)
            throw new FormatException("it names no inputs or no outputs");
        var pinned = CanonicalJson.Serialize(new { address = options.Address.ToString(), model = options.UpstreamModel ?? options.Name, version, inputs = Words(inputs), outputs = Words(outputs) });
        return new(new ModelSignature(options.Name, version ?? "", inputs, outputs, 0, platform), isBinary, path) { Digest = Digest.Of(pinned) };
    }

    /// <summary>A tensor as a server described it.</summary>
    /// <exception cref="FormatException">The protocol knows no such type, or the tensor has no shape of 1 to 8 dimensions.</exception>
    internal static TensorSpec Spec(string name, string? datatype, long[] shape) =>
        TensorTypes.Parse(datatype) is var type and not TensorType.Unknown && shape.Length is not 0 and <= 8
            ? new TensorSpec(name, type, shape)
            : throw new FormatException("a tensor has a datatype that the protocol does not know, or no shape of 1 to 8 dimensions");

    private static async Task<JsonElement> GetAsync(HttpClient http, string path, CancellationToken cancel)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), cancel);
        answer.EnsureSuccessStatusCode();
        using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel));
        return document.RootElement.Clone();
    }

    private static List<TensorSpec> Specs(JsonElement tensors) =>
        [.. tensors.EnumerateArray().Select(tensor => Spec(tensor.GetProperty("name").GetString()!, tensor.GetProperty("datatype").GetString(), [.. tensor.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())]))];

    private static IEnumerable<string> Words(IEnumerable<TensorSpec> specs) => specs.Select(spec => $"{spec.Name} {spec.Type.Word()} [{string.Join(",", spec.Shape)}]");
}
