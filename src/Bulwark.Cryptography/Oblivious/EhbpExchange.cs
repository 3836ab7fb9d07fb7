using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;

namespace Bulwark.Cryptography;

/// <summary>The encrypted-HTTP-body protocol (EHBP): frames under an exchange, with the response's keys derived as Oblivious HTTP derives them.</summary>
/// <remarks>Its frames have no last one and no associated data, so a cut body is not noticed: for compatibility only, sealed requests are the product's own.</remarks>
internal sealed class EhbpExchange : IDisposable
{
    internal const int ResponseNonceSize = 32;
    private const ushort Aead = HpkeAead.Aes256Gcm;
    private readonly HpkeContext _context;

    private EhbpExchange(HpkeContext context, byte[] enc) => (_context, Enc) = (context, enc);

    /// <summary>The encapsulated key, for the header <c>Ehbp-Encapsulated-Key</c>.</summary>
    internal byte[] Enc { get; }

    internal static EhbpExchange Sender(X25519PublicKey recipient)
    {
        using var ephemeral = X25519KeyPair.Generate();
        return new(HpkeContext.Sender(Aead, ephemeral, recipient.Bytes, "ehbp request"u8), ephemeral.PublicKey.Bytes.ToArray());
    }

    /// <exception cref="CryptographicException">The encapsulated key is none.</exception>
    internal static EhbpExchange Receiver(X25519KeyPair keys, byte[] enc)
    {
        try
        {
            return new(HpkeContext.Receiver(Aead, keys, enc, "ehbp request"u8), enc);
        }
        catch (ArgumentException failure)
        {
            throw new CryptographicException("The encapsulated key is none.", failure);
        }
    }

    /// <summary>One frame of the request: its length (32 bits, big-endian) and ciphertext.</summary>
    internal byte[] SealFrame(ReadOnlySpan<byte> chunk) => Frame(_context.Seal([], chunk));

    /// <exception cref="CryptographicException">A frame is not the next of this request.</exception>
    internal byte[] OpenFrames(ReadOnlySpan<byte> frames) => Open(frames, (sealedChunk, _) => _context.Open([], sealedChunk));

    /// <summary>Seals a response as one frame; the nonce goes into <c>Ehbp-Response-Nonce</c>.</summary>
    internal byte[] SealResponse(ReadOnlySpan<byte> response, ReadOnlySpan<byte> nonce)
    {
        var (key, baseNonce) = ResponseKeys(nonce);
        using var aead = new HpkeAead(Aead, key);
        var ciphertext = new byte[response.Length + HpkeAead.TagSize];
        aead.Seal(baseNonce, response, ciphertext, []);
        return Frame(ciphertext);
    }

    /// <exception cref="CryptographicException">A frame is not the next of this response.</exception>
    internal byte[] OpenResponse(ReadOnlySpan<byte> frames, ReadOnlySpan<byte> nonce)
    {
        var (key, baseNonce) = ResponseKeys(nonce);
        using var aead = new HpkeAead(Aead, key);
        return Open(frames, (sealedChunk, index) =>
        {
            var (plaintext, chunkNonce) = (new byte[Math.Max(0, sealedChunk.Length - HpkeAead.TagSize)], new byte[HpkeAead.NonceSize]);
            HpkeAead.Nonce(baseNonce, index, chunkNonce);
            aead.Open(chunkNonce, sealedChunk, plaintext, []);
            return plaintext;
        });
    }

    /// <summary>What another process needs to read this exchange's response: a secret.</summary>
    internal EhbpRecoveryToken RecoveryToken() => new(_context.Export("ehbp response"u8, 32), Enc);

    /// <summary>A secret of this exchange beside those of the protocol.</summary>
    internal byte[] ReceiptSalt() => _context.Export("bulwark receipt salt"u8, 32);

    public void Dispose() => _context.Dispose();

    private (byte[] Key, byte[] Nonce) ResponseKeys(ReadOnlySpan<byte> nonce) => nonce.Length == ResponseNonceSize
        ? RecoveryToken().ResponseKeys(nonce)
        : throw new CryptographicException("The response has no nonce of 32 bytes: it is refused.");

    private static byte[] Frame(byte[] ciphertext)
    {
        var frame = new byte[4 + ciphertext.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, ciphertext.Length);
        ciphertext.CopyTo(frame, 4);
        return frame;
    }

    private static byte[] Open(ReadOnlySpan<byte> frames, Func<byte[], ulong, byte[]> open)
    {
        var output = new ArrayBufferWriter<byte>();
        for (ulong index = 0; !frames.IsEmpty; index++)
        {
            if (frames.Length < 4 || BinaryPrimitives.ReadUInt32BigEndian(frames) is var length && length > (uint)(frames.Length - 4))
                throw new CryptographicException("A frame breaks off.");
            output.Write(open(frames.Slice(4, (int)length).ToArray(), index));
            frames = frames[(4 + (int)length)..];
        }

        return output.WrittenSpan.ToArray();
    }
}

/// <summary>EHBP's session recovery token: JSON with two hexadecimal members.</summary>
internal sealed record EhbpRecoveryToken(byte[] ExportedSecret, byte[] RequestEnc)
{
    internal (byte[] Key, byte[] Nonce) ResponseKeys(ReadOnlySpan<byte> nonce) => ObliviousExchange.DeriveResponse(ExportedSecret, RequestEnc, nonce, 32);

    internal string ToJson() => $"{{\"exportedSecret\":\"{Convert.ToHexStringLower(ExportedSecret)}\",\"requestEnc\":\"{Convert.ToHexStringLower(RequestEnc)}\"}}";

    /// <exception cref="InvalidDataException">It is no such token.</exception>
    internal static EhbpRecoveryToken Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var (secret, enc) = (Member(document, "exportedSecret"), Member(document, "requestEnc"));
            return secret.Length == 32 && enc.Length == 32 && document.RootElement.EnumerateObject().Count() == 2 ? new(secret, enc) : throw new FormatException("Both members have 32 bytes, and there are no others.");
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException)
        {
            throw new InvalidDataException($"This is no session recovery token: {failure.Message}", failure);
        }
    }

    private static byte[] Member(JsonDocument document, string name) => document.RootElement.TryGetProperty(name, out var value) && value.GetString() is { } text
        ? Convert.FromHexString(text) : throw new FormatException($"\"{name}\" is missing.");
}
