using Bulwark.Attestation;

namespace Bulwark.Conformance.Suites.Attestation;

/// <summary>Compares an appraisal with a published decision and reason.</summary>
internal static class Decisions
{
    internal static CaseResult Compare(EvidenceCase one, PlatformAppraisal appraisal)
    {
        var wanted = one.Decision switch
        {
            "accept" => PlatformDecision.Accepted,
            "policy" => PlatformDecision.AgainstPolicy,
            "reject" => PlatformDecision.Rejected,
            _ => (PlatformDecision?)null,
        };
        var failed = appraisal.Failed;
        if (wanted is null)
            return CaseResult.Fail(one.Id, $"the case expects '{one.Decision}', which this suite does not know");
        // A refusal without a named reason is right whether the evidence or the policy refuses.
        var refused = one.Decision == "reject" && one.Reason.Length == 0 && appraisal.Decision is not PlatformDecision.Accepted;
        if (appraisal.Decision != wanted && !refused)
            return CaseResult.Fail(one.Id, $"expected {one.Decision} {one.Reason}, was {appraisal.Decision}: {failed?.Name} {failed?.Code} {failed?.Detail}");
        var reasons = one.Reason.Split(" or ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return wanted is PlatformDecision.Accepted || reasons.Length == 0 || reasons.Contains(failed!.Code, StringComparer.Ordinal)
            ? CaseResult.Pass(one.Id)
            : CaseResult.Fail(one.Id, $"expected {one.Decision} for {one.Reason}, was for {failed.Code} ({failed.Name}: {failed.Detail})");
    }
}
