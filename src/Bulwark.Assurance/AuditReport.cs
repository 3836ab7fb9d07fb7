using System.Text.Json.Serialization;

namespace Bulwark.Assurance;

/// <summary>What an audit of private training came to.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AuditVerdict>))]
public enum AuditVerdict
{
    /// <summary>Nothing was audited.</summary>
    [JsonStringEnumMemberName("unaudited")]
    Unaudited = 0,

    /// <summary>A check failed, or ε is certainly above the claim.</summary>
    [JsonStringEnumMemberName("violated")]
    Violated,

    /// <summary>Every check holds and no bound is above the claim. It is no proof of privacy.</summary>
    [JsonStringEnumMemberName("notRefuted")]
    NotRefuted,
}

/// <summary>One thing that private training must do.</summary>
/// <param name="Name">In a word.</param>
/// <param name="Holds">Whether it did.</param>
/// <param name="Finding">What was measured.</param>
public sealed record AuditCheck(string Name, bool Holds, string Finding);

/// <summary>A lower bound on ε by one way of attacking.</summary>
/// <param name="Name">The way.</param>
/// <param name="EpsilonLower">With the confidence asked for, ε is at least this.</param>
/// <param name="Guesses">How many canaries it guessed about.</param>
/// <param name="Right">How many rightly.</param>
/// <param name="Assumes">What it rests on beside the coins.</param>
public sealed record AuditBound(string Name, double EpsilonLower, int Guesses, int Right, string Assumes);

/// <summary>The claim, the bounds from below, and every check.</summary>
public sealed record AuditReport
{
    /// <summary>The answer.</summary>
    public required AuditVerdict Verdict { get; init; }

    /// <summary>Certified upper bound on ε of the audited training, computed anew from what it books.</summary>
    public required double EpsilonClaimed { get; init; }

    /// <summary>δ.</summary>
    public required double Delta { get; init; }

    /// <summary>Chance that a bound errs.</summary>
    public required double Error { get; init; }

    /// <summary>Canaries.</summary>
    public required int Canaries { get; init; }

    /// <summary>The bounds from below.</summary>
    public required IReadOnlyList<AuditBound> Bounds { get; init; }

    /// <summary>The checks.</summary>
    public required IReadOnlyList<AuditCheck> Checks { get; init; }

    /// <summary>The largest lower bound.</summary>
    public double EpsilonLower => Bounds.Count == 0 ? 0 : Bounds.Max(bound => bound.EpsilonLower);
}
