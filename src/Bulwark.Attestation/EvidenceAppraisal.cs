using System.Text.Json.Serialization;
using Bulwark.Cryptography;

namespace Bulwark.Attestation;

/// <summary>What appraising evidence came to.</summary>
[JsonConverter(typeof(NamesOnlyConverter<EvidenceVerdict>))]
public enum EvidenceVerdict
{
    /// <summary>Nothing was checked; refuses.</summary>
    [JsonStringEnumMemberName("unverified")] Unverified = 0,
    /// <summary>Every leg passed.</summary>
    [JsonStringEnumMemberName("trusted")] Trusted,
    /// <summary>At least one leg failed.</summary>
    [JsonStringEnumMemberName("refused")] Refused,
}

/// <summary>What one leg came to.</summary>
[JsonConverter(typeof(NamesOnlyConverter<LegOutcome>))]
public enum LegOutcome
{
    /// <summary>Not reached, because a leg that it stands on failed.</summary>
    [JsonStringEnumMemberName("not-checked")] NotChecked = 0,
    /// <summary>It holds.</summary>
    [JsonStringEnumMemberName("passed")] Passed,
    /// <summary>It does not hold.</summary>
    [JsonStringEnumMemberName("failed")] Failed,
    /// <summary>The policy does not ask it of this kind of evidence; the detail says so.</summary>
    [JsonStringEnumMemberName("not-applicable")] NotApplicable,
}

/// <summary>One named check of the evidence.</summary>
/// <param name="Name">Its stable name, such as <c>measurement</c>.</param>
/// <param name="Outcome">What it came to.</param>
/// <param name="Detail">Why, in words; nothing secret.</param>
public sealed record EvidenceLeg(string Name, LegOutcome Outcome, string Detail)
{
    /// <summary>Who decides it.</summary>
    public LegKind Kind { get; init; }

    /// <summary>The stable code of what failed, such as <c>CertExpired</c>; empty when nothing did or when the name says it.</summary>
    public string Code { get; init => field = value ?? ""; } = "";
}

/// <summary>The answer of appraising evidence: every leg, always in the same order.</summary>
public sealed record EvidenceAppraisal
{
    /// <summary>Every leg.</summary>
    public required IReadOnlyList<EvidenceLeg> Legs { get; init; }

    /// <summary>Trusted only when there are legs, at least one passed, and each passed or does not apply.</summary>
    public EvidenceVerdict Verdict => Legs.Count == 0 ? EvidenceVerdict.Unverified
        : Legs.All(leg => leg.Outcome is LegOutcome.Passed or LegOutcome.NotApplicable) && Legs.Any(leg => leg.Outcome is LegOutcome.Passed) ? EvidenceVerdict.Trusted : EvidenceVerdict.Refused;

    /// <summary>The evidence's kind.</summary>
    public string Kind { get; init; } = "";

    /// <summary>True unless real hardware vouched under a production policy: whatever rests on this appraisal says so.</summary>
    public required bool Insecure { get; init; }

    /// <summary>What runs, as the evidence says: <c>sha256:</c> or <c>sha384:</c> and digits; null when that could not be read.</summary>
    public string? Measurement { get; init; }

    /// <summary>Digest of the evidence.</summary>
    public required Digest Evidence { get; init; }

    /// <summary>Which machine: chip id, PIID or attestation key, hexadecimal; null when the evidence does not say.</summary>
    public string? PlatformId { get; init; }

    /// <summary>The vendor's word for the platform's patches; null where there is none.</summary>
    public string? TcbStatus { get; init; }

    /// <summary>Security advisories that apply to that status.</summary>
    public IReadOnlyList<string> Advisories { get; init; } = [];

    /// <summary>What the evidence says of platform and program. Trust it only when <see cref="Verdict"/> trusts.</summary>
    public IReadOnlyDictionary<string, string> Claims { get; init; } = new Dictionary<string, string>();

    /// <summary>Until when the answer can stand at most: the first date at which a certificate or a piece of collateral ends.</summary>
    public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>What the policy lets in without naming it.</summary>
    public IReadOnlyList<string> Flags { get; init; } = [];

    /// <summary>The first leg that failed, as <c>name: detail</c>; empty when none did.</summary>
    public string Reason => Legs.FirstOrDefault(leg => leg.Outcome is LegOutcome.Failed) is { } failed ? $"{failed.Name}: {failed.Detail}" : "";

    /// <summary>The same appraisal with one more leg.</summary>
    internal EvidenceAppraisal With(EvidenceLeg leg) => this with { Legs = [.. Legs, leg] };
}
