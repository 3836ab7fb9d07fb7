using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>The bytes inside age's ASCII armor: strict base64 in lines of 64, between two marks, white space only outside of them.</summary>
internal sealed class AgeArmorReader(Stream source) : Stream
{
    internal const string Begin = "-----BEGIN AGE ENCRYPTED FILE-----", End = "-----END AGE ENCRYPTED FILE-----";
    private const int Columns = 64, MostWhiteSpace = 1024;

    private byte[] _decoded = [];
    private int _from;
    private bool _begun;
    private bool _short;
    private bool _ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(Span<byte> buffer)
    {
        while (_from == _decoded.Length)
        {
            if (_ended || !Next())
                return 0;
        }

        var count = Math.Min(buffer.Length, _decoded.Length - _from);
        _decoded.AsSpan(_from, count).CopyTo(buffer);
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

    /// <summary>Decodes one line; false at the end mark.</summary>
    private bool Next()
    {
        if (!_begun)
        {
            if (Line(skipWhiteSpace: true) != Begin)
                throw AgeException.Armor("it does not begin with its mark alone on a line");
            _begun = true;
        }

        var line = Line() ?? throw AgeException.Armor("it ends without its mark");
        if (line == End)
        {
            _ended = true;
            RequireOnlyWhiteSpace();
            return false;
        }

        if (_short || line.Length is 0 or > Columns || !StrictBase64.TryDecode(line, out _decoded))
            throw AgeException.Armor("a line is not base64 of the right length");
        _short = line.Length < Columns || line[^1] == '=';
        _from = 0;
        return true;
    }

    /// <summary>A line without its end (LF or CR LF); null at the end of the source.</summary>
    private string? Line(bool skipWhiteSpace = false)
    {
        var line = new StringBuilder();
        var skipped = 0;
        for (int next; (next = source.ReadByte()) >= 0;)
        {
            if (skipWhiteSpace && line.Length == 0 && next is ' ' or '\t' or '\r' or '\n')
            {
                if (++skipped > MostWhiteSpace)
                    throw AgeException.Armor("it begins with too much white space");
                continue;
            }

            if (next == '\n')
                return line.Length > 0 && line[^1] == '\r' ? line.ToString(0, line.Length - 1) : line.ToString();
            line.Append((char)next);
            if (line.Length > 2 * Columns)
                throw AgeException.Armor("a line is too long");
        }

        return line.Length > 0 ? line.ToString() : null;
    }

    private void RequireOnlyWhiteSpace()
    {
        for (int next, count = 0; (next = source.ReadByte()) >= 0; count++)
        {
            if (next is not (' ' or '\t' or '\r' or '\n') || count > MostWhiteSpace)
                throw AgeException.Armor("something stands after its end");
        }
    }
}
