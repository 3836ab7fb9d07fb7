using System.Text.Json;

namespace Bulwark.Server;

/// <summary>What an accepted token says: an access token (RFC 9068), or a JWT-SVID.</summary>
public sealed record AccessToken
{
    /// <summary><c>sub</c>: who the client is.</summary>
    public required string Subject { get; init; }

    /// <summary><c>jti</c>: the token's own id; empty in a JWT-SVID without.</summary>
    public required string Id { get; init; }

    /// <summary><c>client_id</c>, when given.</summary>
    public string? ClientId { get; init; }

    /// <summary><c>scope</c>, split at spaces.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary><c>exp</c>: it is refused from then on.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>What it is bound to: <c>certificate</c> (RFC 8705), <c>key</c> (RFC 9449), <c>certificate+key</c>, or, a JWT-SVID, to the SPIFFE id of the certificate: <c>spiffe</c>.</summary>
    public string Binding { get; init; } = "certificate";

    /// <summary>Every claim.</summary>
    public required JsonElement Claims { get; init; }
}
