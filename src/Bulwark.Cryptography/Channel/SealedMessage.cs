using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The bytes of sealed requests and responses. Specification: docs/formats/sealed-request.md.</summary>
internal static class SealedMessage
{
    internal const int KeyIdSize = 8, EncSize = HpkeKeyPair.PublicKeySizeInBytes, SessionSize = 16, ResponseNonceSize = 32;
    internal const int KeyIdAt = 4, OpenedAt = 12, SequenceAt = 20, EncAt = 28, RequestFront = EncAt + EncSize, ResponseFront = 4 + ResponseNonceSize;
    internal const int ChunkSize = 1 << 16;
    internal const ushort Aead = HpkeAead.Aes256Gcm;
    private const int KeySize = 32, LengthSize = 4, SmallestBucket = 512;

    internal static ReadOnlySpan<byte> RequestMagic => "BSQ1"u8;

    internal static ReadOnlySpan<byte> ResponseMagic => "BSA1"u8;

    internal static byte[] KeyId(ReadOnlySpan<byte> publicKey) => SHA256.HashData(publicKey)[..KeyIdSize];

    internal static byte[] SessionOf(ReadOnlySpan<byte> enc) => SHA256.HashData(enc)[..SessionSize];

    /// <summary>The HPKE info of a session: version, key, when it was opened, and what the evidence bound.</summary>
    internal static byte[] Info(ReadOnlySpan<byte> front, ReadOnlySpan<byte> binding) => [.. "bulwark.dev/sealed-session/v1\0"u8, .. front[..SequenceAt], .. binding];

    /// <summary>Key and nonce of one request.</summary>
    internal static (byte[] Key, byte[] Nonce) RequestKeys(HpkeContext session, ulong sequence)
    {
        var exported = session.Export(Purpose("request "u8, sequence), KeySize + HpkeAead.NonceSize);
        return (exported[..KeySize], exported[KeySize..]);
    }

    /// <summary>Key and nonce of its response, as Oblivious HTTP derives them.</summary>
    internal static (byte[] Key, byte[] Nonce) ResponseKeys(HpkeContext session, ulong sequence, ReadOnlySpan<byte> enc, ReadOnlySpan<byte> nonce) =>
        ObliviousExchange.DeriveResponse(session.Export(Purpose("response"u8, sequence), KeySize), enc, nonce, KeySize);

    /// <summary>The associated data of a response: that of its request, and the request's own bytes.</summary>
    internal static byte[] ResponseContext(byte[] requestContext, ReadOnlySpan<byte> request) => SHA256.HashData([.. requestContext, .. SHA256.HashData(request)]);

    /// <summary>Writes the padded body in chunks behind <paramref name="front"/>.</summary>
    internal static byte[] Seal(ReadOnlySpan<byte> front, byte[] key, byte[] nonce, byte[] context, ReadOnlySpan<byte> body)
    {
        var padded = Bucket(LengthSize + (long)body.Length);
        var plain = ArrayPool<byte>.Shared.Rent((int)padded);
        var output = new ArrayBufferWriter<byte>(front.Length + (int)padded + 32 * (1 + (int)(padded / ChunkSize)));
        output.Write(front);
        try
        {
            BinaryPrimitives.WriteInt32BigEndian(plain, body.Length);
            body.CopyTo(plain.AsSpan(LengthSize));
            plain.AsSpan(LengthSize + body.Length, (int)padded - LengthSize - body.Length).Clear();
            using var aead = new HpkeAead(Aead, key);
            var sealer = new ChunkSealer(aead, nonce, context);
            ReadOnlySpan<byte> rest = plain.AsSpan(0, (int)padded);
            for (; rest.Length > ChunkSize; rest = rest[ChunkSize..])
                sealer.Write(rest[..ChunkSize], false, output);
            sealer.Write(rest, true, output);
            return output.WrittenSpan.ToArray();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain.AsSpan(0, (int)padded));
            ArrayPool<byte>.Shared.Return(plain);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Opens chunks and takes the padding off.</summary>
    /// <exception cref="SealedRequestException">The body was changed, cut or reordered.</exception>
    internal static byte[] Open(ReadOnlySpan<byte> chunks, byte[] key, byte[] nonce, byte[] context)
    {
        var output = new ArrayBufferWriter<byte>(Math.Max(1, chunks.Length));
        try
        {
            using var aead = new HpkeAead(Aead, key);
            var opener = new ChunkOpener(aead, nonce, context, ChunkSize);
            for (int taken; (taken = opener.Read(chunks, output)) > 0;)
                chunks = chunks[taken..];
            if (QuicInteger.Read(chunks, out var length) == 0 || length != 0)
                throw new SealedRequestException(SealedRefusal.Truncated, "The sealed body breaks off before its last chunk.");
            opener.ReadFinal(chunks, output);
        }
        catch (CryptographicException)
        {
            throw new SealedRequestException(SealedRefusal.Tampered, "The sealed body was changed or reordered, or belongs to another request.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }

        var plain = output.WrittenSpan;
        if (plain.Length < LengthSize || BinaryPrimitives.ReadUInt32BigEndian(plain) is var size && size > (uint)(plain.Length - LengthSize))
            throw new SealedRequestException(SealedRefusal.Malformed, "The sealed body's length is wrong.");
        return plain.Slice(LengthSize, (int)size).ToArray();
    }

    /// <summary>Sizes that the network sees: powers of two from 512 bytes to 64 KiB, then multiples of 64 KiB.</summary>
    internal static long Bucket(long size) => size <= SmallestBucket ? SmallestBucket
        : size <= ChunkSize ? (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)size)
        : (size + ChunkSize - 1) / ChunkSize * ChunkSize;

    private static byte[] Purpose(ReadOnlySpan<byte> label, ulong sequence)
    {
        var purpose = new byte[label.Length + 8];
        label.CopyTo(purpose);
        BinaryPrimitives.WriteUInt64BigEndian(purpose.AsSpan(label.Length), sequence);
        return purpose;
    }
}
