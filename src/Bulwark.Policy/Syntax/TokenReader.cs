namespace Bulwark.Policy.Syntax;

/// <summary>A position in a list of tokens, with the questions that a parser asks.</summary>
internal sealed class TokenReader(string source)
{
    /// <summary>Deeper nesting than any policy needs and than the stack bears.</summary>
    internal const int MaximumDepth = 250;

    private readonly List<Token> _tokens = Lexer.Read(source);
    private int _at;
    private int _depth;

    internal string Source => source;

    internal Token Current => _tokens[_at];

    internal Token Peek(int ahead = 1) => _tokens[Math.Min(_at + ahead, _tokens.Count - 1)];

    internal Token Next() => _at < _tokens.Count - 1 ? _tokens[_at++] : _tokens[_at];

    internal bool Accept(string symbol)
    {
        if (!Current.Is(symbol))
            return false;
        _at++;
        return true;
    }

    internal bool AcceptWord(string word)
    {
        if (!Current.IsWord(word))
            return false;
        _at++;
        return true;
    }

    /// <summary>Goes on behind the next such symbol, or to the end.</summary>
    internal void SkipBehind(string symbol)
    {
        _depth = 0;
        while (Current.Kind != TokenKind.End && !Next().Is(symbol))
        {
        }
    }

    internal void Expect(string symbol)
    {
        if (!Accept(symbol))
            throw Fault($"expected '{symbol}', found {Current}.");
    }

    internal string Identifier(string what)
    {
        if (Current.Kind != TokenKind.Identifier)
            throw Fault($"expected {what}, found {Current}.");
        if (Names.IsReserved(Current.Text))
            throw Fault($"'{Current.Text}' is a reserved word and cannot be {what}.");
        return Next().Text;
    }

    internal string Text(string what)
    {
        if (Current.Kind != TokenKind.Text)
            throw Fault($"expected {what} in quotes, found {Current}.");
        return Escapes.Decode(Current.Text) is { } text && Next() is var _ ? text : throw Fault("this string has a wrong escape.");
    }

    /// <summary>Comma-separated items up to <paramref name="end"/>; a comma may follow the last.</summary>
    internal List<T> List<T>(string end, Func<T> item)
    {
        var items = new List<T>();
        while (!Accept(end))
        {
            items.Add(item());
            if (!Current.Is(end))
                Expect(",");
        }

        return items;
    }

    internal T Nested<T>(Func<T> parse)
    {
        if (++_depth > MaximumDepth)
            throw Fault($"nested deeper than {MaximumDepth}.");
        var result = parse();
        _depth--;
        return result;
    }

    internal PolicySyntaxException Fault(string message) => Lexer.Fault(source, Current.Position, message);

    internal PolicySyntaxException Fault(int position, string message) => Lexer.Fault(source, position, message);
}
