using Bulwark.Policy.Evaluation;

namespace Bulwark.Policy.Syntax;

/// <summary>Expressions, by precedence from the loosest: if, ||, &amp;&amp;, relations, + -, *, unary, member access.</summary>
internal sealed class ExpressionParser(TokenReader reader)
{
    private const int MaximumUnary = 4;

    internal Expression Expression() => reader.Nested(ReadExpression);

    internal EntityUid Entity()
    {
        var path = Path(beforeText: true);
        reader.Expect("::");
        return new(path, reader.Text("an entity's id"));
    }

    internal string Path(bool beforeText = false)
    {
        var path = reader.Identifier("a name");
        while (reader.Current.Is("::") && !(beforeText && reader.Peek().Kind == TokenKind.Text))
        {
            reader.Next();
            path += "::" + reader.Identifier("a name");
        }

        return path;
    }

    private Expression ReadExpression()
    {
        if (!reader.AcceptWord("if"))
            return Or();
        var condition = Expression();
        Word("then");
        var then = Expression();
        Word("else");
        return new Conditional(condition, then, Expression());
    }

    private void Word(string word)
    {
        if (!reader.AcceptWord(word))
            throw reader.Fault($"expected '{word}', found {reader.Current}.");
    }

    private Expression Or()
    {
        var left = And();
        while (reader.Accept("||"))
            left = new Or(left, And());
        return left;
    }

    private Expression And()
    {
        var left = Relation();
        while (reader.Accept("&&"))
            left = new And(left, Relation());
        return left;
    }

    private Expression Relation()
    {
        var left = Add();
        var token = reader.Current;
        Expression? relation =
            reader.Accept("==") ? new Equality(left, Add())
            : reader.Accept("!=") ? new Not(new Equality(left, Add()))
            : reader.Accept("<") ? new Comparison(ComparisonKind.Less, left, Add())
            : reader.Accept("<=") ? new Comparison(ComparisonKind.LessOrEqual, left, Add())
            : reader.Accept(">") ? new Comparison(ComparisonKind.Greater, left, Add())
            : reader.Accept(">=") ? new Comparison(ComparisonKind.GreaterOrEqual, left, Add())
            : reader.AcceptWord("in") ? new In(left, Add())
            : reader.AcceptWord("has") ? HasPath(left)
            : reader.AcceptWord("like") ? LikePattern(left)
            : reader.AcceptWord("is") ? IsType(left)
            : null;
        if (relation is null)
            return reader.Current.Is("=") ? throw reader.Fault("'=' is no operator; '==' compares.") : left;
        return IsRelation(reader.Current) ? throw reader.Fault($"{token} and {reader.Current} do not chain; use parentheses.") : relation;
    }

    private static bool IsRelation(Token token) => token.Kind switch
    {
        TokenKind.Symbol => token.Text is "==" or "!=" or "<" or "<=" or ">" or ">=" or "=",
        TokenKind.Identifier => token.Text is "in" or "has" or "like" or "is",
        _ => false,
    };

    /// <summary><c>a has b.c</c> means <c>a has b &amp;&amp; a.b has c</c> (Cedar RFC 62).</summary>
    private Expression HasPath(Expression left)
    {
        if (reader.Current.Kind == TokenKind.Text)
            return new Has(left, reader.Text("an attribute's name"));
        var name = reader.Identifier("an attribute's name");
        Expression has = new Has(left, name);
        while (reader.Accept("."))
        {
            left = new Evaluation.Attribute(left, name);
            name = reader.Identifier("an attribute's name");
            has = new And(has, new Has(left, name));
        }

        return has;
    }

    private Like LikePattern(Expression left)
    {
        if (reader.Current.Kind != TokenKind.Text)
            throw reader.Fault($"expected a pattern in quotes after 'like', found {reader.Current}.");
        var parts = Escapes.DecodePattern(reader.Current.Text) ?? throw reader.Fault("this pattern has a wrong escape.");
        reader.Next();
        return new(left, parts);
    }

    private Expression IsType(Expression left)
    {
        var type = new Is(left, Path());
        return reader.AcceptWord("in") ? new And(type, new In(left, Add())) : type;
    }

    private Expression Add()
    {
        var left = Multiply();
        while (reader.Current.Is("+") || reader.Current.Is("-"))
            left = new Arithmetic(reader.Next().Text == "+" ? ArithmeticKind.Add : ArithmeticKind.Subtract, left, Multiply());
        return left;
    }

    private Expression Multiply()
    {
        var left = Unary();
        while (reader.Accept("*"))
            left = new Arithmetic(ArithmeticKind.Multiply, left, Unary());
        return left;
    }

    private Expression Unary()
    {
        var start = reader.Current.Position;
        var not = Count("!");
        var minus = not == 0 ? Count("-") : 0;
        if (not + minus > MaximumUnary)
            throw reader.Fault(start, $"more than {MaximumUnary} unary operators in a row.");
        Expression operand;
        if (minus > 0 && reader.Current.Kind == TokenKind.Number && !IsAccess(reader.Peek()))
        {
            operand = new Literal(new CedarLong(Number(negative: true)));
            minus--;
        }
        else
        {
            operand = Member();
        }

        while (not-- > 0)
            operand = new Not(operand);
        while (minus-- > 0)
            operand = new Negation(operand);
        return operand;
    }

    private static bool IsAccess(Token token) => token.Is(".") || token.Is("[") || token.Is("(");

    private int Count(string symbol)
    {
        var count = 0;
        while (reader.Accept(symbol))
            count++;
        return count;
    }

    private long Number(bool negative)
    {
        var digits = reader.Current.Text.TrimStart('0');
        if (negative && digits == "9223372036854775808" && reader.Next() is var _)
            return long.MinValue;
        if (!long.TryParse(digits.Length == 0 ? "0" : digits, out var value))
            throw reader.Fault($"{reader.Current.Text} does not fit in 64 bits.");
        reader.Next();
        return negative ? -value : value;
    }

    private Expression Member()
    {
        var operand = Primary();
        while (true)
        {
            if (reader.Accept("."))
                operand = Access(operand);
            else if (reader.Accept("["))
            {
                operand = new Evaluation.Attribute(operand, reader.Text("an attribute's name"));
                reader.Expect("]");
            }
            else if (reader.Current.Is("("))
                throw reader.Fault("only functions and methods can be called.");
            else
                return operand;
        }
    }

    private Expression Access(Expression operand)
    {
        var start = reader.Current.Position;
        var name = reader.Identifier("an attribute's or method's name");
        return reader.Accept("(") ? Methods.Create(name, operand, Arguments(), message => reader.Fault(start, message)) : new Evaluation.Attribute(operand, name);
    }

    private List<Expression> Arguments() => reader.List(")", Expression);

    private Expression Primary()
    {
        var token = reader.Current;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return new Literal(new CedarLong(Number(negative: false)));
            case TokenKind.Text:
                return new Literal(new CedarString(reader.Text("a string")));
            case TokenKind.Slot:
                throw reader.Fault($"{token.Text} may stand only in a policy's scope.");
            case TokenKind.Identifier:
                return Name();
        }

        if (reader.Accept("("))
        {
            var inner = Expression();
            reader.Expect(")");
            return inner;
        }

        if (reader.Accept("["))
            return new SetLiteral(reader.List("]", Expression));
        if (reader.Accept("{"))
            return Record();
        throw reader.Fault($"expected an expression, found {token}.");
    }

    private Expression Name()
    {
        if (reader.AcceptWord("true"))
            return new Literal(CedarBoolean.True);
        if (reader.AcceptWord("false"))
            return new Literal(CedarBoolean.False);
        var start = reader.Current.Position;
        var path = Path(beforeText: true);
        if (reader.Accept("::"))
            return new Literal(new EntityUid(path, reader.Text("an entity's id")));
        if (reader.Accept("("))
            return ExtensionFunction.Find(path, method: false) is { } function
                ? new ExtensionCall(function, Arguments())
                : throw reader.Fault(start, Methods.Exists(path) ? $"'{path}' is a method: write a.{path}(…)." : $"there is no function '{path}'.");
        return path switch
        {
            "principal" => new Variable(VariableKind.Principal),
            "action" => new Variable(VariableKind.Action),
            "resource" => new Variable(VariableKind.Resource),
            "context" => new Variable(VariableKind.Context),
            _ => throw reader.Fault(start, $"'{path}' is no variable; principal, action, resource and context are."),
        };
    }

    private RecordLiteral Record()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var members = reader.List("}", () =>
        {
            var start = reader.Current.Position;
            var name = reader.Current.Kind == TokenKind.Text ? reader.Text("an attribute's name") : reader.Identifier("an attribute's name");
            if (!seen.Add(name))
                throw reader.Fault(start, $"the attribute {CedarString.Quote(name)} is given twice.");
            reader.Expect(":");
            return KeyValuePair.Create(name, Expression());
        });
        return new(members);
    }
}
