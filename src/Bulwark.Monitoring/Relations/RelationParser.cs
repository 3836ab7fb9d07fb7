using System.Globalization;

namespace Bulwark.Monitoring;

/// <summary>Reads a relation and writes its tape: the operations in the order in which they are computed.</summary>
/// <remarks>
/// rule = either ["=&gt;" either]; either = both {"or" both}; both = simple {"and" simple}; simple = "not" simple | sum (compare sum ["within" number] |
/// "in" set) | "(" rule ")"; sum = product {("+"|"-") product}; product = power {("*"|"/"|"%") power}; power = atom ["^" power];
/// atom = number | feature | `feature in quotes` | function "(" sum {"," sum} ")" | "-" atom | "(" sum ")".
/// </remarks>
internal sealed class RelationParser
{
    private const int Deepest = 64;
    private const int MostOperations = 4096;
    private readonly string _text;
    private readonly Func<string, int> _feature;
    private readonly TapeBuilder _tape = new();
    private int _at;
    private int _depth;

    private RelationParser(string text, Func<string, int> feature) => (_text, _feature) = (text, feature);

    /// <exception cref="FormatException">It is no relation; the message names the place.</exception>
    internal static Tape Read(string text, Func<string, int> feature)
    {
        var parser = new RelationParser(text, feature);
        var result = parser.Rule(negated: false);
        parser.Blank();
        if (parser._at < text.Length)
            throw parser.Fault("the rule goes on after its end");
        if (result.IsNumber)
            throw parser.Fault("this is a number, not a relation: compare it with something");
        return parser._tape.Finish(result.Node);
    }

    private Part Rule(bool negated)
    {
        Enter();
        var start = _at;
        // An implication negates its left side, which must be known before that side is written: look ahead for the arrow at this level.
        Part result;
        if (ArrowFollows())
        {
            var left = Either(!negated);
            Expect("=>");
            var right = Either(negated);
            result = negated ? Join(Operation.And, left, right, start) : Join(Operation.Or, left, right, start);
        }
        else
        {
            result = Either(negated);
        }

        _depth--;
        return result;
    }

    private Part Either(bool negated)
    {
        var left = Both(negated);
        while (Word("or"))
            left = Join(negated ? Operation.And : Operation.Or, left, Both(negated), _at);
        return left;
    }

    private Part Both(bool negated)
    {
        var left = Simple(negated);
        while (Word("and"))
            left = Join(negated ? Operation.Or : Operation.And, left, Simple(negated), _at);
        return left;
    }

    private Part Simple(bool negated)
    {
        Enter();
        try
        {
            if (Word("not"))
                return Simple(!negated);
            // A bracket opens a relation or a number: try the number first, it is the shorter language.
            var (at, mark, depth) = (_at, _tape.Mark(), _depth);
            try
            {
                return Comparison(negated);
            }
            catch (FormatException) when (Opens(at))
            {
                (_at, _depth) = (at, depth);
                _tape.Reset(mark);
                Expect("(");
                var inner = Rule(negated);
                Expect(")");
                return inner;
            }
        }
        finally
        {
            _depth--;
        }
    }

    private Part Comparison(bool negated)
    {
        var left = Sum();
        if (Word("in"))
            return Among(left, negated);
        Blank();
        foreach (var sign in (string[])["<=", ">=", "==", "!=", "<", ">", "="])
        {
            if (!_text.AsSpan(_at).StartsWith(sign) || (sign == "=" && _text.AsSpan(_at).StartsWith("=>")))
                continue;
            _at += sign.Length;
            var right = Sum();
            return Compare(sign, left, right, negated);
        }

        throw Fault("a comparison is missing: <, <=, =, !=, >=, > or in");
    }

    private Part Compare(string sign, int left, int right, bool negated)
    {
        if (sign is "=" or "==" or "!=")
        {
            var within = Word("within") ? Number() : 0;
            return new(_tape.Add(sign == "!=" != negated ? Operation.Differ : Operation.Equal, left, right, constant: within), IsNumber: false);
        }

        if (sign is ">" or ">=")
            (left, right) = (right, left);
        var strict = sign is "<" or ">";
        // not (a < b) is b <= a, not (a <= b) is b < a
        return new(negated
            ? _tape.Add(strict ? Operation.LessOrEqual : Operation.Less, right, left)
            : _tape.Add(strict ? Operation.Less : Operation.LessOrEqual, left, right), IsNumber: false);
    }

    private Part Among(int left, bool negated)
    {
        Expect("{");
        Part? all = null;
        do
        {
            var one = new Part(_tape.Add(negated ? Operation.Differ : Operation.Equal, left, _tape.Constant(Number())), IsNumber: false);
            all = all is { } some ? Join(negated ? Operation.And : Operation.Or, some, one, _at) : one;
        }
        while (Sign(','));
        Expect("}");
        return all.Value;
    }

    private int Sum()
    {
        var left = Product();
        while (true)
        {
            Blank();
            if (Sign('+'))
                left = _tape.Add(Operation.Add, left, Product());
            else if (Sign('-'))
                left = _tape.Add(Operation.Subtract, left, Product());
            else
                return left;
        }
    }

    private int Product()
    {
        var left = Power();
        while (true)
        {
            if (Sign('*'))
                left = _tape.Add(Operation.Multiply, left, Power());
            else if (Sign('/'))
                left = _tape.Add(Operation.Divide, left, Power());
            else if (Sign('%'))
                left = _tape.Add(Operation.Modulo, left, Power());
            else
                return left;
        }
    }

    private int Power()
    {
        var left = Atom();
        return Sign('^') ? _tape.Add(Operation.Power, left, Power()) : left;
    }

    private int Atom()
    {
        Enter();
        try
        {
            Blank();
            if (Sign('-'))
                return _tape.Add(Operation.Subtract, _tape.Constant(0), Atom());
            if (Sign('('))
            {
                var inner = Sum();
                Expect(")");
                return inner;
            }

            if (char.IsAsciiDigit(Peek(_at)) || Peek(_at) == '.')
                return _tape.Constant(Number());
            return Named();
        }
        finally
        {
            _depth--;
        }
    }

    private int Named()
    {
        Blank();
        var start = _at;
        string name;
        if (Sign('`'))
        {
            var end = _text.IndexOf('`', _at);
            if (end < 0)
                throw Fault("a quoted name has no end");
            (name, _at) = (_text[_at..end], end + 1);
        }
        else
        {
            while (char.IsLetterOrDigit(Peek(_at)) || Peek(_at) is '_' or '.')
                _at++;
            name = _text[start.._at];
        }

        var quoted = Peek(start) == '`';
        if (name.Length == 0 || (!quoted && name is "and" or "or" or "not" or "in" or "within"))
            throw Fault("a number or a feature is missing");
        Blank();
        if (!quoted && Peek(_at) == '(' && TapeBuilder.Functions.TryGetValue(name, out var function))
            return Call(name, function);
        var index = _feature(name);
        return index >= 0 ? _tape.Feature(index) : throw new FormatException($"the rule names '{name}', which is no feature");
    }

    private int Call(string name, (Operation Operation, int Arguments) function)
    {
        Expect("(");
        var arguments = new List<int> { Sum() };
        while (Sign(','))
            arguments.Add(Sum());
        Expect(")");
        if (arguments.Count != function.Arguments)
            throw Fault($"{name} takes {function.Arguments} values, not {arguments.Count}");
        return _tape.Add(function.Operation, arguments[0], arguments.ElementAtOrDefault(1), arguments.ElementAtOrDefault(2));
    }

    private double Number()
    {
        Blank();
        var start = _at;
        if (Peek(_at) == '-')
            _at++;
        while (char.IsAsciiDigit(Peek(_at)) || Peek(_at) == '.' || (Peek(_at) is 'e' or 'E' && _at > start) || (Peek(_at) is '-' or '+' && Peek(_at - 1) is 'e' or 'E'))
            _at++;
        return double.TryParse(_text.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? value : throw Fault("a number is missing");
    }

    private Part Join(Operation operation, Part left, Part right, int at)
    {
        if (left.IsNumber || right.IsNumber)
            throw Fault($"a number stands where a relation should, before character {at + 1}");
        return new(_tape.Add(operation, left.Node, right.Node), IsNumber: false);
    }

    /// <summary>Whether an arrow stands at this level of brackets before it closes; brackets and arrows in quoted names are none.</summary>
    private bool ArrowFollows()
    {
        var level = 0;
        for (var i = _at; i < _text.Length - 1; i++)
        {
            if (_text[i] == '`')
            {
                i = _text.IndexOf('`', i + 1);
                if (i < 0)
                    return false;
                continue;
            }

            level += _text[i] == '(' ? 1 : _text[i] == ')' ? -1 : 0;
            if (level < 0)
                return false;
            if (level == 0 && _text[i] == '=' && _text[i + 1] == '>')
                return true;
        }

        return false;
    }

    private bool Opens(int at) => _text.AsSpan(at).TrimStart().StartsWith("(");

    private char Peek(int at) => at >= 0 && at < _text.Length ? _text[at] : '\0';

    private bool Sign(char sign)
    {
        Blank();
        if (_at >= _text.Length || _text[_at] != sign)
            return false;
        _at++;
        return true;
    }

    private bool Word(string word)
    {
        Blank();
        var end = _at + word.Length;
        if (end > _text.Length || !_text.AsSpan(_at).StartsWith(word) || (end < _text.Length && (char.IsLetterOrDigit(_text[end]) || _text[end] is '_' or '.')))
            return false;
        _at = end;
        return true;
    }

    private void Expect(string text)
    {
        Blank();
        if (!_text.AsSpan(_at).StartsWith(text))
            throw Fault($"'{text}' is missing");
        _at += text.Length;
    }

    private void Blank()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
            _at++;
    }

    private void Enter()
    {
        if (++_depth > Deepest || _tape.Mark() > MostOperations)
            throw new InvalidDataException("a rule is nested too deeply or too long");
    }

    private FormatException Fault(string what) => new($"at character {_at + 1}: {what}");

    private readonly record struct Part(int Node, bool IsNumber);
}
