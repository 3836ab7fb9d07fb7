using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Other people's protocols for sealed requests, which a worker answers too.</summary>
public enum ObliviousProtocol
{
    /// <summary>None: Bulwark's own sealed requests.</summary>
    None = 0,
    /// <summary>The encrypted-HTTP-body protocol: the body alone is sealed, and its end is not.</summary>
    Ehbp,
    /// <summary>Oblivious HTTP (RFC 9458).</summary>
    ObliviousHttp,
    /// <summary>Oblivious HTTP in chunks (draft-ietf-ohai-chunked-ohttp).</summary>
    ChunkedObliviousHttp,
}

/// <summary>The worker's side of <see cref="ObliviousProtocol"/>: one X25519 key for the worker's life, each request opened once. Thread-safe.</summary>
/// <remarks>
/// These protocols have no session and no time in them, so every encapsulated key is remembered (RFC 9458 §6.5.1), up to <see cref="MostRequests"/>: then the worker
/// answers only its own protocol until it is started anew.
/// </remarks>
public sealed class ObliviousEndpoint : IDisposable
{
    /// <summary>Requests that one key answers.</summary>
    public const int MostRequests = 1 << 20;

    private readonly X25519KeyPair _keys = X25519KeyPair.Generate();
    private readonly ObliviousKeyConfig _config;
    private readonly HashSet<UInt128> _seen = [];
    private readonly Lock _lock = new();

    /// <summary>Makes a key.</summary>
    public ObliviousEndpoint()
    {
        _config = new(1, 0x0020, _keys.PublicKey.Bytes.ToArray(), [(HpkeKdf.Id, HpkeAead.Aes256Gcm), (HpkeKdf.Id, HpkeAead.Aes128Gcm), (HpkeKdf.Id, HpkeAead.ChaCha20)]);
        var config = _config.ToBytes();
        KeyList = [(byte)(config.Length >> 8), (byte)config.Length, .. config];
    }

    /// <summary>The key's configuration, as <c>application/ohttp-keys</c> (RFC 9458 §3.2).</summary>
    public byte[] KeyList { get; }

    /// <summary>Opens a request.</summary>
    /// <param name="protocol">Which.</param>
    /// <param name="encapsulated">EHBP: the encapsulated key of the header; else empty.</param>
    /// <param name="message">EHBP: the body's frames; else the message.</param>
    /// <exception cref="SealedRequestException">Anything is wrong with it.</exception>
    public ObliviousArrival Open(ObliviousProtocol protocol, ReadOnlySpan<byte> encapsulated, ReadOnlySpan<byte> message)
    {
        try
        {
            return protocol is ObliviousProtocol.Ehbp ? OpenEhbp(encapsulated, message) : OpenOblivious(protocol, message);
        }
        catch (CryptographicException)
        {
            // Neither says which key it is for before it opens: a wrong key and a changed byte look the same.
            throw new SealedRequestException(SealedRefusal.UnknownKey, "The request does not open: it is for another key, or was changed. Fetch the key's configuration again.");
        }
        catch (InvalidDataException failure)
        {
            throw new SealedRequestException(SealedRefusal.Malformed, failure.Message);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _keys.Dispose();

    private ObliviousArrival OpenEhbp(ReadOnlySpan<byte> encapsulated, ReadOnlySpan<byte> frames)
    {
        if (encapsulated.Length != X25519PublicKey.SizeInBytes || frames.IsEmpty)
            throw new InvalidDataException("An encapsulated key has 32 bytes, and a body at least one frame.");
        var exchange = EhbpExchange.Receiver(_keys, encapsulated.ToArray());
        try
        {
            var body = exchange.OpenFrames(frames);
            Take(encapsulated);
            return new(ObliviousProtocol.Ehbp, "", "", body, exchange, null);
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    private ObliviousArrival OpenOblivious(ObliviousProtocol protocol, ReadOnlySpan<byte> message)
    {
        var (plain, exchange) = ObliviousExchange.Open(_config, _keys, message, protocol is ObliviousProtocol.ChunkedObliviousHttp);
        try
        {
            var request = BinaryHttp.ReadRequest(plain);
            Take(message.Slice(ObliviousExchange.HeaderSize, X25519PublicKey.SizeInBytes));
            return new(protocol, request.Method, request.Path, request.Content, null, exchange);
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    /// <summary>Once it opened: who cannot make one cannot fill the memory.</summary>
    private void Take(ReadOnlySpan<byte> encapsulated)
    {
        var name = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(encapsulated));
        lock (_lock)
        {
            if (_seen.Contains(name))
                throw new SealedRequestException(SealedRefusal.Replayed, "This request was opened before.");
            if (_seen.Count == MostRequests)
                throw new SealedRequestException(SealedRefusal.Busy, "The worker's key for this protocol is used up until it is started anew.");
            _seen.Add(name);
        }
    }
}

/// <summary>A request that was opened, and what seals its response. Dispose of it once it is answered.</summary>
public sealed class ObliviousArrival : IDisposable
{
    private readonly ObliviousProtocol _protocol;
    private readonly EhbpExchange? _ehbp;
    private readonly ObliviousExchange? _oblivious;

    internal ObliviousArrival(ObliviousProtocol protocol, string method, string path, byte[] body, EhbpExchange? ehbp, ObliviousExchange? oblivious) =>
        (_protocol, Method, Path, Body, _ehbp, _oblivious) = (protocol, method, path, body, ehbp, oblivious);

    /// <summary>The request's method; empty for EHBP, which does not seal it.</summary>
    public string Method { get; }

    /// <summary>The request's path; empty for EHBP, which does not seal it.</summary>
    public string Path { get; }

    /// <summary>The request's body.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>A secret of this exchange, which keys the receipt's digests: both sides have it, and it travels nowhere.</summary>
    public byte[] ReceiptSalt() => _ehbp?.ReceiptSalt() ?? _oblivious!.ReceiptSalt();

    /// <summary>Seals the response.</summary>
    /// <param name="status">The HTTP status; EHBP does not seal it.</param>
    /// <param name="body">JSON.</param>
    /// <returns>The body to send, and EHBP's response nonce for its header; empty for the others.</returns>
    public (byte[] Message, byte[] Nonce) Seal(int status, ReadOnlySpan<byte> body)
    {
        if (_ehbp is not null)
        {
            var nonce = RandomNumberGenerator.GetBytes(EhbpExchange.ResponseNonceSize);
            return (_ehbp.SealResponse(body, nonce), nonce);
        }

        var response = BinaryHttp.Write(new BinaryHttp.Response(status, [("content-type", "application/json")], body.ToArray()));
        return (_protocol is ObliviousProtocol.ChunkedObliviousHttp ? _oblivious!.SealChunkedResponse(response) : _oblivious!.SealResponse(response), []);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ehbp?.Dispose();
        _oblivious?.Dispose();
    }
}
