using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>The bytes inside age's ASCII armor: strict base64 in lines of 64, between two marks, white space only outside of them.</summary>
internal sealed class AgeArmorReader(Stream source) : ForwardReader
{
    internal const string Begin = "-----BEGIN AGE ENCRYPTED FILE-----", End = "-----END AGE ENCRYPTED FILE-----";
    private const int Columns = 64, MostWhiteSpace = 1024;

    private bool _begun;
    private bool _short;
    private bool _ended;

    /// <summary>Decodes one line; false at the end mark.</summary>
    protected override bool Fill()
    {
        if (_ended)
            return false;
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

        if (_short || line.Length is 0 or > Columns || !StrictBase64.TryDecode(line, out var decoded))
            throw AgeException.Armor("a line is not base64 of the right length");
        _short = line.Length < Columns || line[^1] == '=';
        Waiting = decoded;
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
