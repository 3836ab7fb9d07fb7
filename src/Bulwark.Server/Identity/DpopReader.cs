using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Bulwark.Server;

/// <summary>Reads proofs of possession (RFC 9449, section 4.3): one key, one request, one token, once. Thread-safe.</summary>
internal sealed class DpopReader(TimeProvider time, bool requiresNonce, byte[]? nonceKey = null)
{
    private static readonly HashSet<string> Algorithms = new(["ES256", "ES384", "ES512", "PS256", "PS384", "PS512"], StringComparer.Ordinal);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(2);

    private readonly DpopReplays _replays = new(time, Life + Tolerance + Tolerance);

    /// <summary>The nonces that proofs must hold.</summary>
    internal DpopNonces Nonces { get; } = new(time, Life, nonceKey);

    /// <summary>Checks one proof; <paramref name="thumbprint"/> names the proved key (RFC 7638).</summary>
    /// <param name="proof">The header <c>DPoP</c>.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="uri">The request's URI without query and fragment.</param>
    /// <param name="token">The access token that the request brings.</param>
    /// <param name="thumbprint">The proved key, when the verdict is <see cref="TokenVerdict.Accepted"/>.</param>
    /// <param name="admits">Asked about the proved key before the proof is remembered: who has no token must not fill the memory of those who have.</param>
    internal TokenVerdict Read(string proof, string method, string uri, string token, out string? thumbprint, Func<string, TokenVerdict>? admits = null)
    {
        thumbprint = null;
        if (JwsReader.ReadOwnKey(proof, Algorithms, out var jws, out var key) != JwsVerdict.Valid || StrictJson.Text(jws!.Header, "typ") != "dpop+jwt")
            return TokenVerdict.BadProof;
        if (StrictJson.TryReadObject(jws.Payload, out var claims) != StrictJson.Fault.None)
            return TokenVerdict.BadProof;
        if (StrictJson.Text(claims, "htm") != method || StrictJson.Text(claims, "htu") is not { } aim || !IsSame(aim, uri))
            return TokenVerdict.BadProof;
        if (StrictJson.Text(claims, "ath") != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token))))
            return TokenVerdict.BadProof;
        if (StrictJson.Text(claims, "jti") is not { Length: > 0 and <= 256 } id || !IsFresh(claims))
            return TokenVerdict.BadProof;
        if (requiresNonce && !Nonces.IsCurrent(StrictJson.Text(claims, "nonce")))
            return TokenVerdict.NonceNeeded;
        var name = key!.Thumbprint();
        if (admits?.Invoke(name) is { } refused and not TokenVerdict.Accepted)
            return refused;
        if (!_replays.TryAdd(name, id))
            return TokenVerdict.ProofReplayed;
        thumbprint = name;
        return TokenVerdict.Accepted;
    }

    private bool IsFresh(JsonElement claims)
    {
        if (!claims.TryGetProperty("iat", out var number) || number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out var seconds) || seconds is < 0 or > 253_370_764_800)
            return false;
        var (now, issued) = (time.GetUtcNow(), DateTimeOffset.FromUnixTimeSeconds(seconds));
        return issued <= now + Tolerance && issued >= now - Life - Tolerance;
    }

    /// <summary>Compared as URIs are (RFC 3986, section 6.2.2 and 6.2.3): host and scheme without case, a default port left out. A query or fragment refuses.</summary>
    private static bool IsSame(string stated, string uri) =>
        !stated.AsSpan().ContainsAny('?', '#') && Uri.TryCreate(stated, UriKind.Absolute, out var left) && Uri.TryCreate(uri, UriKind.Absolute, out var right)
        && left.UserInfo.Length == 0 && left.Scheme == right.Scheme && string.Equals(left.Authority, right.Authority, StringComparison.OrdinalIgnoreCase)
        && left.AbsolutePath == right.AbsolutePath;
}

/// <summary>Nonces that a server hands out and knows again without remembering them: a time and its keyed digest.</summary>
internal sealed class DpopNonces(TimeProvider time, TimeSpan life, byte[]? key = null)
{
    private readonly byte[] _key = key ?? RandomNumberGenerator.GetBytes(32);

    /// <summary>A nonce for now.</summary>
    internal string Fresh() => Make(time.GetUtcNow().ToUnixTimeSeconds());

    internal bool IsCurrent(string? nonce)
    {
        if (nonce is null || !StrictBase64Url.TryDecode(nonce, out var bytes) || bytes.Length != 40)
            return false;
        var made = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(bytes);
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return made <= now && made > now - (long)life.TotalSeconds && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Make(made)), Encoding.ASCII.GetBytes(nonce));
    }

    private string Make(long seconds)
    {
        var bytes = new byte[40];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes, seconds);
        HMACSHA256.HashData(_key, bytes.AsSpan(0, 8), bytes.AsSpan(8));
        return Base64Url.EncodeToString(bytes);
    }
}

/// <summary>Proofs that were seen, for as long as they could be shown again. When it is full it refuses: forgetting would let a proof in twice.</summary>
internal sealed class DpopReplays(TimeProvider time, TimeSpan window)
{
    private const int Most = 1_000_000;
    private readonly Lock _lock = new();
    private readonly HashSet<UInt128> _seen = [];
    private readonly Queue<(UInt128 Proof, DateTimeOffset Until)> _order = new();

    internal bool TryAdd(string key, string id)
    {
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{key}\n{id}"), digest);
        var proof = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(digest);
        var now = time.GetUtcNow();
        lock (_lock)
        {
            while (_order.TryPeek(out var oldest) && oldest.Until <= now)
                _seen.Remove(_order.Dequeue().Proof);
            if (_seen.Count >= Most || !_seen.Add(proof))
                return false;
            _order.Enqueue((proof, now + window));
            return true;
        }
    }
}
