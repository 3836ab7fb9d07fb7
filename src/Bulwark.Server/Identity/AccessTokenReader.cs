using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>Reads access tokens (RFC 9068) that are bound to the client's certificate (RFC 8705, section 3). Immutable and thread-safe.</summary>
public sealed class AccessTokenReader
{
    private const string Thumbprint = "x5t#S256";
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
    public TokenVerdict Read(string? compact, ReadOnlySpan<byte> certificate, out AccessToken? token)
    {
        token = null;
        if (string.IsNullOrEmpty(compact))
            return TokenVerdict.Missing;
        var signed = JwsReader.Read(compact, _options.Keys, _options.Algorithms, out var jws);
        if (signed != JwsVerdict.Valid)
            return Translate(signed);
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
            verdict = CheckBinding(claims, certificate);
        if (verdict != TokenVerdict.Accepted)
            token = null;
        return verdict;
    }

    private static TokenVerdict Translate(JwsVerdict verdict) => verdict switch
    {
        JwsVerdict.DuplicateMember => TokenVerdict.DuplicateMember,
        JwsVerdict.UnsupportedHeader => TokenVerdict.UnsupportedHeader,
        JwsVerdict.EmbeddedKey => TokenVerdict.EmbeddedKey,
        JwsVerdict.AlgorithmNotAllowed => TokenVerdict.AlgorithmNotAllowed,
        JwsVerdict.UnknownKey => TokenVerdict.UnknownKey,
        JwsVerdict.AlgorithmOfAnotherKey => TokenVerdict.AlgorithmOfAnotherKey,
        JwsVerdict.BadSignature => TokenVerdict.BadSignature,
        JwsVerdict.Malformed => TokenVerdict.Malformed,
        _ => TokenVerdict.Unverified,
    };

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
        var audience = claims.GetProperty("aud");
        IEnumerable<JsonElement> audiences = audience.ValueKind == JsonValueKind.Array ? audience.EnumerateArray() : [audience];
        if (audiences.Any(one => one.ValueKind != JsonValueKind.String))
            return TokenVerdict.Malformed;
        return audiences.Any(one => one.ValueEquals(_options.Audience)) ? TokenVerdict.Accepted : TokenVerdict.WrongAudience;
    }

    private TokenVerdict CheckTimes(JsonElement claims, out AccessToken? token)
    {
        token = null;
        if (!TryTime(claims, "exp", out var expires) || !TryTime(claims, "iat", out var issued))
            return TokenVerdict.Malformed;
        var begins = issued;
        if (claims.TryGetProperty("nbf", out _) && !TryTime(claims, "nbf", out begins))
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
            Claims = claims,
        };
        return TokenVerdict.Accepted;
    }

    /// <summary>A NumericDate in whole seconds, from 1970 to the beginning of 9999.</summary>
    private static bool TryTime(JsonElement claims, string name, out DateTimeOffset time)
    {
        time = default;
        if (!claims.TryGetProperty(name, out var number) || number.ValueKind != JsonValueKind.Number
            || !number.TryGetInt64(out var seconds) || seconds < 0 || seconds > 253_370_764_800)
            return false;
        time = DateTimeOffset.FromUnixTimeSeconds(seconds);
        return true;
    }

    private static TokenVerdict CheckBinding(JsonElement claims, ReadOnlySpan<byte> certificate)
    {
        if (!claims.TryGetProperty("cnf", out var confirmation))
            return TokenVerdict.NotBound;
        if (confirmation.ValueKind != JsonValueKind.Object)
            return TokenVerdict.Malformed;
        if (confirmation.GetPropertyCount() != 1 || StrictJson.Text(confirmation, Thumbprint) is not { } text)
            return confirmation.GetPropertyCount() == 0 ? TokenVerdict.NotBound : TokenVerdict.UnsupportedBinding;
        if (!StrictBase64Url.TryDecode(text, out var expected) || expected.Length != SHA256.HashSizeInBytes)
            return TokenVerdict.Malformed;
        return !certificate.IsEmpty && CryptographicOperations.FixedTimeEquals(SHA256.HashData(certificate), expected)
            ? TokenVerdict.Accepted : TokenVerdict.BoundToAnotherCertificate;
    }
}
