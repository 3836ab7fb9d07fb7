using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Bulwark.Data;

/// <summary>
/// The canonical text of a cell: what is written to CSV and what a dataset commitment hashes, so that a table
/// has the same commitment whichever file holds it.
/// </summary>
/// <remarks>
/// A number is the shortest decimal text that reads back as the same <see cref="double"/>, without sign for zero; below 10^-4 and
/// from 10^15 on it is written with an exponent of three digits (<c>1.5E+015</c>). A time is <c>yyyy-MM-ddTHH:mm:ss[.ffffff]Z</c>;
/// text is itself; a missing cell and empty text are empty.
/// </remarks>
public static class CellText
{
    /// <summary>Bytes that the text of a number or a time never exceeds.</summary>
    internal const int FixedBytes = 40;

    /// <summary>The largest whole number (exclusive) that every reader and writer keeps exactly: 15 digits.</summary>
    internal const double IntegralLimit = 1e15;

    private const long UnixEpochTicks = 621_355_968_000_000_000;

    internal static string Number(double value)
    {
        Span<byte> buffer = stackalloc byte[FixedBytes];
        return Encoding.ASCII.GetString(Number(value, buffer));
    }

    internal static ReadOnlySpan<byte> Number(double value, Span<byte> buffer)
    {
        if (double.IsNaN(value))
            return default;
        var size = Math.Abs(value);
        var written = 0;
        if (size < IntegralLimit && value == Math.Floor(value))
            Utf8Formatter.TryFormat((long)value, buffer, out written);
        else if (size is >= 1e-4 and < IntegralLimit)
            value.TryFormat(buffer, out written, "R", CultureInfo.InvariantCulture);
        else
            written = Exponential(value, buffer);
        return buffer[..written];
    }

    /// <summary>The fewest digits that read back as the same number; 17 always do.</summary>
    private static int Exponential(double value, Span<byte> buffer)
    {
        var written = 0;
        for (var decimals = 0; decimals <= 16; decimals++)
        {
            value.TryFormat(buffer, out written, $"E{decimals}", CultureInfo.InvariantCulture);
            if (double.Parse(buffer[..written], CultureInfo.InvariantCulture) == value)
                break;
        }

        return written;
    }

    internal static ReadOnlySpan<byte> Time(long microseconds, Span<byte> buffer)
    {
        if (microseconds == TimeColumn.Missing)
            return default;
        var time = new DateTime(UnixEpochTicks + microseconds * 10, DateTimeKind.Utc);
        var format = microseconds % TimeColumn.Second == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";
        time.TryFormat(buffer, out var written, format, CultureInfo.InvariantCulture);
        return buffer[..written];
    }

    /// <summary>Reads a number: sign, digits, point, exponent. Whole numbers with a leading zero or more than 15 digits are identifiers, not numbers.</summary>
    internal static bool TryNumber(ReadOnlySpan<byte> text, out double value, out bool integral)
    {
        integral = false;
        if (!double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value)
            || !double.IsFinite(value))
            return false;
        var digits = text[0] is (byte)'-' or (byte)'+' ? text[1..] : text;
        integral = digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
        return digits.Length == 1 || digits[0] != '0' || digits[1] is < (byte)'0' or > (byte)'9'
            ? !integral || digits.Length <= 15
            : false;
    }

    /// <summary>Reads <c>yyyy-MM-dd</c>, optionally <c>T</c> or a space and <c>HH:mm:ss</c>, up to six decimals, <c>Z</c>. Without a zone the time is UTC.</summary>
    internal static bool TryTime(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length < 10 || text[4] != '-' || text[7] != '-'
            || !Digits(text[..4], out var year) || !Digits(text[5..7], out var month) || !Digits(text[8..10], out var day)
            || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        microseconds = (new DateTime(year, month, day).Ticks - UnixEpochTicks) / 10;
        return text.Length == 10 || TryClock(text[10..], ref microseconds);
    }

    private static bool TryClock(ReadOnlySpan<byte> text, ref long microseconds)
    {
        if (text.Length < 9 || text[0] is not ((byte)'T' or (byte)' ') || text[3] != ':' || text[6] != ':'
            || !Digits(text[1..3], out var hour) || !Digits(text[4..6], out var minute) || !Digits(text[7..9], out var second)
            || hour > 23 || minute > 59 || second > 59)
            return false;
        microseconds += (hour * 3600L + minute * 60 + second) * TimeColumn.Second;
        text = text[9..];
        if (text is [.., (byte)'Z'])
            text = text[..^1];
        if (text.IsEmpty)
            return true;
        if (text[0] != '.' || text.Length > 7 || !Digits(text[1..], out var fraction))
            return false;
        for (var places = text.Length - 1; places < 6; places++)
            fraction *= 10;
        microseconds += fraction;
        return true;
    }

    private static bool Digits(ReadOnlySpan<byte> text, out int value)
    {
        value = 0;
        foreach (var c in text)
        {
            if (c is < (byte)'0' or > (byte)'9')
                return false;
            value = value * 10 + (c - '0');
        }

        return text.Length > 0;
    }
}
