using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The keys of one Cobblestone-256 message: C2SP chunked encryption with AES-256-GCM and 16 KiB chunks.</summary>
/// <remarks>
/// Source: C2SP chunked-encryption v1 (draft, 2026-07). header = salt 24 | commitment 32; a chunk is ciphertext | tag 16; the last chunk holds
/// less than 16 KiB of plaintext, perhaps none. HKDF-Expand-SHA-512 of the key over the salt and the context gives the AEAD key, the base
/// nonce, which is XORed with the chunk's number, and the commitment. Not thread-safe: one object a thread.
/// </remarks>
public sealed class CobblestoneMessage : SegmentedMessage
{
    /// <summary>Key length in bytes.</summary>
    public const int KeySizeInBytes = 32;

    /// <summary>Header length in bytes.</summary>
    public const int HeaderSizeInBytes = SaltSize + CommitmentSize;

    /// <summary>Plaintext of every chunk but the last, in bytes.</summary>
    public const int ChunkSizeInBytes = 16 * 1024;

    private const int SaltSize = 24, CommitmentSize = 32, NonceSize = 12, TagSize = 16;
    private static readonly SegmentLayout s_layout = new(
        HeaderSizeInBytes, ChunkSizeInBytes + TagSize, ChunkSizeInBytes + TagSize, 0, TagSize, FinalIsShort: true, MaximumSegments: 1L << 48);

    private readonly byte[] _header;
    private readonly SecretBytes _keys;   // AEAD key 32 | base nonce 12
    private readonly AesGcm _aes;

    private CobblestoneMessage(byte[] header, SecretBytes keys)
        : base(s_layout)
    {
        (_header, _keys) = (header, keys);
        _aes = new AesGcm(keys.Span[..KeySizeInBytes], TagSize);
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Header => _header;

    /// <summary>Begins a new message with a fresh salt.</summary>
    /// <param name="key">32 bytes, uniformly random.</param>
    /// <param name="context">What the message belongs to; the reader needs the same.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public static CobblestoneMessage Create(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
    {
        if (key.Length != KeySizeInBytes)
            throw new ArgumentException($"A Cobblestone-256 key has {KeySizeInBytes} bytes, not {key.Length}.", nameof(key));
        var header = new byte[HeaderSizeInBytes];
        RandomNumberGenerator.Fill(header.AsSpan(0, SaltSize));
        return new CobblestoneMessage(header, Derive(key, context, header.AsSpan(0, SaltSize), header.AsSpan(SaltSize)));
    }

    /// <summary>Opens a message by its header.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="context">What the message was made for.</param>
    /// <param name="header">The first 56 bytes.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static CobblestoneMessage Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, ReadOnlySpan<byte> header)
    {
        if (key.Length != KeySizeInBytes || header.Length != HeaderSizeInBytes)
            throw Refused();
        Span<byte> commitment = stackalloc byte[CommitmentSize];
        var keys = Derive(key, context, header[..SaltSize], commitment);
        if (CryptographicOperations.FixedTimeEquals(commitment, header[SaltSize..]))
            return new CobblestoneMessage(header.ToArray(), keys);
        keys.Dispose();
        throw Refused();
    }

    /// <summary>Encrypts all of <paramref name="plaintext"/> into one array.</summary>
    public static byte[] Encrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, ReadOnlySpan<byte> plaintext)
    {
        using var message = Create(key, context);
        return SegmentedBytes.Encrypt(message, plaintext);
    }

    /// <summary>Decrypts a whole message; nothing is returned unless every chunk is right and the last is there.</summary>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static byte[] Decrypt(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderSizeInBytes)
            throw Refused();
        using var opened = Open(key, context, message[..HeaderSizeInBytes]);
        return SegmentedBytes.Decrypt(opened, message[HeaderSizeInBytes..]);
    }

    /// <inheritdoc/>
    public override SegmentedMessage Fork() => new CobblestoneMessage(_header, SecretBytes.CopyOf(_keys.Span));

    /// <inheritdoc/>
    protected override void EncryptCore(long index, ReadOnlySpan<byte> plaintext, bool final, Span<byte> segment)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(index, nonce);
        _aes.Encrypt(nonce, plaintext, segment[..^TagSize], segment[^TagSize..]);
    }

    /// <inheritdoc/>
    protected override void DecryptCore(long index, ReadOnlySpan<byte> segment, bool final, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(index, nonce);
        _aes.Decrypt(nonce, segment[..^TagSize], segment[^TagSize..], plaintext);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _aes.Dispose();
        _keys.Dispose();
    }

    private void WriteNonce(long index, Span<byte> nonce)
    {
        _keys.Span[KeySizeInBytes..].CopyTo(nonce);
        var low = nonce[^8..];
        BinaryPrimitives.WriteInt64BigEndian(low, BinaryPrimitives.ReadInt64BigEndian(low) ^ index);
    }

    /// <summary>HKDF-Expand-SHA-512 (RFC 5869 §2.3) to 76 bytes, two blocks. <see cref="HKDF"/> refuses a key shorter than its hash.</summary>
    private static SecretBytes Derive(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context, ReadOnlySpan<byte> salt, Span<byte> commitment)
    {
        byte[] info = [.. "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"u8, .. salt, .. context];
        Span<byte> blocks = stackalloc byte[2 * HMACSHA512.HashSizeInBytes];
        try
        {
            HMACSHA512.HashData(key, [.. info, 1], blocks);
            HMACSHA512.HashData(key, [.. blocks[..HMACSHA512.HashSizeInBytes], .. info, 2], blocks[HMACSHA512.HashSizeInBytes..]);
            blocks.Slice(KeySizeInBytes + NonceSize, CommitmentSize).CopyTo(commitment);
            return SecretBytes.CopyOf(blocks[..(KeySizeInBytes + NonceSize)]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(blocks);
        }
    }
}
