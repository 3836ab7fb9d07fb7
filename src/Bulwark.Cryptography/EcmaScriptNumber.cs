using System.Globalization;

namespace Bulwark.Cryptography;

/// <summary>A double as ECMAScript's <c>Number::toString</c> writes it (ECMA-262 §6.1.6.1.20, required by RFC 8785 §3.2.2.3).</summary>
internal static class EcmaScriptNumber
{
    /// <param name="value">Finite.</param>
    internal static string Format(double value)
    {
        if (value == 0)
            return "0";   // also for -0
        var (digits, point) = ShortestDigits(Math.Abs(value));
        var sign = value < 0 ? "-" : "";
        return sign + Place(digits, point);
    }

    /// <summary>The shortest digits that read back as the same double, closest to it among those, and the place of the decimal point.</summary>
    private static (string Digits, int Point) ShortestDigits(double value) => Split(value.ToString("R", CultureInfo.InvariantCulture));

    private static (string Digits, int Point) Split(string text)
    {
        var e = text.IndexOf('E');
        var exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? text : text[..e];
        var dot = mantissa.IndexOf('.');
        var whole = dot < 0 ? mantissa : mantissa[..dot];
        var digits = whole + (dot < 0 ? "" : mantissa[(dot + 1)..]);
        var leading = digits.Length - digits.TrimStart('0').Length;
        return (digits.Trim('0'), whole.Length - leading + exponent);
    }

    /// <summary>n is <paramref name="point"/>: the value is 0.digits × 10^n, as in the standard's text.</summary>
    private static string Place(string digits, int point)
    {
        if (digits.Length <= point && point <= 21)
            return digits.PadRight(point, '0');
        if (point is > 0 and <= 21)
            return $"{digits[..point]}.{digits[point..]}";
        if (point is > -6 and <= 0)
            return $"0.{new string('0', -point)}{digits}";
        var exponent = point - 1;
        var mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
        return $"{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent)}";
    }
}
