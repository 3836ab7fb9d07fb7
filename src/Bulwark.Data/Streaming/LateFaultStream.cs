namespace Bulwark.Data;

/// <summary>Keeps a fault of the disk from the native Parquet writer, which may end the process when its stream throws: the fault is kept and thrown between its calls.</summary>
internal sealed class LateFaultStream(Stream destination) : Stream
{
    private Exception? _fault;
    private long _written;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _written;

    public override long Position
    {
        get => _written;
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">A write failed; what was written since is lost.</exception>
    internal void ThrowIfFaulted()
    {
        if (_fault is not null)
            throw new IOException(_fault.Message, _fault);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _written += buffer.Length;
        if (_fault is not null)
            return;
        try
        {
            destination.Write(buffer);
        }
        catch (Exception fault)
        {
            _fault = fault;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        if (_fault is not null)
            return;
        try
        {
            destination.Flush();
        }
        catch (Exception fault)
        {
            _fault = fault;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
