using System.Buffers.Binary;
using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>The keys of one message of Tink's AES-GCM-HKDF streaming encryption.</summary>
/// <remarks>
/// header = its own length 1 | salt | nonce prefix 7; the header counts in segment 0. Key = HKDF(key, salt, info = associated data);
/// nonce = prefix 7 | segment's number u32 | last 0 or 1. The format does not commit to its key. Not thread-safe: one object a thread.
/// </remarks>
public sealed class TinkMessage : SegmentedMessage
{
    private const int PrefixSize = 7, TagSize = 16, NonceSize = 12;
    private readonly byte[] _header;
    private readonly SecretBytes _derived;
    private readonly AesGcm _aes;

    private TinkMessage(SegmentLayout layout, byte[] header, SecretBytes derived)
        : base(layout)
    {
        (_header, _derived) = (header, derived);
        _aes = new AesGcm(derived.Span, TagSize);
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Header => _header;

    /// <summary>Length of the header that a key makes, in bytes.</summary>
    public static int HeaderSize(TinkStreamingKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return 1 + key.DerivedKeySizeInBytes + PrefixSize;
    }

    /// <summary>Begins a new message.</summary>
    /// <param name="key">The key; may be disposed afterwards.</param>
    /// <param name="associatedData">What the message belongs to; the reader needs the same.</param>
    public static TinkMessage Create(TinkStreamingKey key, ReadOnlySpan<byte> associatedData)
    {
        var header = new byte[HeaderSize(key)];
        RandomNumberGenerator.Fill(header);
        header[0] = (byte)header.Length;
        return Make(key, associatedData, header);
    }

    /// <summary>Opens a message by its header. A wrong key shows only at the first segment.</summary>
    /// <exception cref="CryptographicException">It is no header of this key's kind.</exception>
    public static TinkMessage Open(TinkStreamingKey key, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> header) =>
        header.Length == HeaderSize(key) && header[0] == header.Length ? Make(key, associatedData, header.ToArray()) : throw Refused();

    /// <inheritdoc/>
    public override SegmentedMessage Fork() => new TinkMessage(Layout, _header, SecretBytes.CopyOf(_derived.Span));

    /// <inheritdoc/>
    protected override void EncryptCore(long index, ReadOnlySpan<byte> plaintext, bool final, Span<byte> segment)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(index, final, nonce);
        _aes.Encrypt(nonce, plaintext, segment[..^TagSize], segment[^TagSize..]);
    }

    /// <inheritdoc/>
    protected override void DecryptCore(long index, ReadOnlySpan<byte> segment, bool final, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        WriteNonce(index, final, nonce);
        _aes.Decrypt(nonce, segment[..^TagSize], segment[^TagSize..], plaintext);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _aes.Dispose();
        _derived.Dispose();
    }

    private static TinkMessage Make(TinkStreamingKey key, ReadOnlySpan<byte> associatedData, byte[] header)
    {
        var salt = header.AsSpan(1, key.DerivedKeySizeInBytes).ToArray();
        var info = associatedData.ToArray();
        var derived = SecretBytes.Create(key.DerivedKeySizeInBytes, key.Key, (source, target) => HKDF.DeriveKey(key.Hash, source, target, salt, info));
        var layout = new SegmentLayout(header.Length, key.SegmentSizeInBytes, key.SegmentSizeInBytes - header.Length, 0, TagSize, FinalIsShort: false, 1L << 32);
        return new TinkMessage(layout, header, derived);
    }

    private void WriteNonce(long index, bool final, Span<byte> nonce)
    {
        _header.AsSpan(_header.Length - PrefixSize).CopyTo(nonce);
        BinaryPrimitives.WriteUInt32BigEndian(nonce[PrefixSize..], (uint)index);
        nonce[^1] = final ? (byte)1 : (byte)0;
    }
}
