using System.Buffers.Binary;

namespace Bulwark.Cryptography;

/// <summary>A client's session with one attested key: requests that only the holder of that key reads, and responses that only their sender reads. Thread-safe.</summary>
/// <remarks>HPKE (RFC 9180) once a session; each request has its number, its key and chunks framed as chunked Oblivious HTTP frames them. Specification: docs/formats/sealed-request.md.</remarks>
public sealed class SealedChannel : IDisposable
{
    /// <summary>The media type of sealed requests and responses.</summary>
    public const string MediaType = "application/vnd.bulwark.sealed";

    /// <summary>How long a session is accepted after it was opened.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly HpkeContext _session;
    private readonly byte[] _front;
    private long _next = -1;

    private SealedChannel(HpkeContext session, byte[] front, DateTimeOffset opened) => (_session, _front, Opened) = (session, front, opened);

    /// <summary>When the session was opened, by this client's clock.</summary>
    public DateTimeOffset Opened { get; }

    /// <summary>Opens a session; sends nothing.</summary>
    /// <param name="workerKey">The attested HPKE key: an uncompressed P-256 point, 65 bytes.</param>
    /// <param name="binding">What the evidence bound beside it; both sides must have the same.</param>
    /// <param name="now">The client's time.</param>
    /// <exception cref="ArgumentException"><paramref name="workerKey"/> is no point on the curve.</exception>
    public static SealedChannel Open(ReadOnlySpan<byte> workerKey, ReadOnlySpan<byte> binding, DateTimeOffset now)
    {
        using var ephemeral = HpkeKeyPair.Generate();
        var front = new byte[SealedMessage.RequestFront];
        SealedMessage.RequestMagic.CopyTo(front);
        SealedMessage.KeyId(workerKey).CopyTo(front, SealedMessage.KeyIdAt);
        BinaryPrimitives.WriteInt64BigEndian(front.AsSpan(SealedMessage.OpenedAt), now.ToUnixTimeMilliseconds());
        ephemeral.PublicKey.CopyTo(front.AsSpan(SealedMessage.EncAt));
        return new(HpkeContext.Sender(SealedMessage.Aead, ephemeral, workerKey, SealedMessage.Info(front, binding)), front, now);
    }

    /// <summary>Seals the session's next request.</summary>
    /// <param name="route">Where it goes.</param>
    /// <param name="body">Its body; empty for none, which is sealed as well.</param>
    public SealedCall Seal(SealedRoute route, ReadOnlySpan<byte> body)
    {
        ArgumentNullException.ThrowIfNull(route);
        var sequence = (ulong)Interlocked.Increment(ref _next);
        var front = (byte[])_front.Clone();
        BinaryPrimitives.WriteUInt64BigEndian(front.AsSpan(SealedMessage.SequenceAt), sequence);
        var context = route.Context(SealedMessage.SessionOf(front.AsSpan(SealedMessage.EncAt)), sequence);
        var (key, nonce) = SealedMessage.RequestKeys(_session, sequence);
        return new(_session, sequence, context, SealedMessage.Seal(front, key, nonce, context, body));
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}

/// <summary>One sealed request, and what opens its response.</summary>
public sealed class SealedCall
{
    private readonly HpkeContext _session;
    private readonly ulong _sequence;
    private readonly byte[] _context;
    private readonly byte[] _message;

    internal SealedCall(HpkeContext session, ulong sequence, byte[] context, byte[] message) => (_session, _sequence, _context, _message) = (session, sequence, context, message);

    /// <summary>The bytes to send.</summary>
    public ReadOnlyMemory<byte> Message => _message;

    /// <summary>Opens the response to exactly this request.</summary>
    /// <exception cref="SealedRequestException">It was changed or cut, or answers another request.</exception>
    public byte[] Open(ReadOnlySpan<byte> response)
    {
        if (response.Length < SealedMessage.ResponseFront || !response.StartsWith(SealedMessage.ResponseMagic))
            throw new SealedRequestException(SealedRefusal.Malformed, "The answer is not sealed: whoever gave it is not the attested worker.");
        var enc = _message.AsSpan(SealedMessage.EncAt, SealedMessage.EncSize);
        var (key, nonce) = SealedMessage.ResponseKeys(_session, _sequence, enc, response[SealedMessage.ResponseMagic.Length..SealedMessage.ResponseFront]);
        return SealedMessage.Open(response[SealedMessage.ResponseFront..], key, nonce, SealedMessage.ResponseContext(_context, _message));
    }
}
