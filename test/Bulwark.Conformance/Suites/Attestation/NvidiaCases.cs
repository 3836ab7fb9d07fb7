using Bulwark.Attestation;
using Bulwark.Attestation.Nvidia;

namespace Bulwark.Conformance.Suites.Attestation;

/// <summary>A real GPU's report: accepted with its nonce under NVIDIA's pinned root, and with no flipped byte.</summary>
internal static class NvidiaCases
{
    internal static CaseResult Run(EvidenceCase one)
    {
        var verifier = new NvidiaVerifier(new() { AnyPlatform = true, AnyMeasurement = true, WithoutRevocation = true }, one.Clock);
        var (report, chain, nonce) = (one.File("report"), one.File("chain"), Convert.FromHexString(one.Text("nonce")));
        var genuine = verifier.Verify(report, chain, nonce);
        if (genuine.Decision is not PlatformDecision.Accepted)
            return CaseResult.Fail(one.Id, string.Join("; ", genuine.Legs.Where(leg => leg.Outcome is LegOutcome.Failed).Select(leg => $"{leg.Name}: {leg.Detail}")));
        if (verifier.Verify(report, chain, new byte[nonce.Length]).Decision is PlatformDecision.Accepted)
            return CaseResult.Fail(one.Id, "another nonce was accepted");
        for (var at = 0; at < report.Length; at++)
        {
            report[at] ^= 1;
            if (verifier.Verify(report, chain, nonce).Decision is PlatformDecision.Accepted)
                return CaseResult.Fail(one.Id, $"byte {at} can be flipped");
            report[at] ^= 1;
        }

        return CaseResult.Pass(one.Id);
    }
}
