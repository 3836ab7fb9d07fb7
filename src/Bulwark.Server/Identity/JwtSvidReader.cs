using System.Text.Json;

namespace Bulwark.Server;

/// <summary>Reads JWT-SVIDs: tokens that a SPIFFE trust domain issues to its workloads. Immutable and thread-safe.</summary>
/// <remarks>
/// Source: SPIFFE JWT-SVID, sections 2 to 4; its keys are those of the trust bundle whose use is <c>jwt-svid</c>. Such a token is bound to nobody by itself. Here it
/// counts only over a connection whose certificate is an X.509-SVID of the same id, so that a stolen one is of no use to another workload.
/// </remarks>
internal sealed class JwtSvidReader(JwtSvidOptions options, TimeProvider time)
{
    /// <summary>What such a token is bound to, for policies.</summary>
    internal const string Binding = "spiffe";

    private static readonly HashSet<string> s_algorithms = new(["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"], StringComparer.Ordinal);

    /// <summary>Whether an encoded header is that of a JWT-SVID rather than of an access token, which says <c>at+jwt</c>. Nothing is checked yet.</summary>
    internal static bool IsHeader(ReadOnlySpan<char> header) =>
        header.Length <= JwsReader.MaximumLength && StrictBase64Url.TryDecode(header.ToString(), out var bytes) && StrictJson.TryReadObject(bytes, out var json) == StrictJson.Fault.None && IsType(json);

    /// <summary>Checks one token against the SPIFFE id of the connection's certificate.</summary>
    /// <param name="compact">The token.</param>
    /// <param name="spiffeId">The id of the client certificate of this connection, judged by the profile of X.509-SVIDs; null when it has none.</param>
    /// <param name="token">What the token says, when the verdict is <see cref="TokenVerdict.Accepted"/>.</param>
    internal TokenVerdict Read(string compact, string? spiffeId, out AccessToken? token)
    {
        token = null;
        var signed = JwsReader.Read(compact, options.Keys, s_algorithms, out var jws);
        if (signed != JwsVerdict.Valid)
            return TokenClaims.Of(signed);
        if (jws!.Header.EnumerateObject().Any(member => member.Name is not ("alg" or "kid" or "typ")))
            return TokenVerdict.UnsupportedHeader;
        if (!IsType(jws.Header))
            return TokenVerdict.WrongType;
        var fault = StrictJson.TryReadObject(jws.Payload, out var claims);
        if (fault != StrictJson.Fault.None)
            return fault == StrictJson.Fault.DuplicateMember ? TokenVerdict.DuplicateMember : TokenVerdict.Malformed;
        var verdict = CheckNames(claims, spiffeId);
        if (verdict == TokenVerdict.Accepted)
            verdict = CheckTimes(claims, out token);
        return verdict;
    }

    private static bool IsType(JsonElement header) => !header.TryGetProperty("typ", out _) || StrictJson.Text(header, "typ") is "JWT" or "JOSE";

    private TokenVerdict CheckNames(JsonElement claims, string? spiffeId)
    {
        if (!claims.TryGetProperty("sub", out _) || !claims.TryGetProperty("exp", out _))
            return TokenVerdict.MissingClaim;
        foreach (var name in (string[])["sub", "iss", "jti"])
            if (claims.TryGetProperty(name, out var text) && text.ValueKind != JsonValueKind.String)
                return TokenVerdict.Malformed;
        if (TokenClaims.CheckAudience(claims, options.Audience) is var audience and not TokenVerdict.Accepted)
            return audience;
        var subject = StrictJson.Text(claims, "sub")!;
        if (SpiffeId.Fault(subject) is not null || SpiffeId.TrustDomainOf(subject) != options.TrustDomain)
            return TokenVerdict.WrongSubject;
        return subject == spiffeId ? TokenVerdict.Accepted : TokenVerdict.BoundToAnotherCertificate;
    }

    private TokenVerdict CheckTimes(JsonElement claims, out AccessToken? token)
    {
        token = null;
        var now = time.GetUtcNow();
        var (issued, begins) = (now, now);
        if (!TokenClaims.TryTime(claims, "exp", out var expires)
            || (claims.TryGetProperty("iat", out _) && !TokenClaims.TryTime(claims, "iat", out issued))
            || (claims.TryGetProperty("nbf", out _) && !TokenClaims.TryTime(claims, "nbf", out begins)))
            return TokenVerdict.Malformed;
        if (now >= expires + options.ClockSkew)
            return TokenVerdict.Expired;
        if (issued > now + options.ClockSkew)
            return TokenVerdict.IssuedInFuture;
        if (begins > now + options.ClockSkew)
            return TokenVerdict.NotYetValid;
        if (expires - issued > options.MaximumLifetime)
            return TokenVerdict.LifetimeTooLong;
        token = new()
        {
            Subject = StrictJson.Text(claims, "sub")!,
            Id = StrictJson.Text(claims, "jti") ?? "",
            Scopes = [],
            Expires = expires,
            Binding = Binding,
            Claims = claims,
        };
        return TokenVerdict.Accepted;
    }
}

/// <summary>What a JWT-SVID must be.</summary>
/// <param name="Keys">Keys of the trust bundle whose use is <c>jwt-svid</c>.</param>
/// <param name="TrustDomain">The trust domain of its subject.</param>
/// <param name="Audience">The name that <c>aud</c> must hold.</param>
/// <param name="ClockSkew">How far the issuer's clock may be from ours.</param>
/// <param name="MaximumLifetime">The longest life, from <c>iat</c> to <c>exp</c>; without <c>iat</c>, from now.</param>
internal sealed record JwtSvidOptions(JsonWebKeySet Keys, string TrustDomain, string Audience, TimeSpan ClockSkew, TimeSpan MaximumLifetime);
