using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The keys of one FLOE message: makes its header, and encrypts or decrypts its segments in any order.</summary>
/// <remarks>
/// Source: C2SP FLOE (commit 5ba5ee83; ePrint 2025/2275), suite AES-256-GCM with HKDF-Expand-SHA-384 and a 32-byte message IV.
/// header = parameters 10 | IV 32 | header tag 32, which commits to key and associated data;
/// segment = FFFFFFFF or the final segment's own length 4 | IV 12 | ciphertext | tag 16, bound to its index and to being final.
/// Not thread-safe: one object a thread.
/// </remarks>
public sealed class FloeMessage : SegmentedMessage
{
    /// <summary>Key length in bytes.</summary>
    public const int KeySizeInBytes = 32;

    /// <summary>Header length in bytes.</summary>
    public const int HeaderSizeInBytes = ParametersSize + IvSize + TagSize32;

    /// <summary>What a segment adds to its plaintext, in bytes.</summary>
    public const int SegmentOverheadInBytes = 4 + NonceSize + GcmTagSize;

    /// <summary>Segments of one message, at most.</summary>
    public const long MaximumSegments = 1L << 40;

    /// <summary>The longest segment that is read, in bytes: what a hostile header may make a reader allocate.</summary>
    public const int MaximumSegmentSizeInBytes = 1 << 24;

    internal const int DefaultRotationBits = 20;
    private const int ParametersSize = 10, IvSize = 32, TagSize32 = 32, NonceSize = 12, GcmTagSize = 16;
    private const uint NotFinal = 0xFFFF_FFFF;

    private readonly byte[] _header;
    private readonly byte[] _associatedData;
    private readonly SecretBytes _messageKey;
    private readonly int _rotationBits;
    private AesGcm? _aes;
    private long _aesGeneration = -1;

    private FloeMessage(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData, byte[] header, int rotationBits)
        : base(LayoutOf(header))
    {
        _header = header;
        _associatedData = associatedData.ToArray();
        _rotationBits = rotationBits;
        _messageKey = SecretBytes.Create(48, key, (source, target) => Derive(source, "MESSAGE_KEY:"u8, target));
    }

    private FloeMessage(FloeMessage other)
        : base(other.Layout) =>
        (_header, _associatedData, _rotationBits, _messageKey) = (other._header, other._associatedData, other._rotationBits, SecretBytes.CopyOf(other._messageKey.Span));

    /// <summary>Length of every segment but the last, overhead included, in bytes.</summary>
    public int SegmentSizeInBytes => Layout.SegmentSizeInBytes;

    /// <summary>The most plaintext that a segment holds, in bytes.</summary>
    public int PlaintextPerSegmentInBytes => SegmentSizeInBytes - SegmentOverheadInBytes;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Header => _header;

    /// <summary>Begins a new message with a fresh IV.</summary>
    /// <param name="key">32 bytes, uniformly random.</param>
    /// <param name="associatedData">What the message belongs to; the reader needs the same.</param>
    /// <param name="segmentSizeInBytes">33 to 16 MiB, overhead included.</param>
    /// <exception cref="ArgumentException">A length is out of range.</exception>
    public static FloeMessage Create(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData, int segmentSizeInBytes)
    {
        RequireKey(key);
        if (segmentSizeInBytes is <= SegmentOverheadInBytes or > MaximumSegmentSizeInBytes)
            throw new ArgumentOutOfRangeException(nameof(segmentSizeInBytes), segmentSizeInBytes, $"A FLOE segment has {SegmentOverheadInBytes + 1} to {MaximumSegmentSizeInBytes} bytes.");
        var header = new byte[HeaderSizeInBytes];
        WriteParameters(header, segmentSizeInBytes);
        RandomNumberGenerator.Fill(header.AsSpan(ParametersSize, IvSize));
        var message = new FloeMessage(key, associatedData, header, DefaultRotationBits);
        message.Derive(key, "HEADER_TAG:"u8, header.AsSpan(ParametersSize + IvSize));
        return message;
    }

    /// <summary>Opens a message by its header.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="associatedData">What the message was made for.</param>
    /// <param name="header">The first 74 bytes.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static FloeMessage Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> header) =>
        Open(key, associatedData, header, DefaultRotationBits);

    internal static FloeMessage Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> header, int rotationBits)
    {
        RequireKey(key);
        if (!HasSoundParameters(header))
            throw Refused();
        var message = new FloeMessage(key, associatedData, header.ToArray(), rotationBits);
        Span<byte> tag = stackalloc byte[TagSize32];
        message.Derive(key, "HEADER_TAG:"u8, tag);
        if (CryptographicOperations.FixedTimeEquals(tag, header[(ParametersSize + IvSize)..]))
            return message;
        message.Dispose();
        throw Refused();
    }

    /// <inheritdoc/>
    public override SegmentedMessage Fork() => new FloeMessage(this);

    /// <inheritdoc/>
    protected override void EncryptCore(long index, ReadOnlySpan<byte> plaintext, bool final, Span<byte> segment)
    {
        BinaryPrimitives.WriteUInt32BigEndian(segment, final ? (uint)segment.Length : NotFinal);
        var nonce = segment.Slice(4, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        Span<byte> position = stackalloc byte[9];
        WritePosition(index, final, position);
        KeyOf(index).Encrypt(nonce, plaintext, segment[(4 + NonceSize)..^GcmTagSize], segment[^GcmTagSize..], position);
    }

    /// <inheritdoc/>
    protected override void DecryptCore(long index, ReadOnlySpan<byte> segment, bool final, Span<byte> plaintext)
    {
        if (BinaryPrimitives.ReadUInt32BigEndian(segment) != (final ? (uint)segment.Length : NotFinal))
            throw Refused();
        Span<byte> position = stackalloc byte[9];
        WritePosition(index, final, position);
        KeyOf(index).Decrypt(segment.Slice(4, NonceSize), segment[(4 + NonceSize)..^GcmTagSize], segment[^GcmTagSize..], plaintext, position);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _aes?.Dispose();
        _messageKey.Dispose();
    }

    /// <summary>The key of a segment changes every 2^20 segments, so that random IVs stay far from their birthday bound.</summary>
    private AesGcm KeyOf(long index)
    {
        var generation = index >> _rotationBits;
        if (_aes is not null && generation == _aesGeneration)
            return _aes;
        Span<byte> purpose = stackalloc byte[12];
        "DEK:"u8.CopyTo(purpose);
        BinaryPrimitives.WriteInt64BigEndian(purpose[4..], generation << _rotationBits);
        Span<byte> key = stackalloc byte[32];
        try
        {
            Derive(_messageKey.Span, purpose, key);
            _aes?.Dispose();
            _aes = new AesGcm(key, GcmTagSize);
            _aesGeneration = generation;
            return _aes;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>FLOE_KDF: one block of HKDF-Expand-SHA-384 (RFC 5869 §2.3) is enough, since no output is longer than 48 bytes.
    /// <see cref="HKDF"/> does not do: it refuses a pseudo-random key shorter than the hash.</summary>
    private void Derive(ReadOnlySpan<byte> key, ReadOnlySpan<byte> purpose, Span<byte> target)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA384, key);
        mac.AppendData(_header, 0, ParametersSize + IvSize);
        mac.AppendData(purpose);
        mac.AppendData(_associatedData);
        mac.AppendData([1]);
        Span<byte> block = stackalloc byte[48];
        mac.GetHashAndReset(block);
        block[..target.Length].CopyTo(target);
        CryptographicOperations.ZeroMemory(block);
    }

    private static SegmentLayout LayoutOf(ReadOnlySpan<byte> header)
    {
        var size = checked((int)BinaryPrimitives.ReadUInt32BigEndian(header[2..]));
        return new SegmentLayout(HeaderSizeInBytes, size, size, 4 + NonceSize, GcmTagSize, FinalIsShort: false, MaximumSegments);
    }

    private static void WriteParameters(Span<byte> header, int segmentSize)
    {
        header[0] = 0;   // AES-256-GCM
        header[1] = 0;   // HKDF-Expand-SHA-384
        BinaryPrimitives.WriteUInt32BigEndian(header[2..], (uint)segmentSize);
        BinaryPrimitives.WriteUInt32BigEndian(header[6..], IvSize);
    }

    private static bool HasSoundParameters(ReadOnlySpan<byte> header) =>
        header.Length == HeaderSizeInBytes && header[0] == 0 && header[1] == 0
        && BinaryPrimitives.ReadUInt32BigEndian(header[2..]) is > SegmentOverheadInBytes and <= MaximumSegmentSizeInBytes
        && BinaryPrimitives.ReadUInt32BigEndian(header[6..]) == IvSize;

    private static void WritePosition(long index, bool final, Span<byte> position)
    {
        BinaryPrimitives.WriteInt64BigEndian(position, index);
        position[8] = final ? (byte)1 : (byte)0;
    }

    private static void RequireKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySizeInBytes)
            throw new ArgumentException($"A FLOE key has {KeySizeInBytes} bytes, not {key.Length}.", nameof(key));
    }
}
