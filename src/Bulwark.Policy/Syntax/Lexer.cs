namespace Bulwark.Policy.Syntax;

internal enum TokenKind { End, Identifier, Number, Text, Slot, Symbol }

/// <summary>One token: <paramref name="Text"/> is its source without a string's quotes, escapes untouched.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Position)
{
    internal bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    internal bool IsWord(string word) => Kind == TokenKind.Identifier && Text == word;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end of the text",
        TokenKind.Text => "a string",
        _ => $"'{Text}'",
    };
}

/// <summary>Cuts Cedar source, policy or schema, into tokens.</summary>
internal static class Lexer
{
    private static readonly string[] Pairs = ["::", "==", "!=", "<=", ">=", "||", "&&"];

    internal static List<Token> Read(string source)
    {
        var tokens = new List<Token>();
        var at = 0;
        while ((at = SkipBlank(source, at)) < source.Length)
        {
            var token = Next(source, ref at);
            tokens.Add(token);
        }

        tokens.Add(new(TokenKind.End, "", source.Length));
        return tokens;
    }

    internal static PolicySyntaxException Fault(string source, int position, string message)
    {
        var before = source.AsSpan(0, position);
        return new(message, before.Count('\n') + 1, position - before.LastIndexOf('\n'));
    }

    private static int SkipBlank(string source, int at)
    {
        while (at < source.Length)
        {
            if (char.IsWhiteSpace(source[at]))
                at++;
            else if (source.AsSpan(at).StartsWith("//"))
                at = source.AsSpan(at).IndexOfAny('\n', '\r') is >= 0 and var end ? at + end : source.Length;
            else
                break;
        }

        return at;
    }

    private static Token Next(string source, ref int at)
    {
        var start = at;
        var c = source[at];
        if (Names.IsStart(c))
            return Take(TokenKind.Identifier, source, start, at = End(source, at, Names.IsPart));
        if (char.IsAsciiDigit(c))
            return Take(TokenKind.Number, source, start, at = End(source, at, char.IsAsciiDigit));
        if (c == '"')
            return ReadText(source, ref at);
        if (c == '?' && at + 1 < source.Length && Names.IsStart(source[at + 1]))
            return Take(TokenKind.Slot, source, start, at = End(source, at + 1, Names.IsPart));
        foreach (var pair in Pairs)
            if (source.AsSpan(at).StartsWith(pair))
                return Take(TokenKind.Symbol, source, start, at += 2);
        if ("@.,;:(){}[]<>+-*!=?".Contains(c))
            return Take(TokenKind.Symbol, source, start, ++at);
        throw Fault(source, start, $"'{c}' begins no token.");
    }

    private static Token ReadText(string source, ref int at)
    {
        var start = at++;
        while (at < source.Length && source[at] != '"')
            at += source[at] == '\\' ? 2 : 1;
        if (at >= source.Length)
            throw Fault(source, start, "This string has no end.");
        at++;
        return new(TokenKind.Text, source[(start + 1)..(at - 1)], start);
    }

    private static int End(string source, int at, Func<char, bool> part)
    {
        while (at < source.Length && part(source[at]))
            at++;
        return at;
    }

    private static Token Take(TokenKind kind, string source, int start, int end) => new(kind, source[start..end], start);
}
