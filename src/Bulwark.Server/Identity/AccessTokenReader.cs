using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>Reads access tokens (RFC 9068) that are bound to the client's certificate (RFC 8705, section 3) or to a key that it proves (RFC 9449, section 6). Immutable and thread-safe.</summary>
public sealed class AccessTokenReader
{
    private const string Thumbprint = "x5t#S256";
    private const string KeyThumbprint = "jkt";
    private readonly AccessTokenOptions _options;
    private readonly TimeProvider _time;

    /// <exception cref="ArgumentException">The options have faults; the message lists them all.</exception>
    public AccessTokenReader(AccessTokenOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var faults = options.Faults().ToArray();
        if (faults.Length > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        _options = options;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Checks one token against the certificate of the connection that it came over.</summary>
    /// <param name="compact">The token, without the word Bearer; null when the request had none.</param>
    /// <param name="certificate">The DER bytes of the client certificate of this TLS connection.</param>
    /// <param name="token">What the token says, when the verdict is <see cref="TokenVerdict.Accepted"/>.</param>
    public TokenVerdict Read(string? compact, ReadOnlySpan<byte> certificate, out AccessToken? token) => Read(compact, certificate, provedKey: null, out token);

    /// <summary>Checks one token against the certificate of the connection, and against the key that a DPoP proof of the same request proved.</summary>
    /// <param name="compact">The token, without its scheme; null when the request had none.</param>
    /// <param name="certificate">The DER bytes of the client certificate of this TLS connection.</param>
    /// <param name="provedKey">RFC 7638 thumbprint of the proved key; null when the request came with no proof.</param>
    /// <param name="token">What the token says, when the verdict is <see cref="TokenVerdict.Accepted"/>.</param>
    public TokenVerdict Read(string? compact, ReadOnlySpan<byte> certificate, string? provedKey, out AccessToken? token)
    {
        token = null;
        if (string.IsNullOrEmpty(compact))
            return TokenVerdict.Missing;
        var signed = JwsReader.Read(compact, _options.Keys, _options.Algorithms, out var jws);
        if (signed != JwsVerdict.Valid)
            return TokenClaims.Of(signed);
        if (StrictJson.Text(jws!.Header, "kid") is null)
            return TokenVerdict.UnknownKey;
        if (!IsType(StrictJson.Text(jws.Header, "typ")))
            return TokenVerdict.WrongType;
        var fault = StrictJson.TryReadObject(jws.Payload, out var claims);
        if (fault != StrictJson.Fault.None)
            return fault == StrictJson.Fault.DuplicateMember ? TokenVerdict.DuplicateMember : TokenVerdict.Malformed;
        var verdict = CheckNames(claims);
        if (verdict == TokenVerdict.Accepted)
            verdict = CheckTimes(claims, out token);
        if (verdict == TokenVerdict.Accepted)
            verdict = CheckBinding(claims, certificate, provedKey);
        if (verdict != TokenVerdict.Accepted)
            token = null;
        return verdict;
    }

    private bool IsType(string? type) =>
        type is not null && (type.StartsWith("application/", StringComparison.OrdinalIgnoreCase) ? type["application/".Length..] : type)
            .Equals(_options.Type, StringComparison.OrdinalIgnoreCase);

    private TokenVerdict CheckNames(JsonElement claims)
    {
        foreach (var name in (string[])["iss", "sub", "aud", "exp", "iat", "jti"])
            if (!claims.TryGetProperty(name, out _))
                return TokenVerdict.MissingClaim;
        foreach (var name in (string[])["iss", "sub", "jti"])
            if (StrictJson.Text(claims, name) is not { Length: > 0 })
                return TokenVerdict.Malformed;
        if (StrictJson.Text(claims, "iss") != _options.Issuer)
            return TokenVerdict.WrongIssuer;
        return TokenClaims.CheckAudience(claims, _options.Audience);
    }

    private TokenVerdict CheckTimes(JsonElement claims, out AccessToken? token)
    {
        token = null;
        if (!TokenClaims.TryTime(claims, "exp", out var expires) || !TokenClaims.TryTime(claims, "iat", out var issued))
            return TokenVerdict.Malformed;
        var begins = issued;
        if (claims.TryGetProperty("nbf", out _) && !TokenClaims.TryTime(claims, "nbf", out begins))
            return TokenVerdict.Malformed;
        foreach (var name in (string[])["scope", "client_id"])
            if (claims.TryGetProperty(name, out var text) && text.ValueKind != JsonValueKind.String)
                return TokenVerdict.Malformed;
        var now = _time.GetUtcNow();
        if (now >= expires + _options.ClockSkew)
            return TokenVerdict.Expired;
        if (issued > now + _options.ClockSkew)
            return TokenVerdict.IssuedInFuture;
        if (begins > now + _options.ClockSkew)
            return TokenVerdict.NotYetValid;
        if (expires - issued > _options.MaximumLifetime)
            return TokenVerdict.LifetimeTooLong;
        token = new()
        {
            Subject = StrictJson.Text(claims, "sub")!,
            Id = StrictJson.Text(claims, "jti")!,
            ClientId = StrictJson.Text(claims, "client_id"),
            Scopes = (StrictJson.Text(claims, "scope") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Expires = expires,
            Binding = BindingOf(claims),
            Claims = claims,
        };
        return TokenVerdict.Accepted;
    }

    /// <summary>Every member of <c>cnf</c> is a promise that must hold; one that is not known here cannot be checked, so it refuses.</summary>
    private static TokenVerdict CheckBinding(JsonElement claims, ReadOnlySpan<byte> certificate, string? provedKey)
    {
        if (!claims.TryGetProperty("cnf", out var confirmation))
            return TokenVerdict.NotBound;
        if (confirmation.ValueKind != JsonValueKind.Object)
            return TokenVerdict.Malformed;
        if (confirmation.GetPropertyCount() == 0)
            return TokenVerdict.NotBound;
        var verdict = TokenVerdict.Accepted;
        foreach (var member in confirmation.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.String || member.Name is not (Thumbprint or KeyThumbprint))
                return TokenVerdict.UnsupportedBinding;
            if (!StrictBase64Url.TryDecode(member.Value.GetString(), out var expected) || expected.Length != SHA256.HashSizeInBytes)
                return TokenVerdict.Malformed;
            if (verdict == TokenVerdict.Accepted)
                verdict = member.Name == Thumbprint ? CheckCertificate(expected, certificate) : CheckKey(member.Value.GetString()!, provedKey);
        }

        // A proof with a token that is bound to no key is a downgrade or a mistake (RFC 9449, section 7.1)
        return verdict == TokenVerdict.Accepted && provedKey is not null && !confirmation.TryGetProperty(KeyThumbprint, out _) ? TokenVerdict.BoundToAnotherKey : verdict;
    }

    private static string BindingOf(JsonElement claims) =>
        !claims.TryGetProperty("cnf", out var cnf) || cnf.ValueKind != JsonValueKind.Object || !cnf.TryGetProperty(KeyThumbprint, out _) ? "certificate"
        : cnf.TryGetProperty(Thumbprint, out _) ? "certificate+key" : "key";

    private static TokenVerdict CheckCertificate(byte[] expected, ReadOnlySpan<byte> certificate) =>
        !certificate.IsEmpty && CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate), expected) ? TokenVerdict.Accepted : TokenVerdict.BoundToAnotherCertificate;

    private static TokenVerdict CheckKey(string expected, string? provedKey) =>
        provedKey is null ? TokenVerdict.ProofMissing : provedKey == expected ? TokenVerdict.Accepted : TokenVerdict.BoundToAnotherKey;
}
