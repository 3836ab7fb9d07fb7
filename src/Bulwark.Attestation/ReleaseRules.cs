using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>How a broker gives keys out: leases, approvals, limits.</summary>
public sealed record ReleaseRules
{
    /// <summary>How long a lease runs, in seconds; from 1 to 86,400. The worker wipes the key at its end.</summary>
    public int LeaseSeconds { get; init; } = 3600;

    /// <summary>Leases of one model that may run at once; from 1 to 10,000.</summary>
    public int MaximumLeases { get; init; } = 64;

    /// <summary>Who may approve the first release of a model.</summary>
    public IReadOnlyList<VerificationKey> Approvers { get; init => field = value ?? []; } = [];

    /// <summary>How many of the approvers must have approved before a model's key leaves for the first time; 0 asks for none.</summary>
    public int ApprovalsNeeded { get; init; }

    /// <summary>Challenges that one caller may ask for in a minute; from 1 to 10,000.</summary>
    public int ChallengesPerMinute { get; init; } = 60;

    /// <summary>Releases and renewals that one caller may ask for in a minute; from 1 to 10,000.</summary>
    public int ReleasesPerMinute { get; init; } = 60;

    internal IEnumerable<string> Faults()
    {
        if (LeaseSeconds is < 1 or > 86_400) yield return $"A lease of {LeaseSeconds} s; it must be from 1 to 86400.";
        if (MaximumLeases is < 1 or > 10_000) yield return $"{MaximumLeases} leases at once; it must be from 1 to 10000.";
        if (ChallengesPerMinute is < 1 or > 10_000) yield return $"{ChallengesPerMinute} challenges a minute; it must be from 1 to 10000.";
        if (ReleasesPerMinute is < 1 or > 10_000) yield return $"{ReleasesPerMinute} releases a minute; it must be from 1 to 10000.";
        if (ApprovalsNeeded < 0 || ApprovalsNeeded > Approvers.Distinct().Count()) yield return $"{ApprovalsNeeded} approvals are needed, but {Approvers.Distinct().Count()} may approve.";
    }
}
