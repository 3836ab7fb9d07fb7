using System.Buffers;

namespace Bulwark.Data;

/// <summary>Whether one text is of a kind, by the kind's own format. Published rules only; nothing is learnt from data.</summary>
internal static class ContentRule
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private static readonly SearchValues<char> TopLevel = SearchValues.Create(Letters);
    private static readonly SearchValues<char> Domain = SearchValues.Create(Letters + "0123456789.-");
    private static readonly SearchValues<char> Local = SearchValues.Create(Letters + "0123456789.!#$%&'*+/=?^_`{|}~-");

    /// <summary>A payment card number: an issuer's prefix and length (ISO/IEC 7812), and the Luhn check digit. Spaces and hyphens may group it.</summary>
    internal static bool IsCard(ReadOnlySpan<char> text)
    {
        Span<char> digits = stackalloc char[20];
        return Digits(text, digits, out var length) && HasIssuer(digits[..length]) && LuhnCheck.Holds(digits[..length]);
    }

    /// <summary>True when some run of 13 to 19 digits in <paramref name="text"/> is a card number.</summary>
    internal static bool HoldsCard(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsAsciiDigit(text[i]))
                continue;
            var end = i + 1;
            while (end < text.Length && (char.IsAsciiDigit(text[end]) || (text[end] is ' ' or '-' && end + 1 < text.Length && char.IsAsciiDigit(text[end + 1]))))
                end++;
            if (IsCard(text[i..end]))
                return true;
            i = end;
        }

        return false;
    }

    /// <summary>AAA-GG-SSSS: area not 000, 666 or 900 and above; group not 00; serial not 0000 (Social Security Administration).</summary>
    internal static bool IsSsn(ReadOnlySpan<char> text) =>
        text.Length == 11 && text[3] == '-' && text[6] == '-'
        && Number(text[..3], out var area) && Number(text[4..6], out var group) && Number(text[7..], out var serial)
        && area is > 0 and < 900 and not 666 && group > 0 && serial > 0;

    /// <summary>local@domain with the characters in common use and a top-level domain of two letters or more.</summary>
    internal static bool IsEmail(ReadOnlySpan<char> text)
    {
        var at = text.IndexOf('@');
        if (at is < 1 or > 64 || text.Length > 254 || text.LastIndexOf('@') != at)
            return false;
        var domain = text[(at + 1)..];
        var dot = domain.LastIndexOf('.');
        return dot > 0 && domain.Length - dot > 2
            && !text[..at].ContainsAnyExcept(Local)
            && !domain.ContainsAnyExcept(Domain)
            && !domain[(dot + 1)..].ContainsAnyExcept(TopLevel);
    }

    /// <summary>Country, two check digits, 11 to 30 more; remainder 1 modulo 97 (ISO 13616). Spaces may group it.</summary>
    internal static bool IsIban(ReadOnlySpan<char> text)
    {
        Span<char> iban = stackalloc char[35];
        var length = 0;
        foreach (var c in text)
        {
            if (c == ' ')
                continue;
            if (!char.IsAsciiLetterOrDigit(c) || length == 34)
                return false;
            iban[length++] = char.ToUpperInvariant(c);
        }

        if (length < 15 || !char.IsAsciiLetter(iban[0]) || !char.IsAsciiLetter(iban[1]) || !char.IsAsciiDigit(iban[2]) || !char.IsAsciiDigit(iban[3]))
            return false;
        var rest = 0;
        for (var i = 0; i < length; i++)
        {
            var c = iban[(i + 4) % length];
            rest = char.IsAsciiDigit(c) ? (rest * 10 + (c - '0')) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
        }

        return rest == 1;
    }

    /// <summary>A plus sign and 8 to 15 digits (E.164), grouped or not; or the North American 3-3-4 form.</summary>
    internal static bool IsPhone(ReadOnlySpan<char> text)
    {
        var digits = 0;
        foreach (var c in text)
        {
            if (char.IsAsciiDigit(c))
                digits++;
            else if (!" ()-.+/".Contains(c))
                return false;
        }

        return (text is ['+', ..] && digits is >= 8 and <= 15) || (digits == 10 && text.Length is 12 or 13 or 14 && text[^5] is '-' or '.');
    }

    /// <summary>Two to four words that each begin with a capital letter and hold only letters, hyphens, apostrophes or a full stop.</summary>
    internal static bool IsName(ReadOnlySpan<char> text)
    {
        var words = 0;
        foreach (var range in text.Split(' '))
        {
            var word = text[range];
            if (word.IsEmpty || !char.IsUpper(word[0]) || (word.Length > 2 && !word[1..].ContainsAnyInRange('a', 'z')))
                return false;
            foreach (var c in word)
            {
                if (!char.IsLetter(c) && c is not ('-' or '\'' or '.'))
                    return false;
            }

            words++;
        }

        return words is >= 2 and <= 4 && text.Length <= 60;
    }

    /// <summary>At least five words.</summary>
    internal static bool IsSentence(ReadOnlySpan<char> text) => text.Count(' ') >= 4;

    private static bool Digits(ReadOnlySpan<char> text, Span<char> digits, out int length)
    {
        length = 0;
        foreach (var c in text)
        {
            if (c is ' ' or '-')
                continue;
            if (!char.IsAsciiDigit(c) || length == 19)
                return false;
            digits[length++] = c;
        }

        return length >= 13;
    }

    private static bool HasIssuer(ReadOnlySpan<char> digits)
    {
        var head = int.Parse(digits[..4]);
        return digits.Length switch
        {
            13 => head / 1000 == 4,
            14 => head / 10 is (>= 300 and <= 305) or 309 || head / 100 is 36 or 38 or 39,
            15 => head / 100 is 34 or 37,
            16 => head / 1000 == 4 || head / 100 is >= 51 and <= 55 || head is >= 2221 and <= 2720 || IsLong(head),
            17 or 18 => IsLong(head),
            _ => head / 1000 == 4 || IsLong(head),
        };
    }

    /// <summary>Discover, UnionPay and JCB: 16 to 19 digits.</summary>
    private static bool IsLong(int head) => head == 6011 || head / 10 is >= 644 and <= 649 || head / 100 is 65 or 62 || head is >= 3528 and <= 3589;

    private static bool Number(ReadOnlySpan<char> digits, out int value)
    {
        value = 0;
        foreach (var c in digits)
        {
            if (!char.IsAsciiDigit(c))
                return false;
            value = value * 10 + (c - '0');
        }

        return true;
    }
}
