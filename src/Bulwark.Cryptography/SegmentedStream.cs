using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The plaintext of a segmented message: read-only, seekable, a few segments in memory, no byte before its tag is checked.</summary>
/// <remarks>
/// <see cref="ReadAt"/> may be called from several threads at once; <see cref="Read(Span{byte})"/> and the position belong to one.
/// Reading on from segment to segment decrypts the next ones beforehand. Closing it wipes its memory and closes the source.
/// </remarks>
public class SegmentedStream : Stream
{
    private readonly Stream _source;
    private readonly SegmentedMessage _message;
    private readonly SegmentCache _cache;
    private readonly ConcurrentBag<SegmentedMessage> _idle = [];
    private readonly long _body;
    private readonly long _bodyLength;
    private readonly long _segments;
    private readonly int _readAhead;
    private long _position;
    private long _lastRead = -1;
    private bool _disposed;

    /// <summary>Opens the body of a message.</summary>
    /// <param name="source">Seekable, standing at segment 0; the message ends where it ends. It belongs to the new stream.</param>
    /// <param name="message">Opened by its header; belongs to the new stream.</param>
    /// <param name="readAhead">Segments that are decrypted beforehand when reading goes on from one to the next; 0 for none.</param>
    /// <exception cref="CryptographicException">No message has that length.</exception>
    public SegmentedStream(Stream source, SegmentedMessage message, int readAhead = 0)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(message);
        ArgumentOutOfRangeException.ThrowIfNegative(readAhead);
        (_source, _message, _readAhead) = (source, message, readAhead);
        (_body, _bodyLength) = (source.Position, source.Length - source.Position);
        if (!message.Layout.TryMeasure(_bodyLength, out _segments, out var length))
            throw SegmentedMessage.Refused();
        Length = length;
        _cache = new SegmentCache(2 + readAhead, message.Layout.SegmentSizeInBytes, Decrypt);
    }

    /// <inheritdoc/>
    public override bool CanRead => !_disposed;

    /// <inheritdoc/>
    public override bool CanSeek => !_disposed;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <summary>Length of the plaintext in bytes. Proved only by <see cref="CheckEnd"/>, or by reading the last byte.</summary>
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

    /// <summary>True when the last segment holds no plaintext, so that reading never opens it.</summary>
    internal bool EndsInEmptySegment => _message.Layout.PlaintextStart(_segments - 1) == Length;

    /// <summary>Opens the last segment: only then is the length what was sealed.</summary>
    /// <exception cref="CryptographicException">The end is missing or was changed.</exception>
    public void CheckEnd()
    {
        using var _ = _cache.Get(_segments - 1);
    }

    /// <summary>Reads from any place; thread-safe.</summary>
    /// <param name="offset">Of the first byte; 0 or more.</param>
    /// <param name="buffer">Filled as far as the plaintext goes.</param>
    /// <returns>Bytes read: fewer than asked only at the end.</returns>
    /// <exception cref="CryptographicException">The bytes at this place were changed.</exception>
    public int ReadAt(long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(_disposed, this);
        var done = 0;
        while (done < buffer.Length && offset + done < Length)
            done += ReadOne(offset + done, buffer[done..]);
        return done;
    }

    /// <inheritdoc/>
    /// <exception cref="CryptographicException">The bytes at this place were changed.</exception>
    public override int Read(Span<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_position >= Length || buffer.IsEmpty)
            return 0;
        var index = _message.Layout.SegmentOf(_position);
        if (_readAhead > 0 && index == _lastRead + 1 && index > 0)
            _cache.Prepare(Enumerable.Range(0, _readAhead + 1).Select(i => index + i).Where(i => i < _segments));
        _lastRead = index;
        var count = ReadOne(_position, buffer);
        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    /// <remarks>Completes at once: what takes time is decryption.</remarks>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<int>(cancellationToken) : new(Read(buffer.Span));

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Decrypts all of it, from its beginning, on several threads; not while another thread reads.</summary>
    /// <param name="destination">Written once, forward; only verified segments.</param>
    /// <param name="threads">1 or more; 0 for one a core.</param>
    /// <param name="progress">Told the bytes written so far.</param>
    /// <param name="cancel">Stops between segments.</param>
    /// <exception cref="CryptographicException">A segment was changed; what was written before is right.</exception>
    public Task CopyAllAsync(Stream destination, int threads = 0, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _source.Position = _body;
        return SegmentPipeline.OpenAsync(_message, _source, destination, threads, progress, cancel);
    }

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
    public override void SetLength(long value) => throw new NotSupportedException("What is sealed is read-only.");

    /// <summary>Not possible.</summary>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("What is sealed is read-only.");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _cache.Dispose();
            while (_idle.TryTake(out var idle))
                idle.Dispose();
            _message.Dispose();
            _source.Dispose();
        }

        base.Dispose(disposing);
    }

    private int ReadOne(long offset, Span<byte> buffer)
    {
        var index = _message.Layout.SegmentOf(offset);
        var start = (int)(offset - _message.Layout.PlaintextStart(index));
        using var segment = _cache.Get(index);
        var count = Math.Min(buffer.Length, segment.Plaintext.Length - start);
        segment.Plaintext.Span.Slice(start, count).CopyTo(buffer);
        return count;
    }

    /// <summary>Reads and decrypts a segment in place.</summary>
    private Memory<byte> Decrypt(long index, SegmentBuffer buffer)
    {
        var layout = _message.Layout;
        var start = layout.SegmentStart(index);
        var segment = buffer.Take((int)Math.Min(layout.SegmentSize(index), _bodyLength - start));
        if (ReadSource(_body + start, segment.Span) != segment.Length)
            throw SegmentedMessage.Refused();   // the file was cut after it was opened
        var plaintext = segment[layout.PrefixSizeInBytes..^layout.TagSizeInBytes];
        var message = _idle.TryTake(out var idle) ? idle : _message.Fork();
        try
        {
            message.DecryptSegment(index, segment.Span, final: index == _segments - 1, plaintext.Span);
        }
        finally
        {
            _idle.Add(message);
        }

        return plaintext;
    }

    private int ReadSource(long offset, Span<byte> target)
    {
        if (_source is FileStream file)
        {
            var done = 0;
            for (int count; done < target.Length && (count = RandomAccess.Read(file.SafeFileHandle, target[done..], offset + done)) > 0;)
                done += count;
            return done;
        }

        lock (_source)
        {
            _source.Position = offset;
            return _source.ReadAtLeast(target, target.Length, throwOnEndOfStream: false);
        }
    }
}
