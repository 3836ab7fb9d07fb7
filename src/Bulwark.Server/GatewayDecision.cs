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
