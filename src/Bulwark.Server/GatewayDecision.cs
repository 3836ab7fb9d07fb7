namespace Bulwark.Server;

/// <summary>What becomes known of one request on its way, for the record. Never a feature, a score or a name of a client.</summary>
internal sealed class GatewayDecision(string action, DateTimeOffset time)
{
    internal string Action => action;

    internal DateTimeOffset Time => time;

    /// <summary>A keyed digest of the client's certificate; null while the client is unknown.</summary>
    internal string? Client { get; set; }

    /// <summary>The policies that decided.</summary>
    internal IReadOnlyList<string> Policies { get; set; } = [];
}

/// <summary>The record of one request in the transparency log, predicate <c>https://bulwark.dev/access/v1</c>.</summary>
internal sealed record AccessRecord
{
    internal const string PredicateType = "https://bulwark.dev/access/v1";

    public required string Action { get; init; }
    public required DateTimeOffset Time { get; init; }
    public required string Outcome { get; init; }
    public required string Reason { get; init; }
    public required int Status { get; init; }
    public string? Client { get; init; }
    public required string Policy { get; init; }
    public required IReadOnlyList<string> Policies { get; init; }
}
