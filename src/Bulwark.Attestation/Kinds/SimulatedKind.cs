using System.Security.Cryptography;

namespace Bulwark.Attestation.Kinds;

/// <summary>A development key's word; see <see cref="SimulatedReport"/>.</summary>
internal sealed class SimulatedKind() : EvidenceKind(EvidenceKinds.Simulated)
{
    private const string Unreadable = "the payload could not be read";
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    internal override EvidenceFindings Appraise(Legs legs, EvidenceCase one)
    {
        var (evidence, policy) = (one.Evidence, one.Policy);
        var readable = legs.Check("payload", SimulatedReport.TryRead(evidence.Payload, out var report), "it is no report of this kind");
        var signer = readable ? policy.SimulatedKeys.FirstOrDefault(key => key.Verify(report.Signed, report.Signature)) : null;
        legs.Check("signer", policy.SimulatedKeys.Count > 0, "the policy trusts no key for this kind");
        legs.Check("signature", signer is not null, "no trusted key signed the report", reached: readable, notReached: Unreadable);
        legs.Check("binding", readable && CryptographicOperations.FixedTimeEquals(report.ReportData, evidence.ReportData()), "the report is not about this nonce, these keys and this model", reached: readable, notReached: Unreadable);
        var age = one.Time.GetUtcNow() - report.Issued;
        legs.Check("not-future", age >= -ClockSkew, $"it is dated {-age.TotalSeconds:F0} s ahead of this clock", reached: readable, notReached: Unreadable);
        legs.Check("age", age <= TimeSpan.FromSeconds(policy.MaximumAgeSeconds), $"it is {age.TotalSeconds:F0} s old; the policy allows {policy.MaximumAgeSeconds} s", reached: readable, notReached: Unreadable);
        var measurement = readable ? report.Measurement.ToString() : null;
        legs.Check("measurement", policy.Measurements.Any(let => let.Value == measurement), $"the policy does not let the program {measurement} in", reached: readable, notReached: Unreadable);
        legs.Waive("platform", "simulated: there is no platform");
        return new() { Measurement = measurement };
    }
}
