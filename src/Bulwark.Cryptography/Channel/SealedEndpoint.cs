using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The worker's side of sealed requests: opens each once, in its session, for its route. Thread-safe.</summary>
/// <remarks>Replays are refused as long as a session is accepted, and a session that is still accepted is never forgotten; a new key ends all of them.</remarks>
public sealed class SealedEndpoint : IDisposable
{
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    private readonly HpkeKeyPair _keys;
    private readonly byte[] _binding;
    private readonly byte[] _keyId;
    private readonly TimeProvider _time;
    private readonly int _mostSessions;
    private readonly ConcurrentDictionary<string, Session> _sessions = new(StringComparer.Ordinal);

    /// <param name="keys">The attested key; disposed with this.</param>
    /// <param name="binding">What the evidence bound beside it.</param>
    /// <param name="time">The worker's clock.</param>
    /// <param name="mostSessions">How many sessions may live at once.</param>
    public SealedEndpoint(HpkeKeyPair keys, ReadOnlySpan<byte> binding, TimeProvider time, int mostSessions = 16384)
    {
        ArgumentNullException.ThrowIfNull(keys);
        (_keys, _binding, _time, _mostSessions) = (keys, binding.ToArray(), time, mostSessions);
        _keyId = SealedMessage.KeyId(keys.PublicKey);
    }

    /// <summary>Opens a request.</summary>
    /// <param name="route">Where it arrived; it opens nowhere else.</param>
    /// <param name="message">What arrived.</param>
    /// <exception cref="SealedRequestException">Anything is wrong with it.</exception>
    public SealedArrival Open(SealedRoute route, ReadOnlySpan<byte> message)
    {
        ArgumentNullException.ThrowIfNull(route);
        if (message.Length < SealedMessage.RequestFront || !message.StartsWith(SealedMessage.RequestMagic))
            throw new SealedRequestException(SealedRefusal.Malformed, "This is no sealed request of this version.");
        if (!message.Slice(SealedMessage.KeyIdAt, SealedMessage.KeyIdSize).SequenceEqual(_keyId))
            throw new SealedRequestException(SealedRefusal.UnknownKey, "The request is sealed to another key; fetch the worker's evidence again.");
        var age = Age(message);
        if (age < -ClockSkew || age > SealedChannel.Lifetime + ClockSkew)
            throw new SealedRequestException(SealedRefusal.Expired, $"The request's session is {age.TotalSeconds:F0} s old; open a new one.");

        var enc = message.Slice(SealedMessage.EncAt, SealedMessage.EncSize).ToArray();
        var id = Convert.ToHexString(message[SealedMessage.OpenedAt..SealedMessage.SequenceAt]) + Convert.ToHexString(SealedMessage.SessionOf(enc));
        var isKnown = _sessions.TryGetValue(id, out var session);
        session ??= Begin(message, enc);
        var sequence = BinaryPrimitives.ReadUInt64BigEndian(message[SealedMessage.SequenceAt..]);
        var context = route.Context(SealedMessage.SessionOf(enc), sequence);
        byte[] body;
        try
        {
            var (key, nonce) = SealedMessage.RequestKeys(session.Context, sequence);
            body = SealedMessage.Open(message[SealedMessage.RequestFront..], key, nonce, context);
        }
        catch
        {
            if (!isKnown)
                session.Context.Dispose();
            throw;
        }

        if (!isKnown)
            session = Keep(id, session);
        if (!session.Window.Take(sequence))
            throw new SealedRequestException(SealedRefusal.Replayed, "This request was opened before.");
        return new(session.Context, sequence, enc, SealedMessage.ResponseContext(context, message), body);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var session in _sessions.Values)
            session.Context.Dispose();
        _sessions.Clear();
        _keys.Dispose();
    }

    private TimeSpan Age(ReadOnlySpan<byte> message)
    {
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(message[SealedMessage.OpenedAt..]);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return milliseconds < 0 || milliseconds > now + 86_400_000 ? TimeSpan.MinValue : TimeSpan.FromMilliseconds(now - milliseconds);
    }

    private Session Begin(ReadOnlySpan<byte> message, byte[] enc)
    {
        if (_sessions.Count >= _mostSessions)
            Forget();
        if (_sessions.Count >= _mostSessions)
            throw new SealedRequestException(SealedRefusal.Busy, "The worker has no room for another session; try again in a few minutes.");
        try
        {
            return new(HpkeContext.Receiver(SealedMessage.Aead, _keys, enc, SealedMessage.Info(message, _binding)), new(), DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(message[SealedMessage.OpenedAt..])));
        }
        catch (Exception failure) when (failure is ArgumentException or CryptographicException)
        {
            throw new SealedRequestException(SealedRefusal.Tampered, "The request's encapsulated key is none.");
        }
    }

    /// <summary>A session counts from its first sound request on; two first requests at once agree on one.</summary>
    private Session Keep(string id, Session session)
    {
        var kept = _sessions.GetOrAdd(id, session);
        if (!ReferenceEquals(kept, session))
            session.Context.Dispose();
        return kept;
    }

    /// <summary>Sessions that no request is accepted of any more.</summary>
    private void Forget()
    {
        var oldest = _time.GetUtcNow() - SealedChannel.Lifetime - ClockSkew - ClockSkew;
        foreach (var (id, session) in _sessions)
            if (session.Opened < oldest && _sessions.TryRemove(id, out var gone))
                gone.Context.Dispose();
    }

    private sealed record Session(HpkeContext Context, ReplayWindow Window, DateTimeOffset Opened);
}

/// <summary>A request that was opened, and what seals its response.</summary>
public sealed class SealedArrival
{
    private readonly HpkeContext _session;
    private readonly ulong _sequence;
    private readonly byte[] _enc;
    private readonly byte[] _context;

    internal SealedArrival(HpkeContext session, ulong sequence, byte[] enc, byte[] context, byte[] body)
    {
        (_session, _sequence, _enc, _context) = (session, sequence, enc, context);
        Body = body;
    }

    /// <summary>The request's body.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>Seals the response: it opens for this request only.</summary>
    public byte[] Seal(ReadOnlySpan<byte> response)
    {
        var responseNonce = RandomNumberGenerator.GetBytes(SealedMessage.ResponseNonceSize);
        var (key, nonce) = SealedMessage.ResponseKeys(_session, _sequence, _enc, responseNonce);
        return SealedMessage.Seal([.. SealedMessage.ResponseMagic, .. responseNonce], key, nonce, _context, response);
    }
}
