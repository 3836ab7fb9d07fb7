namespace Bulwark.Tests.Cryptography;

/// <summary>A pipe: no length, no seeking, short reads.</summary>
internal sealed class ForwardStream(Stream inner) : Stream
{
    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, Math.Min(count, 100_003));
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>A disk that fails after so many bytes, read or written.</summary>
internal sealed class FailingStream(Stream inner, long bytes) : Stream
{
    private long _left = bytes;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count)
    {
        Spend(1);
        var read = inner.Read(buffer, offset, (int)Math.Min(count, Math.Max(1, _left)));
        Spend(read - 1);
        return read;
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        Spend(count);
        inner.Write(buffer, offset, count);
    }

    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();

    private void Spend(long count)
    {
        if (count > Interlocked.Read(ref _left))
            throw new IOException("No space left on device");
        Interlocked.Add(ref _left, -count);
    }
}
