using System.Buffers;

namespace Bulwark.Data;

/// <summary>Passwords' stronger cousins: API keys, tokens and private keys, by the forms that their issuers publish, or by their entropy.</summary>
internal static class SecretRule
{
    private const int Shortest = 20, Longest = 512;

    /// <summary>Bits a character above which a mixed text looks drawn at random: English words have about 4.1 at most, short ones less.</summary>
    private const double RandomBits = 4.2;

    private static readonly string[] s_prefixes =
        ["AKIA", "ASIA", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "sk_live_", "rk_live_", "sk-", "xoxb-", "xoxp-", "AIza", "hvs.", "npm_", "pypi-", "SG.", "dop_v1_", "shpat_", "AGE-SECRET-KEY-1"];

    private static readonly SearchValues<char> s_letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/=.");

    /// <summary>True for one word that is a key or token.</summary>
    internal static bool Is(ReadOnlySpan<char> text) =>
        text.StartsWith("-----BEGIN ", StringComparison.Ordinal) && text.IndexOf("PRIVATE KEY-----") > 0
        || (text.Length is >= Shortest and <= Longest && !text.ContainsAnyExcept(s_letters) && (HasPrefix(text) || IsJwt(text) || LooksDrawn(text)));

    private static bool HasPrefix(ReadOnlySpan<char> text)
    {
        foreach (var prefix in s_prefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal) && text.ContainsAnyInRange('0', '9'))
                return true;
        }

        return false;
    }

    /// <summary>Two dots, and a header that begins with a brace (RFC 7519).</summary>
    private static bool IsJwt(ReadOnlySpan<char> text) => text.StartsWith("eyJ", StringComparison.Ordinal) && text.Count('.') == 2;

    /// <summary>Capital and small letters and digits, none repeated much. Hexadecimal text is left out: identifiers and digests look like that.</summary>
    private static bool LooksDrawn(ReadOnlySpan<char> text)
    {
        Span<int> counts = stackalloc int[128];
        counts.Clear();
        var (upper, lower, digits, separators) = (0, 0, 0, 0);
        foreach (var c in text)
        {
            counts[c]++;
            if (char.IsAsciiLetterUpper(c))
                upper++;
            else if (char.IsAsciiLetterLower(c))
                lower++;
            else if (char.IsAsciiDigit(c))
                digits++;
            else
                separators++;
        }

        if (upper < 3 || lower < 3 || digits < 2 || separators > 4)
            return false;
        var entropy = 0.0;
        foreach (var count in counts)
        {
            if (count > 0)
                entropy -= (double)count / text.Length * Math.Log2((double)count / text.Length);
        }

        return entropy >= Math.Min(RandomBits, Math.Log2(text.Length) - 0.45);
    }
}
