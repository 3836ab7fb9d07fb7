namespace Bulwark.Policy.Syntax;

/// <summary>Which words are identifiers and paths.</summary>
internal static class Names
{
    private static readonly HashSet<string> Reserved = ["true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"];

    internal static bool IsReserved(string word) => Reserved.Contains(word);

    internal static bool IsIdentifier(ReadOnlySpan<char> word)
    {
        if (word.IsEmpty || !IsStart(word[0]))
            return false;
        foreach (var c in word)
            if (!IsPart(c))
                return false;
        return true;
    }

    internal static bool IsPath(ReadOnlySpan<char> path)
    {
        if (path.IsEmpty)
            return false;
        foreach (var part in path.Split("::"))
            if (!IsIdentifier(path[part]))
                return false;
        return true;
    }

    internal static bool IsStart(char c) => char.IsAsciiLetter(c) || c == '_';

    internal static bool IsPart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
}
