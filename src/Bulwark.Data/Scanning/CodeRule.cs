using System.Buffers;
using System.Net;

namespace Bulwark.Data;

/// <summary>Codes with a form but no check digit: Internet addresses, diagnosis codes, written dates.</summary>
internal static class CodeRule
{
    private static readonly SearchValues<char> s_addressLetters = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>Four numbers to 255, or IPv6 with two colons or more.</summary>
    internal static bool IsIp(ReadOnlySpan<char> text)
    {
        if (text.Length is < 6 or > 39 || text.ContainsAnyExcept(s_addressLetters))
            return false;
        if (text.Contains(':'))
            return text.Count(':') >= 2 && IPAddress.TryParse(text, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        var parts = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (part.Length is < 1 or > 3 || part.ContainsAnyExceptInRange('0', '9') || int.Parse(part) > 255 || (part.Length > 1 && part[0] == '0'))
                return false;
            parts++;
        }

        return parts == 4;
    }

    /// <summary>ICD-10 and ICD-10-CM: letter, digit, digit or A or B, and after a point up to four more.</summary>
    internal static bool IsDiagnosis(ReadOnlySpan<char> text, bool pointed) =>
        text.Length is >= 3 and <= 8 && char.IsAsciiLetterUpper(text[0]) && char.IsAsciiDigit(text[1]) && (char.IsAsciiDigit(text[2]) || text[2] is 'A' or 'B')
        && (text.Length == 3 ? !pointed : text[3] == '.' ? text.Length > 4 && Tail(text[4..]) : !pointed && text.Length <= 7 && Tail(text[3..]));

    /// <summary>dd.mm.yyyy, dd/mm/yyyy, mm/dd/yyyy, yyyy-mm-dd and the like: the year, or 0.</summary>
    internal static int YearOf(ReadOnlySpan<char> text)
    {
        if (text.Length is < 8 or > 10)
            return 0;
        Span<int> parts = stackalloc int[3];
        var (count, separator) = (0, '\0');
        foreach (var c in text)
        {
            if (char.IsAsciiDigit(c))
            {
                parts[count] = parts[count] * 10 + (c - '0');
            }
            else if (c is '.' or '/' or '-' && (separator is '\0' || c == separator) && count < 2)
            {
                separator = c;
                count++;
            }
            else
            {
                return 0;
            }
        }

        if (count != 2)
            return 0;
        var (year, first, second) = parts[0] > 31 ? (parts[0], parts[1], parts[2]) : (parts[2], parts[0], parts[1]);
        return year is >= 1000 and <= 9999 && first is >= 1 and <= 31 && second is >= 1 and <= 31 && (first <= 12 || second <= 12) ? year : 0;
    }

    private static bool Tail(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c) && !char.IsAsciiLetterUpper(c))
                return false;
        }

        return text.Length <= 4;
    }
}
