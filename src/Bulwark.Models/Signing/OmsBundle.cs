using System.Text.Encodings.Web;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Models.Signing;

/// <summary>A Sigstore bundle around one DSSE envelope: who signed, as far as the file says, and what.</summary>
/// <remarks>Source: OpenSSF Model Signing v1.0, bundle and envelope schema; sigstore protobuf-specs. The payload is kept as the bytes that were signed.</remarks>
internal sealed record OmsBundle(OmsMaterial Material, byte[] Payload, byte[] Signature)
{
    internal const string MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
    private const string MediaTypeStem = "application/vnd.dev.sigstore.bundle";

    /// <summary>What was signed: DSSE's pre-authentication encoding.</summary>
    internal byte[] Signed => Dsse.PreAuthenticationEncoding(Statement.PayloadType, Payload);

    /// <summary>True for the beginning of a JSON file that claims to be a bundle.</summary>
    internal static bool IsMatch(JsonElement root) => root.ValueKind == JsonValueKind.Object
        && root.TryGetProperty("mediaType", out var type) && type.ValueKind == JsonValueKind.String && type.GetString()!.StartsWith(MediaTypeStem, StringComparison.Ordinal);

    /// <exception cref="FormatException">The bytes are no bundle of one envelope with one signature.</exception>
    internal static OmsBundle Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 16 });
            return Read(document.RootElement);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)   // the latter for half a character
        {
            throw new FormatException($"The signature file is no JSON of the wanted shape: {failure.Message}", failure);
        }
    }

    internal byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("mediaType", MediaType);
            json.WriteStartObject("verificationMaterial");
            Material.Write(json);
            json.WriteStartArray("tlogEntries");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject("dsseEnvelope");
            json.WriteBase64String("payload", Payload);
            json.WriteString("payloadType", Statement.PayloadType);
            json.WriteStartArray("signatures");
            json.WriteStartObject();
            json.WriteBase64String("sig", Signature);
            json.WriteString("keyid", "");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return [.. stream.ToArray(), (byte)'\n'];
    }

    private static OmsBundle Read(JsonElement root)
    {
        if (!IsMatch(root))
            throw new FormatException("This is no Sigstore bundle.");
        OnlyMembers(root, "bundle", "mediaType", "verificationMaterial", "dsseEnvelope");
        var envelope = Object(root, "dsseEnvelope");
        OnlyMembers(envelope, "envelope", "payload", "payloadType", "signatures");
        if (Text(envelope, "payloadType") is var type && type != Statement.PayloadType)
            throw new FormatException($"The payload is '{type}', not {Statement.PayloadType}.");
        if (!envelope.TryGetProperty("signatures", out var signatures) || signatures.ValueKind != JsonValueKind.Array || signatures.GetArrayLength() != 1)
            throw new FormatException("The envelope has not exactly one signature.");
        OnlyMembers(signatures[0], "signature", "sig", "keyid");
        return new OmsBundle(OmsMaterial.Read(Object(root, "verificationMaterial")), Bytes(envelope, "payload"), Bytes(signatures[0], "sig"));
    }

    internal static void OnlyMembers(JsonElement json, string what, params ReadOnlySpan<string> allowed)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new FormatException($"The {what} is no object.");
        foreach (var member in json.EnumerateObject())
        {
            if (!allowed.Contains(member.Name))
                throw new FormatException($"The {what} has an unknown member '{member.Name}'.");
        }
    }

    internal static JsonElement Object(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : throw new FormatException($"'{name}' is missing.");

    internal static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException($"'{name}' is missing or no text.");

    internal static byte[] Bytes(JsonElement json, string name) =>
        StrictBase64.TryDecode(Text(json, name), out var bytes) && bytes.Length > 0 ? bytes : throw new FormatException($"'{name}' is no base64, or empty.");
}
