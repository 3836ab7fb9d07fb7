using System.Text;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>What checking a JSON Web Signature came to. Everything but <see cref="Valid"/> refuses.</summary>
public enum JwsVerdict
{
    /// <summary>Nothing was checked.</summary>
    Unverified = 0,

    /// <summary>Signed by a key of the set.</summary>
    Valid,

    /// <summary>No compact serialization: three base64url parts, a JSON header.</summary>
    Malformed,

    /// <summary>A member of the header stands twice.</summary>
    DuplicateMember,

    /// <summary>The header asks for processing that this reader does not do (<c>crit</c>, <c>b64</c>).</summary>
    UnsupportedHeader,

    /// <summary>The header brings its own key (<c>jwk</c>, <c>jku</c>, <c>x5u</c>, <c>x5c</c>).</summary>
    EmbeddedKey,

    /// <summary>The algorithm is <c>none</c>, unknown, or not on the allow list.</summary>
    AlgorithmNotAllowed,

    /// <summary>No key of the set is the one that the header names.</summary>
    UnknownKey,

    /// <summary>The key is for another algorithm.</summary>
    AlgorithmOfAnotherKey,

    /// <summary>The signature is wrong.</summary>
    BadSignature,
}

/// <summary>A checked JSON Web Signature.</summary>
/// <param name="Header">The protected header.</param>
/// <param name="Payload">The signed bytes.</param>
public sealed record Jws(JsonElement Header, ReadOnlyMemory<byte> Payload);

/// <summary>Reads JSON Web Signatures in compact form (RFC 7515) as strictly as RFC 8725 asks: nothing optional is tolerated.</summary>
public static class JwsReader
{
    internal const int MaximumLength = 16 * 1024;
    private static readonly string[] Unsupported = ["crit", "b64", "enc", "zip"];
    private static readonly string[] KeyBringers = ["jwk", "jku", "x5u", "x5c"];

    /// <summary>Checks a signature.</summary>
    /// <param name="compact">The token, at most 16 KiB.</param>
    /// <param name="keys">The keys that may have signed it.</param>
    /// <param name="allowed">The algorithms that may be used; every known one when null. A key that names its <c>alg</c> is used with that one only.</param>
    /// <param name="jws">The content, when the verdict is <see cref="JwsVerdict.Valid"/>.</param>
    public static JwsVerdict Read(string compact, JsonWebKeySet keys, IReadOnlySet<string>? allowed, out Jws? jws)
    {
        ArgumentNullException.ThrowIfNull(compact);
        ArgumentNullException.ThrowIfNull(keys);
        jws = null;
        if (!TrySplit(compact, out var headerBytes, out var payload, out var signature))
            return JwsVerdict.Malformed;
        var fault = StrictJson.TryReadObject(headerBytes, out var header);
        if (fault != StrictJson.Fault.None)
            return fault == StrictJson.Fault.DuplicateMember ? JwsVerdict.DuplicateMember : JwsVerdict.Malformed;
        if (Unsupported.Any(name => header.TryGetProperty(name, out _)))
            return JwsVerdict.UnsupportedHeader;
        if (KeyBringers.Any(name => header.TryGetProperty(name, out _)))
            return JwsVerdict.EmbeddedKey;
        if (header.TryGetProperty("kid", out var kid) && kid.ValueKind != JsonValueKind.String)
            return JwsVerdict.Malformed;
        if (JwsAlgorithm.Find(StrictJson.Text(header, "alg")) is not { } algorithm || (allowed is not null && !allowed.Contains(algorithm.Name)))
            return JwsVerdict.AlgorithmNotAllowed;
        if (keys.Find(StrictJson.Text(header, "kid")) is not { } key)
            return JwsVerdict.UnknownKey;
        if (!key.Fits(algorithm))
            return JwsVerdict.AlgorithmOfAnotherKey;
        if (!key.Verify(algorithm, Encoding.ASCII.GetBytes(compact[..compact.LastIndexOf('.')]), signature))
            return JwsVerdict.BadSignature;
        jws = new(header, payload);
        return JwsVerdict.Valid;
    }

    /// <summary>Checks a signature by the key that the header itself brings (RFC 9449, section 4.2). It proves possession, and trust in nobody.</summary>
    /// <param name="compact">The token, at most 16 KiB.</param>
    /// <param name="allowed">The algorithms that may be used.</param>
    /// <param name="jws">The content, when the verdict is <see cref="JwsVerdict.Valid"/>.</param>
    /// <param name="key">The key, when the verdict is <see cref="JwsVerdict.Valid"/>.</param>
    internal static JwsVerdict ReadOwnKey(string compact, IReadOnlySet<string> allowed, out Jws? jws, out JsonWebKey? key)
    {
        (jws, key) = (null, null);
        if (!TrySplit(compact, out var headerBytes, out var payload, out var signature))
            return JwsVerdict.Malformed;
        var fault = StrictJson.TryReadObject(headerBytes, out var header);
        if (fault != StrictJson.Fault.None)
            return fault == StrictJson.Fault.DuplicateMember ? JwsVerdict.DuplicateMember : JwsVerdict.Malformed;
        if (Unsupported.Any(name => header.TryGetProperty(name, out _)))
            return JwsVerdict.UnsupportedHeader;
        if (KeyBringers.Any(name => name != "jwk" && header.TryGetProperty(name, out _)))
            return JwsVerdict.EmbeddedKey;
        if (JwsAlgorithm.Find(StrictJson.Text(header, "alg")) is not { KeyType: not "oct" } algorithm || !allowed.Contains(algorithm.Name))
            return JwsVerdict.AlgorithmNotAllowed;
        try
        {
            key = header.TryGetProperty("jwk", out var own) ? JsonWebKey.Read(own) : null;
        }
        catch (FormatException)
        {
            return JwsVerdict.UnknownKey;
        }

        if (key is null || key.KeyType == "oct")
            return JwsVerdict.UnknownKey;
        if (!key.Fits(algorithm))
            return JwsVerdict.AlgorithmOfAnotherKey;
        if (!key.Verify(algorithm, Encoding.ASCII.GetBytes(compact[..compact.LastIndexOf('.')]), signature))
            return JwsVerdict.BadSignature;
        jws = new(header, payload);
        return JwsVerdict.Valid;
    }

    /// <summary>The <c>kid</c> of an encoded header that nobody has checked yet; null when it names none or cannot be read.</summary>
    internal static string? KeyIdOf(ReadOnlySpan<char> header) =>
        header.Length <= MaximumLength && StrictBase64Url.TryDecode(header.ToString(), out var bytes) && StrictJson.TryReadObject(bytes, out var json) == StrictJson.Fault.None
            ? StrictJson.Text(json, "kid") : null;

    private static bool TrySplit(string compact, out byte[] header, out byte[] payload, out byte[] signature)
    {
        header = payload = signature = [];
        if (compact.Length > MaximumLength)
            return false;
        var parts = compact.Split('.');
        return parts.Length == 3
            && StrictBase64Url.TryDecode(parts[0], out header)
            && StrictBase64Url.TryDecode(parts[1], out payload)
            && StrictBase64Url.TryDecode(parts[2], out signature);
    }
}
