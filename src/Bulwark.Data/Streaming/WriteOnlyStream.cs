namespace Bulwark.Data;

/// <summary>A stream that is written forward and counts; the rest of what streams can do it cannot.</summary>
internal abstract class WriteOnlyStream : Stream
{
    private long _written;

    public sealed override bool CanRead => false;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => true;

    public sealed override long Length => _written;

    public sealed override long Position
    {
        get => _written;
        set => throw new NotSupportedException();
    }

    public sealed override void Write(ReadOnlySpan<byte> buffer)
    {
        WriteCore(buffer);
        _written += buffer.Length;
    }

    public sealed override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public sealed override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();

    protected abstract void WriteCore(ReadOnlySpan<byte> buffer);
}
