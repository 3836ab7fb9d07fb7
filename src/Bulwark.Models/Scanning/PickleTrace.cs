namespace Bulwark.Models.Scanning;

/// <summary>Reads a Python pickle without running it, and says what loading it would import and call, in order.</summary>
/// <remarks>
/// Source: CPython, Lib/pickletools.py, protocols 0 to 5. The stack machine is followed with texts for values; nothing is resolved and nothing is built.
/// What cannot be followed ends the trace: a pickle is refused whatever the trace says, so a trick that hides a call hides it from the message only.
/// </remarks>
internal sealed class PickleTrace
{
    internal const int MostCalls = 64;
    private const int MostSteps = 1_000_000;
    private const int LongestText = 160;
    private const string Mark = "\u0001mark";

    private readonly Stack<string> _stack = new();
    private readonly Dictionary<long, string> _memo = [];
    private readonly List<string> _calls = [];
    private bool _stopped;

    /// <summary>What loading would import and call.</summary>
    internal IReadOnlyList<string> Calls => _calls;

    /// <summary>True when the bytes form a pickle up to its end.</summary>
    internal bool IsWhole => _stopped;

    /// <param name="stream">Seekable, of any length; read from where it stands, at most the codes and the beginnings of what they carry.</param>
    internal static PickleTrace Read(Stream stream)
    {
        var trace = new PickleTrace();
        var reader = new PickleReader(stream);
        for (var step = 0; step < MostSteps && !trace._stopped && trace._calls.Count < MostCalls && reader.TryByte(out var code); step++)
        {
            if (!trace.Step(code, reader) || reader.RanOut)
                break;
        }

        return trace;
    }

    /// <summary>False where the code is unknown or the stack does not hold what it takes.</summary>
    private bool Step(byte code, PickleReader reader)
    {
        switch ((char)code)
        {
            case '.': _stopped = true; return true;
            case '(': return Push(Mark);
            case '0': return _stack.TryPop(out _);
            case '1': return TryPopToMark(out _);
            case '2': return _stack.TryPeek(out var top) && Push(top);
            case 'N': return Push("None");
            case '\u0088': return Push("True");
            case '\u0089': return Push("False");
            case ')' or ']' or '}' or '\u008f': return Push(code switch { (byte)']' => "[]", (byte)'}' => "{}", (byte)')' => "()", _ => "set()" });
            case 'I' or 'F' or 'L': return Push(reader.Line());
            case 'S' or 'V': return Push(Quoted(reader.Line().Trim('\'', '"')));
            case 'K': return Push(Number(reader.Fixed(1)));
            case 'M': return Push(Number(reader.Fixed(2)));
            case 'J': return Push(Number(reader.Fixed(4)));
            case 'G': reader.Fixed(8); return Push("float");
            case '\u008a': reader.Counted(1); return Push("long");
            case '\u008b': reader.Counted(4); return Push("long");
            case 'U' or '\u008c': return Push(Quoted(reader.Text(1)));
            case 'T' or 'X': return Push(Quoted(reader.Text(4)));
            case '\u008d': return Push(Quoted(reader.Text(8)));
            case 'C': return Push(Bytes(reader.Counted(1)));
            case 'B': return Push(Bytes(reader.Counted(4)));
            case '\u008e' or '\u0096': return Push(Bytes(reader.Counted(8)));
            case '\u0080': reader.Fixed(1); return true;
            case '\u0095': reader.Fixed(8); return true;
            case '\u0097': return Push("buffer");
            case '\u0098': return true;
            default: return Build(code, reader) || Remember(code, reader) || Run(code, reader);
        }
    }

    /// <summary>Codes that make containers or fill them.</summary>
    private bool Build(byte code, PickleReader reader)
    {
        switch ((char)code)
        {
            case 't' or '\u0091': return TryPopToMark(out var items) && Push(Tuple(items));
            case 'l' or 'd': return TryPopToMark(out var members) && Push(code == 'l' ? $"[{string.Join(", ", members)}]" : "{…}");
            case '\u0085': return TryPop(1, out var one) && Push(Tuple(one));
            case '\u0086': return TryPop(2, out var two) && Push(Tuple(two));
            case '\u0087': return TryPop(3, out var three) && Push(Tuple(three));
            case 'a': return TryPop(1, out _);
            case 's': return TryPop(2, out _);
            case 'e' or 'u' or '\u0090': return TryPopToMark(out _);
            default: return false;
        }
    }

    /// <summary>Codes that keep a value for later or fetch it.</summary>
    private bool Remember(byte code, PickleReader reader)
    {
        switch ((char)code)
        {
            case 'p': return long.TryParse(reader.Line(), out var named) && Keep(named);
            case 'q': return Keep(reader.Fixed(1));
            case 'r': return Keep(reader.Fixed(4));
            case '\u0094': return Keep(_memo.Count);
            case 'g': return long.TryParse(reader.Line(), out var wanted) && Push(_memo.GetValueOrDefault(wanted, "?"));
            case 'h': return Push(_memo.GetValueOrDefault(reader.Fixed(1), "?"));
            case 'j': return Push(_memo.GetValueOrDefault(reader.Fixed(4), "?"));
            default: return false;
        }
    }

    /// <summary>Codes that import or call: what makes a pickle a program.</summary>
    private bool Run(byte code, PickleReader reader)
    {
        switch ((char)code)
        {
            case 'c': return Import($"{reader.Line()}.{reader.Line()}");
            case '\u0093': return TryPop(2, out var name) && Import($"{name[0].Trim('\'')}.{name[1].Trim('\'')}");
            case '\u0082': return Import($"extension {reader.Fixed(1)}");
            case '\u0083': return Import($"extension {reader.Fixed(2)}");
            case '\u0084': return Import($"extension {reader.Fixed(4)}");
            case 'R' or '\u0081': return TryPop(2, out var call) && Call(call[0], call[1]);
            case '\u0092': return TryPop(3, out var keyed) && Call(keyed[0], $"({keyed[1]}, **{keyed[2]})");
            case 'i':
                var type = $"{reader.Line()}.{reader.Line()}";
                return TryPopToMark(out var arguments) && Call(type, Tuple(arguments));
            case 'o': return TryPopToMark(out var made) && made.Count > 0 && Call(made[0], Tuple([.. made.Skip(1)]));
            case 'b': return TryPop(1, out var state) && _stack.TryPeek(out var target) && Note($"{target}.__setstate__({state[0]})");
            case 'P': return Push($"persistent {reader.Line()}");
            case 'Q': return TryPop(1, out var id) && Push($"persistent {id[0]}");
            default: return false;
        }
    }

    private bool Import(string name)
    {
        Note($"import {name}");
        return Push(name);
    }

    private bool Call(string function, string arguments)
    {
        var text = Short($"{function}{(arguments.StartsWith('(') ? arguments : $"({arguments})")}");
        Note(text);
        return Push(text);
    }

    private bool Note(string what)
    {
        _calls.Add(Short(what));
        return true;
    }

    private bool Keep(long place) => _stack.TryPeek(out var value) && (_memo[place] = value) is not null;

    private bool Push(string value)
    {
        _stack.Push(Short(value));
        return true;
    }

    private bool TryPop(int count, out List<string> values)
    {
        values = [];
        while (values.Count < count && _stack.TryPop(out var value))
            values.Insert(0, value);
        return values.Count == count;
    }

    private bool TryPopToMark(out List<string> values)
    {
        values = [];
        while (_stack.TryPop(out var value))
        {
            if (value == Mark)
            {
                values.Reverse();
                return true;
            }

            values.Add(value);
        }

        return false;
    }

    private static string Tuple(List<string> items) => Short($"({string.Join(", ", items.Take(16))}{(items.Count > 16 ? ", …" : "")})");

    private static string Quoted(string text) => $"'{Short(text)}'";

    private static string Bytes(long length) => $"{length} bytes";

    private static string Number(long value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Short(string text) => text.Length <= LongestText ? text : $"{text.AsSpan(0, LongestText)}…";
}
