using System.Globalization;
using System.Text;

namespace Bulwark.Deployment;

/// <summary>Reads the TOML 1.0 of initdata and of Gramine's manifests: tables, arrays of tables, dotted and quoted keys, all four kinds of text, numbers, booleans, arrays, inline tables. Dates are refused.</summary>
/// <remarks>Values are <see cref="string"/>, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="List{T}"/> and <see cref="Dictionary{TKey, TValue}"/> of objects.</remarks>
internal sealed class Toml
{
    private const int DeepestNesting = 32;
    private readonly string _text;
    private int _at;
    private int _depth;

    private Toml(string text) => _text = text.ReplaceLineEndings("\n");

    /// <exception cref="FormatException">The text is no such TOML; the message names the line.</exception>
    internal static Dictionary<string, object> Parse(string text) => new Toml(text).Document();

    private Dictionary<string, object> Document()
    {
        var root = new Dictionary<string, object>(StringComparer.Ordinal);
        var table = root;
        while (SkipToValue())
        {
            if (Take("[["))
            {
                table = NextOfArray(root, Keys());
                Expect("]]");
            }
            else if (Take("["))
            {
                table = Descend(root, Keys());
                Expect("]");
            }
            else
            {
                Assign(table);
            }

            EndOfLine();
        }

        return root;
    }

    private void Assign(Dictionary<string, object> table)
    {
        var keys = Keys();
        Expect("=");
        var target = Descend(table, keys[..^1]);
        Blanks();
        if (!target.TryAdd(keys[^1], Value()))
            throw Fault($"'{keys[^1]}' is said twice");
    }

    private List<string> Keys()
    {
        var keys = new List<string>();
        do
        {
            Blanks();
            keys.Add(Peek is '"' or '\'' ? Line(Peek) : Bare());
            Blanks();
        }
        while (Take("."));
        return keys.Count <= DeepestNesting ? keys : throw Fault("too many parts in a key");
    }

    private string Bare()
    {
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Peek) || Peek is '_' or '-')
            _at++;
        return _at > start ? _text[start.._at] : throw Fault("a key is missing");
    }

    private object Value()
    {
        if (++_depth > DeepestNesting)
            throw Fault("too deep");
        object value = Peek switch
        {
            '"' or '\'' => Take($"{Peek}{Peek}{Peek}", look: true) ? Lines(Peek) : Line(Peek),
            '[' => List(),
            '{' => Inline(),
            _ => Word(),
        };
        _depth--;
        return value;
    }

    private List<object> List()
    {
        var list = new List<object>();
        Expect("[");
        while (SkipToValue() && Peek != ']')
        {
            list.Add(Value());
            SkipToValue();
            if (!Take(","))
                break;
        }

        SkipToValue();
        Expect("]");
        return list;
    }

    private Dictionary<string, object> Inline()
    {
        var table = new Dictionary<string, object>(StringComparer.Ordinal);
        Expect("{");
        Blanks();
        if (Take("}"))
            return table;
        do
            Assign(table);
        while (Comma());
        Expect("}");
        return table;
    }

    private bool Comma()
    {
        Blanks();
        return Take(",");
    }

    private object Word()
    {
        var start = _at;
        while (_at < _text.Length && Peek is not (',' or ']' or '}' or '#' or '\n' or ' ' or '\t'))
            _at++;
        var word = _text[start.._at];
        var digits = word.Replace("_", "", StringComparison.Ordinal);
        return word switch
        {
            "true" => true,
            "false" => false,
            _ when digits.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hexadecimal) => hexadecimal,
            _ when long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
            _ when double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => throw Fault($"'{word}' is no value that is known here"),
        };
    }

    private string Line(char quote)
    {
        Expect($"{quote}");
        var text = new StringBuilder();
        for (; Peek != quote; _at++)
        {
            if (Peek is '\n' or '\0')
                throw Fault("a text does not end on its line");
            if (quote == '"' && Peek == '\\')
                Escape(text);
            else
                text.Append(Peek);
        }

        _at++;
        return text.ToString();
    }

    private string Lines(char quote)
    {
        var fence = new string(quote, 3);
        Expect(fence);
        Take("\n");
        var text = new StringBuilder();
        for (; !Take(fence, look: true); _at++)
        {
            if (_at >= _text.Length)
                throw Fault("a text does not end");
            if (quote == '"' && Peek == '\\')
                Escape(text);
            else
                text.Append(Peek);
        }

        Expect(fence);
        return text.ToString();
    }

    /// <summary>Stands on the backslash; leaves on the last character of the escape.</summary>
    private void Escape(StringBuilder text)
    {
        _at++;
        if (Peek is 'u' or 'U')
        {
            var length = Peek == 'u' ? 4 : 8;
            if (_at + length >= _text.Length || !int.TryParse(_text.AsSpan(_at + 1, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || !Rune.IsValid(code))
                throw Fault("an escape names no character");
            text.Append(new Rune(code));
            _at += length;
            return;
        }

        if (Peek == '\n')
        {
            while (_at + 1 < _text.Length && char.IsWhiteSpace(_text[_at + 1]))
                _at++;
            return;
        }

        text.Append(Peek switch { 'b' => '\b', 't' => '\t', 'n' => '\n', 'f' => '\f', 'r' => '\r', '"' => '"', '\\' => '\\', _ => throw Fault("an escape is not known") });
    }

    private Dictionary<string, object> Descend(Dictionary<string, object> table, List<string> keys)
    {
        foreach (var key in keys)
        {
            if (!table.TryGetValue(key, out var next))
                table[key] = next = new Dictionary<string, object>(StringComparer.Ordinal);
            table = next switch
            {
                Dictionary<string, object> inner => inner,
                List<object> and [.., Dictionary<string, object> last] => last,
                _ => throw Fault($"'{key}' is no table"),
            };
        }

        return table;
    }

    private Dictionary<string, object> NextOfArray(Dictionary<string, object> root, List<string> keys)
    {
        var parent = Descend(root, keys[..^1]);
        if (!parent.TryGetValue(keys[^1], out var found))
            parent[keys[^1]] = found = new List<object>();
        if (found is not List<object> list)
            throw Fault($"'{keys[^1]}' is no array");
        var table = new Dictionary<string, object>(StringComparer.Ordinal);
        list.Add(table);
        return table;
    }

    private char Peek => _at < _text.Length ? _text[_at] : '\0';

    private bool Take(string word, bool look = false)
    {
        if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0)
            return false;
        if (!look)
            _at += word.Length;
        return true;
    }

    private void Expect(string word)
    {
        Blanks();
        if (!Take(word))
            throw Fault($"'{word}' is missing");
    }

    private void Blanks()
    {
        while (Peek is ' ' or '\t')
            _at++;
    }

    /// <summary>Over blanks, lines and comments; false at the end.</summary>
    private bool SkipToValue()
    {
        for (; _at < _text.Length; _at++)
        {
            if (Peek == '#')
                _at = _text.IndexOf('\n', _at) is >= 0 and var end ? end : _text.Length - 1;
            else if (Peek is not (' ' or '\t' or '\n'))
                return true;
        }

        return false;
    }

    private void EndOfLine()
    {
        Blanks();
        if (Peek == '#' || Peek == '\n' || _at >= _text.Length)
            return;
        throw Fault("something follows a value on its line");
    }

    private FormatException Fault(string what) => new($"Line {_text.AsSpan(0, Math.Min(_at, _text.Length)).Count('\n') + 1}: {what}.");
}
