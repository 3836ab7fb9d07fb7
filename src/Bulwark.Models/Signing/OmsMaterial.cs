using System.Text.Json;

namespace Bulwark.Models.Signing;

/// <summary>How a bundle says who signed it.</summary>
internal enum OmsMethod
{
    /// <summary>A key that the verifier must know; the bundle holds its hint.</summary>
    Key,

    /// <summary>A certificate and those above it, the root left to the verifier.</summary>
    Certificates,

    /// <summary>Sigstore keyless: a short-lived certificate and entries of a public log.</summary>
    Keyless,
}

/// <summary>The <c>verificationMaterial</c> of a bundle.</summary>
internal sealed record OmsMaterial(OmsMethod Method, string? Hint, IReadOnlyList<byte[]> Certificates)
{
    /// <exception cref="FormatException">It names no method, or two, or lacks what its method needs.</exception>
    internal static OmsMaterial Read(JsonElement json)
    {
        OmsBundle.OnlyMembers(json, "verification material", "publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData");
        var named = new[] { "publicKey", "x509CertificateChain", "certificate" }.Where(name => json.TryGetProperty(name, out _)).ToArray();
        if (named.Length != 1)
            throw new FormatException(named.Length == 0 ? "The bundle does not say who signed it." : $"The bundle names two signers: {string.Join(", ", named)}.");
        var entries = json.TryGetProperty("tlogEntries", out var log) && log.ValueKind == JsonValueKind.Array ? log.GetArrayLength() : 0;
        return named[0] switch
        {
            "publicKey" => ReadKey(OmsBundle.Object(json, "publicKey")),
            "x509CertificateChain" => new(OmsMethod.Certificates, null, ReadChain(OmsBundle.Object(json, "x509CertificateChain"))),
            _ when entries == 0 => throw new FormatException("A keyless signature has no entry of a public log."),
            _ => new(OmsMethod.Keyless, null, [OmsBundle.Bytes(OmsBundle.Object(json, "certificate"), "rawBytes")]),
        };
    }

    internal void Write(Utf8JsonWriter json)
    {
        if (Method == OmsMethod.Key)
        {
            json.WriteStartObject("publicKey");
            json.WriteString("hint", Hint);
            json.WriteEndObject();
            return;
        }

        json.WriteStartObject("x509CertificateChain");
        json.WriteStartArray("certificates");
        foreach (var certificate in Certificates)
        {
            json.WriteStartObject();
            json.WriteBase64String("rawBytes", certificate);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Bundles before v1.1 hold the key's bytes instead of a hint; they add nothing to the key that the verifier holds.</summary>
    private static OmsMaterial ReadKey(JsonElement json) =>
        json.TryGetProperty("hint", out _) ? new(OmsMethod.Key, OmsBundle.Text(json, "hint"), [])
        : json.TryGetProperty("rawBytes", out _) ? new(OmsMethod.Key, null, [])
        : throw new FormatException("The public key has neither hint nor bytes.");

    private static byte[][] ReadChain(JsonElement json) =>
        json.TryGetProperty("certificates", out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() is > 0 and <= 16
            ? [.. list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Object ? OmsBundle.Bytes(item, "rawBytes") : throw new FormatException("A certificate is no object."))]
            : throw new FormatException("The chain holds no certificate, or more than 16.");
}
