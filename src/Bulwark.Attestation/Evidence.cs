using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>The kinds of evidence that this version verifies.</summary>
public static class EvidenceKinds
{
    /// <summary>An AMD SEV-SNP report.</summary>
    public const string SevSnp = "sev-snp";

    /// <summary>An Intel TDX quote.</summary>
    public const string Tdx = "tdx";

    /// <summary>An Intel SGX quote.</summary>
    public const string Sgx = "sgx";

    /// <summary>A TPM 2.0 quote.</summary>
    public const string Tpm = "tpm";

    /// <summary>A quote of an Azure virtual TPM whose key the processor's report vouches for.</summary>
    public const string AzureVtpm = "azure-vtpm";

    /// <summary>A development key's word for what runs. It proves nothing about the machine: insecure, never for production.</summary>
    public const string Simulated = "simulated";

    /// <summary>Every kind.</summary>
    public static IReadOnlyList<string> All { get; } = [SevSnp, Tdx, Sgx, Tpm, AzureVtpm, Simulated];
}

/// <summary>The public keys that evidence speaks for: whoever trusts the evidence trusts them, and no others.</summary>
public sealed record EvidenceKeys
{
    /// <summary>P-256 point, uncompressed, 65 bytes: secrets for the worker are sealed to it (RFC 9180).</summary>
    public required byte[] Hpke { get; init; }

    /// <summary>Ed25519 key with which the worker signs its receipts.</summary>
    public required VerificationKey Receipt { get; init; }

    /// <summary>DER SubjectPublicKeyInfo of the worker's TLS key; empty when it speaks to its gateway in the same process or over a local socket.</summary>
    public byte[] TlsSpki { get; init => field = value ?? []; } = [];   // generated JSON code sets an absent member to null
}

/// <summary>What a worker shows to be trusted: a statement about what runs, bound to a nonce and to its keys.</summary>
/// <remarks>After RFC 9334 (RATS). JSON is camelCase and strict; bytes are base64. Specification: docs/formats/evidence.md.</remarks>
public sealed record Evidence
{
    /// <summary>Length of a nonce, in bytes.</summary>
    public const int NonceSizeInBytes = 32;

    /// <summary>Length of a boot id, in bytes.</summary>
    public const int BootIdSizeInBytes = 16;

    /// <summary>Length of the report data, in bytes.</summary>
    public const int ReportDataSizeInBytes = 64;

    internal const string FormatName = "bulwark.dev/evidence/v1";

    /// <summary>The format's name and version.</summary>
    public string Format { get; init; } = FormatName;

    /// <summary>Which machinery vouches; see <see cref="EvidenceKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The machinery's own statement, for example a hardware report; it carries the report data.</summary>
    public required byte[] Payload { get; init; }

    /// <summary>What belongs to the statement: signatures, certificates, collateral, logs, by the names of <see cref="EvidenceParts"/>. Whatever the kind does not know is refused.</summary>
    public IReadOnlyDictionary<string, byte[]> Parts { get; init => field = value ?? new Dictionary<string, byte[]>(); } = new Dictionary<string, byte[]>();

    /// <summary>The verifier's fresh number, 32 bytes.</summary>
    public required byte[] Nonce { get; init; }

    /// <summary>The keys that are bound.</summary>
    public required EvidenceKeys Keys { get; init; }

    /// <summary>Digest of the model package that the worker asks for.</summary>
    public required Digest Model { get; init; }

    /// <summary>Chosen anew at each start of the worker, 16 bytes.</summary>
    public required byte[] BootId { get; init; }

    /// <summary>SHA-256 of the canonical bytes: what receipts and the log name this evidence by.</summary>
    public Digest Digest() => Bulwark.Cryptography.Digest.Of(ToJson());

    /// <summary>What the payload must carry: one definition for every kind, all fields, all 64 bytes.</summary>
    /// <returns>SHA-512 over the label <c>bulwark.dev/attest/v1</c>, a zero byte, and each after its 16-bit length: nonce, HPKE key, TLS key, receipt key, model digest, boot id.</returns>
    public byte[] ReportData() => SHA512.HashData(LengthPrefixed.Bytes(
        "bulwark.dev/attest/v1", Nonce, Keys.Hpke, Keys.TlsSpki, Keys.Receipt.Bytes.ToArray(), Model.ToArray(), BootId));

    /// <summary>What a TPM's quote carries, whose room is 32 bytes by TPM2_Quote's practice: SHA-256 of <see cref="ReportData"/>.</summary>
    public byte[] QuoteData() => SHA256.HashData(ReportData());

    /// <summary>What a sealed session with this worker stands on beside its HPKE key; the nonce is not in it, so it is the same for every client.</summary>
    public byte[] ChannelBinding() => SHA256.HashData(LengthPrefixed.Bytes(
        "bulwark.dev/channel/v1", Keys.Hpke, Keys.TlsSpki, Keys.Receipt.Bytes.ToArray(), Model.ToArray(), BootId));

    /// <summary>Canonical JSON (RFC 8785).</summary>
    public byte[] ToJson() => CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(this, AttestationJson.Default.Evidence));

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no sound evidence document: an unknown, doubled or missing member, or another format.</exception>
    public static Evidence FromJson(ReadOnlySpan<byte> json)
    {
        try
        {
            var evidence = JsonSerializer.Deserialize(json, AttestationJson.Default.Evidence) ?? throw new JsonException("The document is null.");
            return evidence.Format == FormatName ? evidence
                : throw new InvalidDataException($"The evidence's format is {evidence.Format}; this version reads {FormatName}.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"This is no sound evidence document: {failure.Message}", failure);
        }
    }
}
