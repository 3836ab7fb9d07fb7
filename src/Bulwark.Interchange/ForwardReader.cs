namespace Bulwark.Interchange;

/// <summary>A stream that is read forward out of a buffer that is filled again when it is empty; the rest of what streams can do it cannot.</summary>
internal abstract class ForwardReader : Stream
{
    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>What was read beforehand and not yet given out.</summary>
    protected ReadOnlyMemory<byte> Waiting { get; set; }

    public sealed override int Read(Span<byte> buffer)
    {
        while (Waiting.IsEmpty)
        {
            if (Direct(buffer) is { } read)
                return read;
            if (!Fill())
                return 0;
        }

        var count = Math.Min(buffer.Length, Waiting.Length);
        Waiting.Span[..count].CopyTo(buffer);
        Waiting = Waiting[count..];
        return count;
    }

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public sealed override void Flush()
    {
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>Reads past the buffer, where that is possible; null where it is not.</summary>
    protected virtual int? Direct(Span<byte> buffer) => null;

    /// <summary>Fills <see cref="Waiting"/>, with nothing perhaps; false at the end.</summary>
    protected abstract bool Fill();
}
