using Bulwark.Cryptography;

namespace Bulwark.Server;

/// <summary>What becomes known of one request on its way, for the record. Never a feature, a score or a token.</summary>
internal sealed class GatewayDecision(string action, DateTimeOffset time)
{
    internal string Action => action;

    internal DateTimeOffset Time => time;

    /// <summary>A keyed digest of the client's certificate; null while the client is unknown.</summary>
    internal string? Client { get; set; }

    /// <summary>SHA-256 of the client's certificate; for what gateways share, never for the record.</summary>
    internal ReadOnlyMemory<byte> Thumbprint { get; set; }

    /// <summary>Who the token says the client is. For the private trail only.</summary>
    internal string? Subject { get; set; }

    /// <summary>The served model that was asked for; null when none is.</summary>
    internal string? Model { get; set; }

    /// <summary>What the policies were told of the request. For the private trail only.</summary>
    internal PolicyFacts? Facts { get; set; }

    /// <summary>The policies that decided.</summary>
    internal IReadOnlyList<string> Policies { get; set; } = [];

    /// <summary>The policy text that decided.</summary>
    internal Digest Policy { get; set; }

    internal string Outcome { get; set; } = "refused";

    internal string Reason { get; set; } = "";

    internal int Status { get; set; }
}
