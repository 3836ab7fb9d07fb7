using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>One request and its response under Oblivious HTTP: whole (RFC 9458 §4) or in chunks (draft-ietf-ohai-chunked-ohttp). Not thread-safe.</summary>
internal sealed class ObliviousExchange : IDisposable
{
    internal const int HeaderSize = 7;
    private const string WholeRequest = "message/bhttp request", WholeResponse = "message/bhttp response";
    private const string ChunkedRequest = "message/bhttp chunked request", ChunkedResponse = "message/bhttp chunked response";

    private readonly HpkeContext _context;
    private readonly byte[] _enc;

    private ObliviousExchange(HpkeContext context, byte[] enc) => (_context, _enc) = (context, enc);

    /// <summary>Seals a request whole.</summary>
    /// <param name="config">The gateway's key.</param>
    /// <param name="aead">One that the configuration offers with HKDF-SHA256.</param>
    /// <param name="request">Binary HTTP (RFC 9292).</param>
    /// <param name="ephemeral">For test vectors; else a fresh one.</param>
    internal static (byte[] Message, ObliviousExchange Exchange) Seal(ObliviousKeyConfig config, ushort aead, ReadOnlySpan<byte> request, IKemKeyPair? ephemeral = null)
    {
        var (front, exchange) = Begin(config, aead, WholeRequest, ephemeral);
        return ([.. front, .. exchange._context.Seal([], request)], exchange);
    }

    /// <summary>Seals a request in chunks of <paramref name="chunkSize"/> bytes.</summary>
    internal static (byte[] Message, ObliviousExchange Exchange) SealChunked(ObliviousKeyConfig config, ushort aead, ReadOnlySpan<byte> request, int chunkSize = 1 << 14, IKemKeyPair? ephemeral = null)
    {
        var (front, exchange) = Begin(config, aead, ChunkedRequest, ephemeral);
        var output = new ArrayBufferWriter<byte>();
        output.Write(front);
        using var key = new HpkeAead(aead, exchange._context.Key);
        WriteChunks(new(key, exchange._context.BaseNonce.ToArray(), []), request, chunkSize, output);
        return (output.WrittenSpan.ToArray(), exchange);
    }

    /// <summary>Opens a request.</summary>
    /// <param name="config">Whose key it must be sealed to.</param>
    /// <param name="keyPair">The private half.</param>
    /// <param name="message">The request.</param>
    /// <param name="isChunked">Which of the two framings.</param>
    /// <exception cref="CryptographicException">It was sealed to another key or suite, or changed.</exception>
    internal static (byte[] Request, ObliviousExchange Exchange) Open(ObliviousKeyConfig config, IKemKeyPair keyPair, ReadOnlySpan<byte> message, bool isChunked = false)
    {
        var encSize = ObliviousKeyConfig.KeySize(config.Kem);
        if (message.Length < HeaderSize + encSize)
            throw new CryptographicException("The request breaks off.");
        var header = message[..HeaderSize];
        var aead = BinaryPrimitives.ReadUInt16BigEndian(header[5..]);
        var suite = (BinaryPrimitives.ReadUInt16BigEndian(header[3..]), aead);
        if (header[0] != config.Id || BinaryPrimitives.ReadUInt16BigEndian(header[1..]) != config.Kem || suite.Item1 != HpkeKdf.Id || !config.Suites.Contains(suite))
            throw new CryptographicException("The request names a key or a suite that is not offered.");
        var enc = message.Slice(HeaderSize, encSize).ToArray();
        HpkeContext context;
        try
        {
            context = HpkeContext.Receiver(aead, keyPair, enc, Info(isChunked ? ChunkedRequest : WholeRequest, header));
        }
        catch (ArgumentException failure)
        {
            throw new CryptographicException("The request's encapsulated key is none.", failure);
        }

        var exchange = new ObliviousExchange(context, enc);
        try
        {
            var body = message[(HeaderSize + encSize)..];
            return (isChunked ? ReadChunks(aead, context.Key, context.BaseNonce.ToArray(), body) : context.Open([], body), exchange);
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    /// <summary>Seals the response: a nonce, then the body.</summary>
    /// <param name="response">Binary HTTP.</param>
    /// <param name="nonce">For test vectors; else a fresh one.</param>
    internal byte[] SealResponse(ReadOnlySpan<byte> response, byte[]? nonce = null)
    {
        nonce ??= RandomNumberGenerator.GetBytes(NonceSize);
        var (key, baseNonce) = ResponseKeys(WholeResponse, nonce);
        using var aead = new HpkeAead(_context.Aead, key);
        var output = new byte[nonce.Length + response.Length + HpkeAead.TagSize];
        nonce.CopyTo(output, 0);
        aead.Seal(baseNonce, response, output.AsSpan(nonce.Length), []);
        return output;
    }

    /// <summary>Opens a response.</summary>
    /// <exception cref="CryptographicException">It answers another request, or was changed.</exception>
    internal byte[] OpenResponse(ReadOnlySpan<byte> message)
    {
        var (nonce, body) = Split(message);
        var (key, baseNonce) = ResponseKeys(WholeResponse, nonce);
        using var aead = new HpkeAead(_context.Aead, key);
        var plaintext = new byte[Math.Max(0, body.Length - HpkeAead.TagSize)];
        aead.Open(baseNonce, body, plaintext, []);
        return plaintext;
    }

    /// <summary>Seals the response in chunks.</summary>
    internal byte[] SealChunkedResponse(ReadOnlySpan<byte> response, int chunkSize = 1 << 14, byte[]? nonce = null)
    {
        nonce ??= RandomNumberGenerator.GetBytes(NonceSize);
        var (key, baseNonce) = ResponseKeys(ChunkedResponse, nonce);
        using var aead = new HpkeAead(_context.Aead, key);
        var output = new ArrayBufferWriter<byte>();
        output.Write(nonce);
        WriteChunks(new(aead, baseNonce, []), response, chunkSize, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Opens a response of chunks.</summary>
    /// <exception cref="CryptographicException">It answers another request, or was changed, cut, reordered or lengthened.</exception>
    internal byte[] OpenChunkedResponse(ReadOnlySpan<byte> message)
    {
        var (nonce, body) = Split(message);
        var (key, baseNonce) = ResponseKeys(ChunkedResponse, nonce);
        return ReadChunks(_context.Aead, key, baseNonce, body);
    }

    /// <summary>A secret of this exchange beside those of the protocol.</summary>
    internal byte[] ReceiptSalt() => _context.Export("bulwark receipt salt"u8, 32);

    public void Dispose() => _context.Dispose();

    /// <summary>RFC 9458 §4.4: key and nonce of a response.</summary>
    internal static (byte[] Key, byte[] Nonce) DeriveResponse(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> enc, ReadOnlySpan<byte> nonce, int keySize)
    {
        Span<byte> pseudoRandom = stackalloc byte[HpkeKdf.HashSize];
        HKDF.Extract(HashAlgorithmName.SHA256, secret, [.. enc, .. nonce], pseudoRandom);
        var (key, baseNonce) = (new byte[keySize], new byte[HpkeAead.NonceSize]);
        HKDF.Expand(HashAlgorithmName.SHA256, pseudoRandom, key, "key"u8);
        HKDF.Expand(HashAlgorithmName.SHA256, pseudoRandom, baseNonce, "nonce"u8);
        CryptographicOperations.ZeroMemory(pseudoRandom);
        return (key, baseNonce);
    }

    private int NonceSize => Math.Max(HpkeAead.NonceSize, HpkeAead.KeySize(_context.Aead));

    private (byte[] Key, byte[] Nonce) ResponseKeys(string label, ReadOnlySpan<byte> nonce) =>
        DeriveResponse(_context.Export(Encoding.ASCII.GetBytes(label), NonceSize), _enc, nonce, HpkeAead.KeySize(_context.Aead));

    private (byte[] Nonce, byte[] Body) Split(ReadOnlySpan<byte> message) => message.Length >= NonceSize
        ? (message[..NonceSize].ToArray(), message[NonceSize..].ToArray())
        : throw new CryptographicException("The response breaks off.");

    private static (byte[] Front, ObliviousExchange Exchange) Begin(ObliviousKeyConfig config, ushort aead, string label, IKemKeyPair? ephemeral)
    {
        if (!config.Suites.Contains((HpkeKdf.Id, aead)))
            throw new ArgumentException("The key configuration does not offer this suite.", nameof(aead));
        byte[] header = [config.Id, (byte)(config.Kem >> 8), (byte)config.Kem, 0, (byte)HpkeKdf.Id, (byte)(aead >> 8), (byte)aead];
        var own = ephemeral ?? config.Ephemeral();
        try
        {
            var context = HpkeContext.Sender(aead, own, config.PublicKey, Info(label, header));
            var enc = own.PublicBytes.ToArray();
            return ([.. header, .. enc], new(context, enc));
        }
        finally
        {
            if (ephemeral is null)
                (own as IDisposable)?.Dispose();
        }
    }

    private static byte[] Info(string label, ReadOnlySpan<byte> header) => [.. Encoding.ASCII.GetBytes(label), 0, .. header];

    private static void WriteChunks(ChunkSealer sealer, ReadOnlySpan<byte> body, int chunkSize, ArrayBufferWriter<byte> output)
    {
        for (; body.Length > chunkSize; body = body[chunkSize..])
            sealer.Write(body[..chunkSize], false, output);
        sealer.Write(body, true, output);
    }

    private static byte[] ReadChunks(ushort aead, byte[] key, byte[] baseNonce, ReadOnlySpan<byte> body)
    {
        using var opened = new HpkeAead(aead, key);
        var output = new ArrayBufferWriter<byte>();
        new ChunkOpener(opened, baseNonce, []).ReadAll(body, output);
        return output.WrittenSpan.ToArray();
    }
}
