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
            var signature = new ModelSignature(
                options.Name, version ?? "", Specs(model.GetProperty("inputs")), Specs(model.GetProperty("outputs")), 0,
                model.TryGetProperty("platform", out var platform) && platform.ValueKind == JsonValueKind.String ? platform.GetString()! : "unknown");
            if (signature.Inputs.Count == 0 || signature.Outputs.Count == 0)
                throw new FormatException("it names no inputs or no outputs");
            var isBinary = server.TryGetProperty("extensions", out var extensions) && extensions.ValueKind == JsonValueKind.Array
                && extensions.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.GetString() is "binary_tensor_data" or "binary_data");
            var pinned = CanonicalJson.Serialize(new { address = options.Address.ToString(), model = name, version, inputs = Words(signature.Inputs), outputs = Words(signature.Outputs) });
            return new(signature, isBinary, version is null ? path : $"{path}/versions/{Uri.EscapeDataString(version)}") { Digest = Digest.Of(pinned) };
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException or JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"The upstream {options.Name} at {options.Address} does not describe its model: {fault.Message}", fault);
        }
    }

    private static async Task<JsonElement> GetAsync(HttpClient http, string path, CancellationToken cancel)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), cancel);
        answer.EnsureSuccessStatusCode();
        using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel));
        return document.RootElement.Clone();
    }

    private static List<TensorSpec> Specs(JsonElement tensors) => [.. tensors.EnumerateArray().Select(tensor =>
    {
        var type = TensorTypes.Parse(tensor.GetProperty("datatype").GetString());
        var shape = tensor.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
        return type is TensorType.Unknown || shape.Length is 0 or > 8
            ? throw new FormatException("a tensor has a datatype that the protocol does not know, or no shape of 1 to 8 dimensions")
            : new TensorSpec(tensor.GetProperty("name").GetString()!, type, shape);
    })];

    private static IEnumerable<string> Words(IEnumerable<TensorSpec> specs) => specs.Select(spec => $"{spec.Name} {spec.Type.Word()} [{string.Join(",", spec.Shape)}]");
}
