namespace Bulwark.Data;

/// <summary>The check digit of payment card numbers (ISO/IEC 7812-1, annex B, "Luhn").</summary>
internal static class LuhnCheck
{
    /// <summary>The digit that completes <paramref name="digits"/>.</summary>
    internal static char Digit(ReadOnlySpan<char> digits) => (char)('0' + (10 - Sum(digits, doubleLast: true)) % 10);

    /// <summary>True when the last of <paramref name="digits"/> is the check digit of the others.</summary>
    internal static bool Holds(ReadOnlySpan<char> digits) => digits.Length > 1 && Sum(digits, doubleLast: false) == 0;

    private static int Sum(ReadOnlySpan<char> digits, bool doubleLast)
    {
        var sum = 0;
        var doubled = doubleLast;
        for (var i = digits.Length - 1; i >= 0; i--, doubled = !doubled)
        {
            var digit = digits[i] - '0';
            if (doubled && (digit *= 2) > 9)
                digit -= 9;
            sum += digit;
        }

        return sum % 10;
    }
}
