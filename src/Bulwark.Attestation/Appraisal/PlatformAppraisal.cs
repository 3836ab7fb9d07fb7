using System.Text.Json.Serialization;

namespace Bulwark.Attestation;

/// <summary>Who decides a leg.</summary>
[JsonConverter(typeof(NamesOnlyConverter<LegKind>))]
public enum LegKind
{
    /// <summary>The evidence: when it fails, no policy may let it in.</summary>
    [JsonStringEnumMemberName("evidence")] Evidence = 0,
    /// <summary>The policy: genuine, but not what was asked for.</summary>
    [JsonStringEnumMemberName("policy")] Policy,
}

/// <summary>What a platform's evidence came to.</summary>
[JsonConverter(typeof(NamesOnlyConverter<PlatformDecision>))]
public enum PlatformDecision
{
    /// <summary>Nothing was checked, or a check of the evidence failed: never acceptable.</summary>
    [JsonStringEnumMemberName("rejected")] Rejected = 0,
    /// <summary>Genuine, but the policy does not let it in.</summary>
    [JsonStringEnumMemberName("against-policy")] AgainstPolicy,
    /// <summary>Every leg passed.</summary>
    [JsonStringEnumMemberName("accepted")] Accepted,
}

/// <summary>The answer of appraising one platform's evidence: every leg, always in the same order, and what the evidence claims.</summary>
public sealed record PlatformAppraisal
{
    /// <summary>Every leg.</summary>
    public required IReadOnlyList<EvidenceLeg> Legs { get; init; }

    /// <summary>What the evidence says of the platform and of what runs; empty when it could not be read. Trust it only when <see cref="Decision"/> accepts.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = new Dictionary<string, string>();

    /// <summary>Whoever signed for the platform: chip id, PIID or attestation key's name, hexadecimal; null when unknown.</summary>
    public string? PlatformId { get; init; }

    /// <summary>The trusted-computing-base status, where the vendor defines one.</summary>
    public string? TcbStatus { get; init; }

    /// <summary>Security advisories that apply to that status.</summary>
    public IReadOnlyList<string> Advisories { get; init; } = [];

    /// <summary>Until when the answer can stand at most: the first date at which a certificate or a piece of collateral ends.</summary>
    public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>The decision: rejected when a leg of the evidence did not pass, against the policy when only the policy's did not.</summary>
    public PlatformDecision Decision => Legs.Count == 0 || Legs.Any(leg => leg is { Kind: LegKind.Evidence, Outcome: not (LegOutcome.Passed or LegOutcome.NotApplicable) }) ? PlatformDecision.Rejected
        : Legs.All(leg => leg.Outcome is LegOutcome.Passed or LegOutcome.NotApplicable) ? PlatformDecision.Accepted : PlatformDecision.AgainstPolicy;

    /// <summary>The first leg that failed; null when none did.</summary>
    public EvidenceLeg? Failed => Legs.FirstOrDefault(leg => leg is { Outcome: LegOutcome.Failed, Kind: LegKind.Evidence }) ?? Legs.FirstOrDefault(leg => leg.Outcome is LegOutcome.Failed);
}
