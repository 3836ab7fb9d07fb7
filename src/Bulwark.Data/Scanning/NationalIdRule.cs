namespace Bulwark.Data;

/// <summary>National identity numbers by their own forms and check digits.</summary>
internal static class NationalIdRule
{
    private const string DniLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
    private static readonly int[] s_fiscalOdd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    private static readonly int[] s_pesel = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];

    internal static bool Is(ReadOnlySpan<char> text) => IsNino(text) || IsFiscalCode(text) || IsDni(text) || IsNir(text) || IsCpf(text) || IsPesel(text);

    /// <summary>United Kingdom: two letters, six digits, A to D; spaces may group it (HMRC, NIM39110).</summary>
    internal static bool IsNino(ReadOnlySpan<char> text)
    {
        Span<char> bare = stackalloc char[9];
        return Compact(text, ' ', bare, out var length) && length == 9
            && !"DFIQUV".Contains(bare[0]) && !"DFIOQUV".Contains(bare[1]) && char.IsAsciiLetterUpper(bare[0]) && char.IsAsciiLetterUpper(bare[1])
            && !(bare is ['B' or 'G' or 'K' or 'N' or 'T' or 'Z', ..] && (bare[..2] is "BG" or "GB" or "KN" or "NK" or "NT" or "TN" or "ZZ"))
            && Digits(bare[2..8]) && bare[8] is >= 'A' and <= 'D';
    }

    /// <summary>Italy: 16 characters, the last a check letter (D.M. 12 March 1974).</summary>
    internal static bool IsFiscalCode(ReadOnlySpan<char> text)
    {
        if (text.Length != 16)
            return false;
        var sum = 0;
        for (var i = 0; i < 16; i++)
        {
            var letter = i is < 6 or 8 or 11 or 15;
            var c = text[i];
            if (letter ? !char.IsAsciiLetterUpper(c) : !(char.IsAsciiDigit(c) || "LMNPQRSTUV".Contains(c)))
                return false;
            var value = char.IsAsciiDigit(c) ? c - '0' : c - 'A';
            if (i < 15)
                sum += i % 2 == 0 ? s_fiscalOdd[value] : value;
        }

        return text[15] - 'A' == sum % 26;
    }

    /// <summary>Spain: eight digits, or X, Y, Z and seven, and the letter of the number modulo 23.</summary>
    internal static bool IsDni(ReadOnlySpan<char> text)
    {
        if (text.Length != 9 || !Digits(text[1..8]))
            return false;
        var lead = text[0] switch { 'X' => 0, 'Y' => 1, 'Z' => 2, var c when char.IsAsciiDigit(c) => c - '0', _ => -1 };
        return lead >= 0 && text[8] == DniLetters[(int)((lead * 10_000_000L + long.Parse(text[1..8])) % 23)];
    }

    /// <summary>France: 13 digits and a key of two, 97 less the number modulo 97 (INSEE); spaces may group it.</summary>
    internal static bool IsNir(ReadOnlySpan<char> text)
    {
        Span<char> bare = stackalloc char[15];
        return Compact(text, ' ', bare, out var length) && length == 15 && Digits(bare) && bare[0] is '1' or '2' && Month(bare[3..5])
            && 97 - long.Parse(bare[..13]) % 97 == int.Parse(bare[13..]);
    }

    /// <summary>Brazil: 000.000.000-00 with two check digits; only in this form, because eleven digits alone are too common.</summary>
    internal static bool IsCpf(ReadOnlySpan<char> text)
    {
        if (text.Length != 14 || text[3] != '.' || text[7] != '.' || text[11] != '-')
            return false;
        Span<char> bare = stackalloc char[11];
        var length = 0;
        foreach (var c in text)
        {
            if (char.IsAsciiDigit(c) && length < 11)
                bare[length++] = c;
        }

        return length == 11 && bare.ContainsAnyExcept(bare[0]) && Check(bare[..9]) == bare[9] && Check(bare[..10]) == bare[10];

        static char Check(ReadOnlySpan<char> digits)
        {
            var sum = 0;
            for (var i = 0; i < digits.Length; i++)
                sum += (digits[i] - '0') * (digits.Length + 1 - i);
            return (char)('0' + sum * 10 % 11 % 10);
        }
    }

    /// <summary>Poland: eleven digits that begin with a date of birth and end with a check digit.</summary>
    internal static bool IsPesel(ReadOnlySpan<char> text)
    {
        if (text.Length != 11 || !Digits(text))
            return false;
        var (month, day) = (int.Parse(text[2..4]) % 20, int.Parse(text[4..6]));
        var sum = 0;
        for (var i = 0; i < 10; i++)
            sum += (text[i] - '0') * s_pesel[i];
        return month is >= 1 and <= 12 && day is >= 1 and <= 31 && (10 - sum % 10) % 10 == text[10] - '0';
    }

    private static bool Month(ReadOnlySpan<char> digits) => int.Parse(digits) is (>= 1 and <= 12) or (>= 20 and <= 42) or (>= 50 and <= 99);

    private static bool Digits(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExceptInRange('0', '9');

    private static bool Compact(ReadOnlySpan<char> text, char separator, Span<char> bare, out int length)
    {
        length = 0;
        foreach (var c in text)
        {
            if (c == separator)
                continue;
            if (length == bare.Length)
                return false;
            bare[length++] = c;
        }

        return true;
    }
}
