using Bulwark.Attestation;
using Bulwark.Attestation.Dcap;

namespace Bulwark.Conformance.Suites.Attestation;

/// <summary>RA-TLS certificates. There is no collateral for their time, so only what the certificate and its quote decide is compared.</summary>
internal static class RaTlsCases
{
    internal static CaseResult Run(EvidenceCase one)
    {
        var legs = RaTlsCertificate.Verify(one.File("cert"), [], new DcapPolicy { AnyPlatform = true, AnyMeasurement = true }, one.Clock).Legs.ToDictionary(leg => leg.Name, leg => leg.Outcome);
        (string Leg, string Expectation)[] pairs = [("ratls-key", "claimsBound"), ("ratls-claims", "claimsBound"), ("quote-signature", "quoteSignature"), ("qe-report-signature", "qeSignature")];
        foreach (var (leg, expectation) in pairs)
        {
            if ((legs[leg] is LegOutcome.Passed) != one.Expected.GetProperty(expectation).GetBoolean())
                return CaseResult.Fail(one.Id, $"{leg} is {legs[leg]}");
        }

        return CaseResult.Of(one.Id, (legs["debug"] is LegOutcome.Failed) == one.Expected.GetProperty("debug").GetBoolean() && legs["collateral-format"] is LegOutcome.Failed, $"debug is {legs["debug"]}");
    }
}
