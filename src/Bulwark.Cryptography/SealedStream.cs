using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The plaintext of a sealed file: read-only, seekable, one segment in memory at a time, no byte before its tag is checked.</summary>
/// <remarks>Not thread-safe. Closing it wipes its memory and closes the sealed file.</remarks>
public sealed class SealedStream : Stream
{
    private readonly Stream _source;
    private readonly FloeMessage _message;
    private readonly long _payload;
    private readonly long _payloadLength;
    private readonly long _segments;
    private readonly byte[] _segment;
    private readonly byte[] _plaintext;
    private long _loaded = -1;
    private int _loadedLength;
    private long _position;
    private bool _disposed;

    private SealedStream(Stream source, FloeMessage message, SealedFileInfo info)
    {
        _source = source;
        _message = message;
        Info = info;
        _payload = source.Position;
        _payloadLength = source.Length - _payload;
        _segments = (_payloadLength + message.SegmentSizeInBytes - 1) / message.SegmentSizeInBytes;
        var last = _payloadLength - (_segments - 1) * message.SegmentSizeInBytes;
        if (_segments is < 1 or > FloeMessage.MaximumSegments || last < FloeMessage.SegmentOverheadInBytes)
            throw FloeMessage.Refused();
        Length = _payloadLength - _segments * FloeMessage.SegmentOverheadInBytes;
        if (info.PlaintextBytes is { } stated && stated != Length)
            throw FloeMessage.Refused();
        var buffer = (int)Math.Min(_payloadLength, message.SegmentSizeInBytes);
        _segment = GC.AllocateUninitializedArray<byte>(buffer);
        _plaintext = GC.AllocateUninitializedArray<byte>(buffer - FloeMessage.SegmentOverheadInBytes, pinned: true);
    }

    /// <summary>The header's facts, proved by the tag that opened it.</summary>
    public SealedFileInfo Info { get; }

    /// <inheritdoc/>
    public override bool CanRead => !_disposed;

    /// <inheritdoc/>
    public override bool CanSeek => !_disposed;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <summary>Length of the plaintext in bytes.</summary>
    public override long Length { get; }

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <summary>Opens the payload; where the length is not in the header, the last segment is opened at once, so that a cut file is refused here.</summary>
    internal static SealedStream Open(Stream source, SealedFileHeader header, ReadOnlySpan<byte> payloadKey)
    {
        Span<byte> floe = stackalloc byte[FloeMessage.HeaderSizeInBytes];
        if (source.ReadAtLeast(floe, floe.Length, throwOnEndOfStream: false) != floe.Length)
            throw FloeMessage.Refused();
        var message = FloeMessage.Open(payloadKey, header.Binding, floe);
        try
        {
            if (message.SegmentSizeInBytes != SealedFileHeader.SegmentSize)
                throw FloeMessage.Refused();
            var stream = new SealedStream(source, message, header.Info);
            if (header.Info.PlaintextBytes is null)
                stream.Load(stream._segments - 1);
            return stream;
        }
        catch
        {
            message.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="CryptographicException">The bytes at this place were changed.</exception>
    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_position >= Length || buffer.IsEmpty)
            return 0;
        Load(_position / _message.PlaintextPerSegmentInBytes);
        return Take(buffer);
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    /// <exception cref="CryptographicException">The bytes at this place were changed.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_position >= Length || buffer.IsEmpty)
            return 0;
        var index = _position / _message.PlaintextPerSegmentInBytes;
        if (index != _loaded)
        {
            var size = Seek(index);
            var read = await _source.ReadAtLeastAsync(_segment.AsMemory(0, size), size, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            Decrypt(index, size, read);
        }

        return Take(buffer.Span);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        SeekOrigin.End => Length + offset,
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <summary>Not possible.</summary>
    public override void SetLength(long value) => throw new NotSupportedException("A sealed file is read-only.");

    /// <summary>Not possible.</summary>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A sealed file is read-only.");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            CryptographicOperations.ZeroMemory(_plaintext);
            _message.Dispose();
            _source.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Load(long index)
    {
        if (index == _loaded)
            return;
        var size = Seek(index);
        Decrypt(index, size, _source.ReadAtLeast(_segment.AsSpan(0, size), size, throwOnEndOfStream: false));
    }

    private int Seek(long index)
    {
        _loaded = -1;
        var offset = index * _message.SegmentSizeInBytes;
        _source.Position = _payload + offset;
        return (int)Math.Min(_message.SegmentSizeInBytes, _payloadLength - offset);
    }

    private void Decrypt(long index, int size, int read)
    {
        if (read != size)
            throw FloeMessage.Refused();   // the file was cut after it was opened
        var length = size - FloeMessage.SegmentOverheadInBytes;
        _message.DecryptSegment(index, _segment.AsSpan(0, size), final: index == _segments - 1, _plaintext.AsSpan(0, length));
        (_loaded, _loadedLength) = (index, length);
    }

    private int Take(Span<byte> buffer)
    {
        var start = (int)(_position - _loaded * _message.PlaintextPerSegmentInBytes);
        var count = Math.Min(buffer.Length, _loadedLength - start);
        _plaintext.AsSpan(start, count).CopyTo(buffer);
        _position += count;
        return count;
    }
}
