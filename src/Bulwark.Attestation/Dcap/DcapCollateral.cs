using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bulwark.Attestation.Certificates;

namespace Bulwark.Attestation.Dcap;

/// <summary>What Intel publishes to judge a quote by, as one JSON document of the common form (<c>tcb_info</c>, <c>qe_identity</c>, chains in PEM, lists in hexadecimal DER).</summary>
internal sealed record DcapCollateral
{
    /// <summary>The TCB information, as signed.</summary>
    internal required SignedJson TcbInfo { get; init; }
    /// <summary>The quoting enclave's identity, as signed.</summary>
    internal required SignedJson QeIdentity { get; init; }
    /// <summary>The PCK authority's revocation list; null when absent.</summary>
    internal RevocationList? PckList { get; init; }
    /// <summary>The root's revocation list; null when absent.</summary>
    internal RevocationList? RootList { get; init; }

    /// <summary>Reads the document.</summary>
    /// <returns>Null when it cannot be read; <paramref name="fault"/> says why.</returns>
    internal static DcapCollateral? Read(ReadOnlySpan<byte> json, out string fault)
    {
        fault = "";
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            return new DcapCollateral
            {
                TcbInfo = SignedJson.Read(root, "tcb_info"),
                QeIdentity = SignedJson.Read(root, "qe_identity"),
                PckList = List(root, "pck_crl"),
                RootList = List(root, "root_ca_crl"),
            };
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException or KeyNotFoundException or CryptographicException or OverflowException)
        {
            fault = failure.Message;
            return null;
        }
    }

    private static RevocationList? List(JsonElement root, string member)
    {
        if (!root.TryGetProperty(member, out var value) || value.ValueKind is JsonValueKind.Null || value.GetString() is not { Length: > 0 } text)
            return null;
        return RevocationList.TryRead(Convert.FromHexString(text), out var list) ? list : throw new FormatException($"{member} is no revocation list.");
    }
}

/// <summary>A JSON value that Intel signed: the bytes as they stood, ECDSA P-256 with SHA-256, and the signer's chain.</summary>
internal sealed record SignedJson(byte[] Bytes, JsonElement Value, byte[] Signature, IReadOnlyList<DerCertificate> Chain)
{
    internal static SignedJson Read(JsonElement root, string name)
    {
        var bytes = Encoding.UTF8.GetBytes(root.GetProperty(name).GetString() ?? "");
        using var value = JsonDocument.Parse(bytes);
        var chain = PemBlocks.All(Encoding.ASCII.GetBytes(root.GetProperty(name + "_issuer_chain").GetString() ?? ""), "CERTIFICATE")
            .Select(der => DerCertificate.TryRead(der, out var certificate) ? certificate! : throw new FormatException($"{name}_issuer_chain has a certificate that cannot be read.")).ToList();
        return new(bytes, value.RootElement.Clone(), Convert.FromHexString(root.GetProperty(name + "_signature").GetString() ?? ""), chain);
    }

    /// <summary>True when the chain's leaf signed the bytes.</summary>
    internal bool IsSigned()
    {
        if (Chain.Count == 0)
            return false;
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(Chain[0].PublicKey.Span, out _);
            return key.KeySize == 256 && key.VerifyData(Bytes, Signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (Exception failure) when (KeyRefusal.Is(failure))
        {
            return false;   // the answer: this key verifies nothing
        }
    }

    internal DateTimeOffset IssueDate => Value.GetProperty("issueDate").GetDateTimeOffset();
    internal DateTimeOffset NextUpdate => Value.GetProperty("nextUpdate").GetDateTimeOffset();
    internal int EvaluationNumber => Value.GetProperty("tcbEvaluationDataNumber").GetInt32();
    internal string Id => Value.GetProperty("id").GetString() ?? "";
    internal int Version => Value.GetProperty("version").GetInt32();
}
