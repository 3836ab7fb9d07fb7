namespace Bulwark.Server;

/// <summary>What an access token must be.</summary>
public sealed record AccessTokenOptions
{
    /// <summary>The keys of the issuer; public ones.</summary>
    public required JsonWebKeySet Keys { get; init; }

    /// <summary>The only <c>iss</c> that is accepted, compared byte by byte.</summary>
    public required string Issuer { get; init; }

    /// <summary>The name that <c>aud</c> must hold.</summary>
    public required string Audience { get; init; }

    /// <summary>The <c>typ</c> that the header must carry, without <c>application/</c>.</summary>
    /// <value>Default: <c>at+jwt</c> (RFC 9068, section 2.1).</value>
    public string Type { get; init; } = "at+jwt";

    /// <summary>The algorithms that may sign.</summary>
    /// <value>Default: ES256, ES384, ES512, PS256, PS384, PS512.</value>
    public IReadOnlySet<string> Algorithms { get; init; } = new HashSet<string>(["ES256", "ES384", "ES512", "PS256", "PS384", "PS512"], StringComparer.Ordinal);

    /// <summary>How far the issuer's clock may be from ours.</summary>
    /// <value>Default: 30 seconds; at most 5 minutes.</value>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest life, from <c>iat</c> to <c>exp</c>.</summary>
    /// <value>Default: 24 hours.</value>
    public TimeSpan MaximumLifetime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrEmpty(Issuer))
            yield return $"{nameof(Issuer)} is empty.";
        if (string.IsNullOrEmpty(Audience))
            yield return $"{nameof(Audience)} is empty.";
        if (Algorithms.Count == 0)
            yield return $"{nameof(Algorithms)} is empty; no token could be accepted.";
        foreach (var name in Algorithms)
            if (JwsAlgorithm.Find(name) is not { KeyType: not "oct" })
                yield return $"{nameof(Algorithms)} holds {name}, which is no public-key signature.";
        if (Keys.Keys.Any(key => key.KeyType == "oct"))
            yield return $"{nameof(Keys)} holds a symmetric key; whoever checks tokens with it could also make them.";
        if (Keys.Keys.Any(key => key.Id is null))
            yield return $"{nameof(Keys)} holds a key without kid.";
        if (ClockSkew < TimeSpan.Zero || ClockSkew > TimeSpan.FromMinutes(5))
            yield return $"{nameof(ClockSkew)} is {ClockSkew}; 0 to 5 minutes are allowed.";
        if (MaximumLifetime <= TimeSpan.Zero)
            yield return $"{nameof(MaximumLifetime)} is {MaximumLifetime}; it must be above 0.";
    }
}
