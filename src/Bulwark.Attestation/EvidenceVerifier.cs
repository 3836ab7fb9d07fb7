using System.Security.Cryptography;
using Bulwark.Attestation.Kinds;

namespace Bulwark.Attestation;

/// <summary>Appraises evidence of every kind against a policy, leg by leg; each leg fails under its own name.</summary>
/// <remarks>The same evidence, policy, collateral and time always give the same answer. Thread-safe.</remarks>
public sealed class EvidenceVerifier
{
    private static readonly Dictionary<string, EvidenceKind> s_kinds = new EvidenceKind[]
    {
        new SnpKind(), new DcapKind(EvidenceKinds.Tdx), new DcapKind(EvidenceKinds.Sgx), new TpmKind(), new AzureKind(),
    }.ToDictionary(kind => kind.Name, StringComparer.Ordinal);

    private static readonly SimulatedKind s_simulated = new();

    private readonly Dictionary<string, EvidenceKind> _kinds;
    private readonly TimeProvider _time;
    private readonly CollateralFolder? _collateral;
    private readonly string _faults;

    /// <param name="policy">What is let in. An unsound policy lets nothing in, also when it was built in code.</param>
    /// <param name="time">The verifier's clock; the attested machine's is never asked.</param>
    /// <param name="collateral">Vendors' certificates, lists and documents for evidence that brings none; null for none.</param>
    public EvidenceVerifier(EvidencePolicy policy, TimeProvider time, CollateralFolder? collateral = null)
    {
        ArgumentNullException.ThrowIfNull(policy);
        (Policy, _time, _collateral) = (policy, time, collateral);
        _faults = string.Join(" ", policy.Faults());
        _kinds = new(s_kinds, StringComparer.Ordinal);
        if (policy is { Environment: EvidenceEnvironment.Development, InsecureSimulated: true })
            _kinds.Add(s_simulated.Name, s_simulated);   // nowhere else is there anything that could judge it
    }

    /// <summary>The kinds that this verifier can judge at all: <c>simulated</c> only under a development policy that spells it out.</summary>
    public IReadOnlyCollection<string> Kinds => _kinds.Keys;

    /// <summary>The policy.</summary>
    public EvidencePolicy Policy { get; }

    /// <summary>Appraises evidence.</summary>
    /// <param name="evidence">What the worker showed.</param>
    /// <param name="nonce">The nonce that this verifier gave, 32 bytes.</param>
    public EvidenceAppraisal Verify(Evidence evidence, ReadOnlySpan<byte> nonce) => Verify(evidence, nonce, null);

    internal EvidenceAppraisal Verify(Evidence evidence, ReadOnlySpan<byte> nonce, ProvedKeys? proved)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        var legs = new Legs();
        legs.Check("policy", _faults.Length == 0, _faults);
        var kind = _kinds.GetValueOrDefault(evidence.Kind);
        legs.Check("kind", kind is not null && Policy.Kinds.Contains(evidence.Kind), $"the policy does not let kind '{evidence.Kind}' in");
        legs.Check("environment", evidence.Kind != EvidenceKinds.Simulated || kind is not null, "simulated evidence is refused outside development");
        legs.Check("nonce", nonce.Length == Evidence.NonceSizeInBytes && CryptographicOperations.FixedTimeEquals(evidence.Nonce, nonce), "it is not the nonce that was given");
        legs.Check("keys", IsPoint(evidence.Keys.Hpke), "the HPKE key is no point of P-256");
        legs.Check("boot-id", evidence.BootId.Length == Evidence.BootIdSizeInBytes, $"it has {evidence.BootId.Length} bytes, not {Evidence.BootIdSizeInBytes}");
        var foreign = evidence.Parts.Keys.Where(part => kind?.Parts.Contains(part) is not true && !GpuPart.Knows(Policy, part)).Order(StringComparer.Ordinal).ToList();
        legs.Check("parts", foreign.Count == 0, $"kind '{evidence.Kind}' knows no part {string.Join(", ", foreign)}");

        var one = new EvidenceCase(evidence, Policy, _time, _collateral, proved);
        var found = GpuPart.AddTo(legs, one, kind?.Appraise(legs, one) ?? new());
        Model(legs, evidence);
        return new()
        {
            Legs = legs.Done,
            Kind = evidence.Kind,
            Insecure = kind is null or SimulatedKind || Policy.Environment is not EvidenceEnvironment.Production,
            Measurement = found.Measurement,
            Evidence = evidence.Digest(),
            PlatformId = found.PlatformId,
            TcbStatus = found.TcbStatus,
            Advisories = found.Advisories,
            Claims = found.Claims,
            ValidUntil = found.ValidUntil,
            Flags = [.. Policy.Flags()],
        };
    }

    private void Model(Legs legs, Evidence evidence)
    {
        var rule = Policy.Models.FirstOrDefault(model => model.Package == evidence.Model);
        legs.Check("model", rule is not null, $"the policy does not release the key of model {evidence.Model}");
        if (rule is null || !Policy.MinimumModelVersions.TryGetValue(rule.Name, out var lowest))
            legs.Waive("model-version", "the policy has no lowest version of this model");
        else
            legs.Require("model-version", ModelRule.Compare(rule.Version, lowest) >= 0, $"{rule.Name} {rule.Version} is below the lowest version {lowest}", code: "ModelVersion");
    }

    /// <summary>True for an uncompressed point on P-256 (RFC 9180 §7.1.4 asks the receiver's key to be validated).</summary>
    private static bool IsPoint(ReadOnlySpan<byte> key)
    {
        if (key.Length != 65 || key[0] != 4)
            return false;
        try
        {
            using var point = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new() { X = key[1..33].ToArray(), Y = key[33..].ToArray() },
            });
            return true;
        }
        catch (CryptographicException)
        {
            return false;   // the answer, not a failure: the point is not on the curve
        }
    }
}
