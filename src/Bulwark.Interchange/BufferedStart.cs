namespace Bulwark.Interchange;

/// <summary>A stream read forward whose first bytes can be looked at, and whose small reads do not all reach the source.</summary>
internal sealed class BufferedStart : Stream
{
    internal const int HeadSize = 1100;
    private readonly Stream _source;
    private readonly byte[] _buffer = new byte[8192];
    private int _from;
    private int _to;

    internal BufferedStart(Stream source)
    {
        _source = source;
        _to = source.ReadAtLeast(_buffer.AsSpan(0, HeadSize), HeadSize, throwOnEndOfStream: false);
    }

    /// <summary>The first bytes.</summary>
    internal ReadOnlySpan<byte> Head => _buffer.AsSpan(_from, Math.Min(HeadSize, _to - _from));

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        if (_from == _to)
        {
            if (buffer.Length >= _buffer.Length)
                return _source.Read(buffer);
            (_from, _to) = (0, _source.Read(_buffer));
        }

        var count = Math.Min(buffer.Length, _to - _from);
        _buffer.AsSpan(_from, count).CopyTo(buffer);
        _from += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
