using System.Globalization;
using System.Text;

namespace Bulwark.Policy.Syntax;

/// <summary>The escapes of a string: <c>\n \r \t \\ \0 \' \" \x41 \u{1F600}</c>, and in a pattern <c>\*</c>.</summary>
internal static class Escapes
{
    /// <summary>The text that a string token means; null when an escape is wrong.</summary>
    internal static string? Decode(string raw)
    {
        if (raw.AsSpan().IndexOfAny('\\', '\r') < 0)
            return raw;
        var text = new StringBuilder(raw.Length);
        for (var at = 0; at < raw.Length;)
        {
            if (raw[at] == '\\' ? Escape(raw, ref at) is not { } piece : (piece = Plain(raw, ref at)) is null)
                return null;
            text.Append(piece);
        }

        return text.ToString();
    }

    /// <summary>The pattern that a string token means after <c>like</c>: literal parts between wildcards; null when an escape is wrong.</summary>
    internal static List<string>? DecodePattern(string raw)
    {
        var parts = new List<string>();
        var text = new StringBuilder(raw.Length);
        for (var at = 0; at < raw.Length;)
        {
            if (raw[at] == '*')
            {
                parts.Add(text.ToString());
                text.Clear();
                at++;
            }
            else if (raw.AsSpan(at).StartsWith("\\*"))
            {
                text.Append('*');
                at += 2;
            }
            else
            {
                if (raw[at] == '\\' ? Escape(raw, ref at) is not { } piece : (piece = Plain(raw, ref at)) is null)
                    return null;
                text.Append(piece);
            }
        }

        parts.Add(text.ToString());
        return parts;
    }

    /// <summary>A carriage return stands in a string only before a line feed, and then is none.</summary>
    private static string? Plain(string raw, ref int at)
    {
        if (raw[at] != '\r')
            return raw[at++].ToString();
        at++;
        return at < raw.Length && raw[at] == '\n' ? "" : null;
    }

    private static string? Escape(string raw, ref int at)
    {
        at++;
        var c = at < raw.Length ? raw[at++] : '\uffff';
        switch (c)
        {
            case 'n': return "\n";
            case 'r': return "\r";
            case 't': return "\t";
            case '0': return "\0";
            case '\\' or '\'' or '"': return c.ToString();
            case 'x': return Ascii(raw, ref at);
            case 'u': return CodePoint(raw, ref at);
            case '\n':
                while (at < raw.Length && raw[at] is ' ' or '\t' or '\n' or '\r')
                    at++;
                return "";
            default: return null;
        }
    }

    private static string? Ascii(string raw, ref int at)
    {
        if (at + 2 > raw.Length || !byte.TryParse(raw.AsSpan(at, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || value > 0x7f)
            return null;
        at += 2;
        return ((char)value).ToString();
    }

    private static string? CodePoint(string raw, ref int at)
    {
        var end = raw.IndexOf('}', at);
        if (end < 0 || raw[at] != '{')
            return null;
        var digits = raw[(at + 1)..end].Replace("_", "", StringComparison.Ordinal);
        at = end + 1;
        return digits.Length is >= 1 and <= 6 && int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            && Rune.IsValid(value) ? new Rune(value).ToString() : null;
    }
}
