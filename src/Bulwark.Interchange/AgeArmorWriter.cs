using System.Text;

namespace Bulwark.Interchange;

/// <summary>Writes bytes as age's ASCII armor. <see cref="Finish"/> writes the end.</summary>
internal sealed class AgeArmorWriter : Stream
{
    private const int BytesPerLine = 48;
    private readonly Stream _destination;
    private readonly byte[] _line = new byte[BytesPerLine];
    private int _count;

    internal AgeArmorWriter(Stream destination)
    {
        _destination = destination;
        Text(AgeArmorReader.Begin);
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    internal void Finish()
    {
        if (_count > 0)
            Text(Convert.ToBase64String(_line, 0, _count));
        Text(AgeArmorReader.End);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        var text = new StringBuilder(buffer.Length / BytesPerLine * 65 + 130);
        while (!buffer.IsEmpty)
        {
            var taken = Math.Min(BytesPerLine - _count, buffer.Length);
            buffer[..taken].CopyTo(_line.AsSpan(_count));
            buffer = buffer[taken..];
            _count += taken;
            if (_count < BytesPerLine)
                break;
            text.Append(Convert.ToBase64String(_line)).Append('\n');
            _count = 0;
        }

        _destination.Write(Encoding.ASCII.GetBytes(text.ToString()));
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Flush() => _destination.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Text(string line) => _destination.Write(Encoding.ASCII.GetBytes(line + "\n"));
}
