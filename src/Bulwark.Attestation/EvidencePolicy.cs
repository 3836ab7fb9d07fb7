using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Attestation.Dcap;
using Bulwark.Attestation.Snp;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>Where a policy is for.</summary>
[JsonConverter(typeof(NamesOnlyConverter<EvidenceEnvironment>))]
public enum EvidenceEnvironment
{
    /// <summary>Real data: nothing insecure is let in. The default.</summary>
    [JsonStringEnumMemberName("production")] Production = 0,
    /// <summary>A developer's machine or a test.</summary>
    [JsonStringEnumMemberName("development")] Development,
}

/// <summary>What evidence must say for a model's key to be released. What is not listed is refused.</summary>
/// <remarks>JSON is camelCase and strict. Kind <c>simulated</c> needs all three: a development environment, the kind in the list, and <see cref="InsecureSimulated"/>.</remarks>
public sealed record EvidencePolicy
{
    internal const string FormatName = "bulwark.dev/evidence-policy/v1";

    /// <summary>The format's name and version.</summary>
    public string Format { get; init; } = FormatName;

    /// <summary>The policy's own version, 1 and up: a broker goes only forward.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Where this policy is for.</summary>
    public required EvidenceEnvironment Environment { get; init; }

    /// <summary>The kinds of evidence that are let in; see <see cref="EvidenceKinds"/>.</summary>
    public required IReadOnlyList<string> Kinds { get; init; }

    /// <summary>Must be spelled out as true to let kind <c>simulated</c> in.</summary>
    public bool InsecureSimulated { get; init; }

    /// <summary>The development keys whose simulated reports are let in.</summary>
    public IReadOnlyList<VerificationKey> SimulatedKeys { get; init => field = value ?? []; } = [];   // generated JSON code sets an absent member to null

    /// <summary>What an SNP platform must be; for kinds <c>sev-snp</c> and <c>azure-vtpm</c>.</summary>
    public SnpPolicy? Snp { get; init; }

    /// <summary>What a TDX platform must be; for kind <c>tdx</c>.</summary>
    public DcapPolicy? Tdx { get; init; }

    /// <summary>What an SGX platform must be; for kind <c>sgx</c>.</summary>
    public DcapPolicy? Sgx { get; init; }

    /// <summary>What a TPM must be; for kinds <c>tpm</c> and <c>azure-vtpm</c>.</summary>
    public TpmPolicy? Tpm { get; init; }

    /// <summary>What the GPU beside the processor must be; null lets no GPU's report in, and asks for none.</summary>
    public Nvidia.NvidiaPolicy? Nvidia { get; init; }

    /// <summary>The measurements of programs that are let in: of files, launch digests, MRTD, MRENCLAVE, or the composite of a TPM's registers.</summary>
    public required IReadOnlyList<ReferenceValue> Measurements { get; init; }

    /// <summary>Who may publish measurements, and in which log. Production asks for it.</summary>
    public MeasurementProvenance? Provenance { get; init; }

    /// <summary>The model packages whose key may be released.</summary>
    public required IReadOnlyList<ModelRule> Models { get; init; }

    /// <summary>The lowest version of each named model.</summary>
    public IReadOnlyDictionary<string, string> MinimumModelVersions { get; init => field = value ?? s_none; } = s_none;

    /// <summary>How old evidence may be, in seconds; from 1 to 3600.</summary>
    public required int MaximumAgeSeconds { get; init; }

    /// <summary>How long ago revocation lists and collateral may have been issued, in days; 0 asks no more than that they are in force. Production asks for 1 to 90.</summary>
    public int MaximumCollateralAgeDays { get; init; }

    /// <summary>How a broker gives keys out by this policy.</summary>
    public ReleaseRules Release { get; init => field = value ?? new(); } = new();

    private static readonly Dictionary<string, string> s_none = [];

    /// <summary>SHA-256 of the canonical bytes: the policy's version in every record.</summary>
    public Digest Digest() => Bulwark.Cryptography.Digest.Of(ToJson());

    /// <summary>Every fault; empty when the policy is sound.</summary>
    public IEnumerable<string> Faults() => EvidencePolicyFaults.Of(this);

    /// <summary>What is let in without being named, for whoever reads the policy: each is a risk that somebody took.</summary>
    public IEnumerable<string> Flags()
    {
        if (Snp?.AnyPlatform is true) yield return "snp: any chip";
        if (Tdx?.AnyPlatform is true) yield return "tdx: any platform";
        if (Sgx?.AnyPlatform is true) yield return "sgx: any platform";
        if (Tpm?.AnyPlatform is true) yield return "tpm: any attestation key";
        foreach (var flag in Nvidia?.Flags() ?? []) yield return flag;
        if (Kinds.Contains(EvidenceKinds.Simulated)) yield return "insecure: simulated evidence";
    }

    /// <summary>Canonical JSON (RFC 8785).</summary>
    public byte[] ToJson() => CanonicalJson.Canonicalize(JsonSerializer.SerializeToElement(this, AttestationJson.Default.EvidencePolicy));

    /// <summary>Reads a policy and refuses an unsound one.</summary>
    /// <exception cref="InvalidDataException">An unknown, doubled or missing member, or <see cref="Faults"/> is not empty; the message lists them all.</exception>
    public static EvidencePolicy FromJson(ReadOnlySpan<byte> json)
    {
        EvidencePolicy policy;
        try
        {
            policy = JsonSerializer.Deserialize(json, AttestationJson.Default.EvidencePolicy) ?? throw new JsonException("The document is null.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"This is no sound evidence policy: {failure.Message}", failure);
        }

        var faults = policy.Faults().ToList();
        return faults.Count == 0 ? policy : throw new InvalidDataException($"The evidence policy is refused. {string.Join(" ", faults)}");
    }
}
