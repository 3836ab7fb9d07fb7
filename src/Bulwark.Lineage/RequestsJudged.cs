using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>One decision of a group; see <see cref="RequestsJudged"/>.</summary>
public sealed record JudgedRequest
{
    /// <summary>What was asked, for example <c>infer</c>.</summary>
    public required string Action { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>For example <c>scored</c>, <c>screened</c>, <c>refused</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>The client's pseudonym; null when nobody was recognised.</summary>
    public string? Client { get; init; }

    /// <summary>The model's name; null when none that is served was asked for.</summary>
    public string? Model { get; init; }

    /// <summary>The rules that decided.</summary>
    public required IReadOnlyList<string> Policies { get; init; }
}

/// <summary>Decisions of one gateway that were committed together, in their order; the subjects are the access policy and the served packages.</summary>
/// <remarks>Each group names the digest of the one before, so that a group that is missing is missed even by who sees these entries alone.</remarks>
public sealed record RequestsJudged : IPredicate<RequestsJudged>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.AccessBatch;

    /// <summary>This run of a gateway: 32 hexadecimal digits.</summary>
    public required string Gateway { get; init; }

    /// <summary>The number of the first decision within the run, from 0.</summary>
    public required long First { get; init; }

    /// <summary>Digest of the statement of the group before; null for the first.</summary>
    public Digest? Previous { get; init; }

    /// <summary>Digest of the access policy that decided all of them.</summary>
    public required Digest Policy { get; init; }

    /// <summary>Digest of the lines that the gateway wrote to its private trail for this group; null without one.</summary>
    public Digest? Trail { get; init; }

    /// <summary>The decisions; at least one.</summary>
    public required IReadOnlyList<JudgedRequest> Decisions { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Decisions.Count == 0 ? "A group holds one decision or more." : null,
        First < 0 ? $"'first' is {First}." : null,
        Decisions.All(one => one.Client is null || Pseudonym.Is(one.Client)) ? null : "A 'client' is no pseudonym.",
        Decisions.All(one => !string.IsNullOrWhiteSpace(one.Outcome)) ? null : "An 'outcome' is empty.");
}
