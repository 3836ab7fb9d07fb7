using System.Security.Cryptography;

namespace Bulwark.Attestation;

/// <summary>Appraises evidence against a policy, leg by leg; each leg fails under its own name.</summary>
/// <param name="policy">What is let in. An unsound policy lets nothing in, also when it was built in code.</param>
/// <param name="time">The verifier's clock; the attested machine's is never asked.</param>
public sealed class EvidenceVerifier(EvidencePolicy policy, TimeProvider time)
{
    private const string Unreadable = "the payload could not be read";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>The names of all legs, in the order of an appraisal.</summary>
    public static IReadOnlyList<string> LegNames { get; } =
        ["policy", "kind", "environment", "nonce", "keys", "boot-id", "payload", "signer", "signature", "binding", "not-future", "age", "measurement", "model"];

    /// <summary>The policy.</summary>
    public EvidencePolicy Policy => policy;

    /// <summary>Appraises evidence.</summary>
    /// <param name="evidence">What the worker showed.</param>
    /// <param name="nonce">The nonce that this verifier gave, 32 bytes.</param>
    public EvidenceAppraisal Verify(Evidence evidence, ReadOnlySpan<byte> nonce)
    {
        var legs = new Legs();
        var faults = string.Join(" ", policy.Faults());
        legs.Check("policy", faults.Length == 0, faults);
        var isSimulated = evidence.Kind == EvidenceKinds.Simulated;
        legs.Check("kind", isSimulated && policy.Kinds.Contains(evidence.Kind), $"the policy does not let kind '{evidence.Kind}' in");
        legs.Check("environment", !isSimulated || (policy.Environment is EvidenceEnvironment.Development && policy.InsecureSimulated), "simulated evidence is refused outside development");
        legs.Check("nonce", nonce.Length == Evidence.NonceSizeInBytes && CryptographicOperations.FixedTimeEquals(evidence.Nonce, nonce), "it is not the nonce that was given");
        legs.Check("keys", IsPoint(evidence.Keys.Hpke), "the HPKE key is no point of P-256");
        legs.Check("boot-id", evidence.BootId.Length == Evidence.BootIdSizeInBytes, $"it has {evidence.BootId.Length} bytes, not {Evidence.BootIdSizeInBytes}");

        var report = default(SimulatedReport);
        var readable = legs.Check("payload", isSimulated && SimulatedReport.TryRead(evidence.Payload, out report), "it is no report of this kind");
        var signer = readable ? policy.SimulatedKeys.FirstOrDefault(key => key.Verify(report.Signed, report.Signature)) : null;
        legs.Check("signer", policy.SimulatedKeys.Count > 0, "the policy trusts no key for this kind");
        legs.Check("signature", signer is not null, "no trusted key signed the report", reached: readable, notReached: Unreadable);
        legs.Check("binding", readable && CryptographicOperations.FixedTimeEquals(report.ReportData, evidence.ReportData()), "the report is not about this nonce, these keys and this model", reached: readable, notReached: Unreadable);
        var age = time.GetUtcNow() - report.Issued;
        legs.Check("not-future", age >= -ClockSkew, $"it is dated {-age.TotalSeconds:F0} s ahead of this clock", reached: readable, notReached: Unreadable);
        legs.Check("age", age <= TimeSpan.FromSeconds(policy.MaximumAgeSeconds), $"it is {age.TotalSeconds:F0} s old; the policy allows {policy.MaximumAgeSeconds} s", reached: readable, notReached: Unreadable);
        legs.Check("measurement", policy.Measurements.Contains(report.Measurement), $"the policy does not let the program {report.Measurement} in", reached: readable, notReached: Unreadable);
        legs.Check("model", policy.Models.Contains(evidence.Model), $"the policy does not release the key of model {evidence.Model}");
        return new() { Legs = legs.Done, Insecure = true, Measurement = readable ? report.Measurement : null, Evidence = evidence.Digest() };
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
