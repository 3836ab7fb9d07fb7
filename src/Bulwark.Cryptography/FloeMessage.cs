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
public sealed class FloeMessage : IDisposable
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
    private const string Refusal = "The sealed bytes cannot be opened: wrong key, or they were changed.";
    private const int ParametersSize = 10, IvSize = 32, TagSize32 = 32, NonceSize = 12, GcmTagSize = 16;
    private const uint NotFinal = 0xFFFF_FFFF;

    private readonly byte[] _header;
    private readonly byte[] _associatedData;
    private readonly SecretBytes _messageKey;
    private readonly int _rotationBits;
    private AesGcm? _aes;
    private long _aesGeneration = -1;

    private FloeMessage(ReadOnlySpan<byte> key, ReadOnlySpan<byte> associatedData, byte[] header, int rotationBits)
    {
        _header = header;
        _associatedData = associatedData.ToArray();
        _rotationBits = rotationBits;
        SegmentSizeInBytes = checked((int)BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(2)));
        _messageKey = SecretBytes.Create(48, key, (source, target) => Derive(source, "MESSAGE_KEY:"u8, target));
    }

    /// <summary>Length of every segment but the last, overhead included, in bytes.</summary>
    public int SegmentSizeInBytes { get; }

    /// <summary>The most plaintext that a segment holds, in bytes.</summary>
    public int PlaintextPerSegmentInBytes => SegmentSizeInBytes - SegmentOverheadInBytes;

    /// <summary>What the message begins with.</summary>
    public ReadOnlySpan<byte> Header => _header;

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

    /// <summary>Encrypts one segment.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="plaintext">Exactly <see cref="PlaintextPerSegmentInBytes"/> bytes, or fewer (also none) when final.</param>
    /// <param name="final">True for the message's last segment, and only for it.</param>
    /// <param name="segment">Exactly as long as the plaintext and <see cref="SegmentOverheadInBytes"/>.</param>
    /// <exception cref="ArgumentException">A length or the index is out of range.</exception>
    public void EncryptSegment(long index, ReadOnlySpan<byte> plaintext, bool final, Span<byte> segment)
    {
        if (index is < 0 or >= MaximumSegments)
            throw new ArgumentOutOfRangeException(nameof(index));
        if (plaintext.Length > PlaintextPerSegmentInBytes || (!final && plaintext.Length != PlaintextPerSegmentInBytes))
            throw new ArgumentException("Only the final segment may be shorter than the others.", nameof(plaintext));
        if (segment.Length != plaintext.Length + SegmentOverheadInBytes)
            throw new ArgumentException($"The segment's buffer must have {plaintext.Length + SegmentOverheadInBytes} bytes.", nameof(segment));
        BinaryPrimitives.WriteUInt32BigEndian(segment, final ? (uint)segment.Length : NotFinal);
        var nonce = segment.Slice(4, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        Span<byte> position = stackalloc byte[9];
        WritePosition(index, final, position);
        KeyOf(index).Encrypt(nonce, plaintext, segment[(4 + NonceSize)..^GcmTagSize], segment[^GcmTagSize..], position);
    }

    /// <summary>Decrypts one segment; its plaintext appears only when its tag is right.</summary>
    /// <param name="index">Its place in the message, from 0.</param>
    /// <param name="segment">The whole segment: <see cref="SegmentSizeInBytes"/> bytes, or fewer when it is the last.</param>
    /// <param name="final">True when no byte of the message follows.</param>
    /// <param name="plaintext">Exactly as long as the segment without its overhead.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public void DecryptSegment(long index, ReadOnlySpan<byte> segment, bool final, Span<byte> plaintext)
    {
        if (index is < 0 or >= MaximumSegments || segment.Length < SegmentOverheadInBytes || segment.Length > SegmentSizeInBytes)
            throw Refused();
        if (plaintext.Length != segment.Length - SegmentOverheadInBytes)
            throw new ArgumentException($"The plaintext's buffer must have {segment.Length - SegmentOverheadInBytes} bytes.", nameof(plaintext));
        var stated = BinaryPrimitives.ReadUInt32BigEndian(segment);
        if (final ? stated != (uint)segment.Length : stated != NotFinal || segment.Length != SegmentSizeInBytes)
            throw Refused();
        Span<byte> position = stackalloc byte[9];
        WritePosition(index, final, position);
        try
        {
            KeyOf(index).Decrypt(segment.Slice(4, NonceSize), segment[(4 + NonceSize)..^GcmTagSize], segment[^GcmTagSize..], plaintext, position);
        }
        catch (CryptographicException)
        {
            CryptographicOperations.ZeroMemory(plaintext);
            throw Refused();
        }
    }

    /// <summary>Wipes the message's keys.</summary>
    public void Dispose()
    {
        _aes?.Dispose();
        _messageKey.Dispose();
    }

    internal static CryptographicException Refused() => new(Refusal);

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
