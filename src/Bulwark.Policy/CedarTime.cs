using System.Globalization;

namespace Bulwark.Policy;

/// <summary>A signed length of time in whole milliseconds, written <c>-?</c> then days, hours, minutes, seconds, milliseconds in that order, such as <c>1d2h30m</c>.</summary>
/// <remarks>Source: Cedar RFC 80, <c>duration</c>.</remarks>
/// <param name="milliseconds">Any.</param>
public sealed class CedarDuration(long milliseconds) : CedarValue
{
    private static readonly (string Suffix, long Milliseconds)[] Units =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

    /// <summary>The length in milliseconds.</summary>
    public long Milliseconds { get; } = milliseconds;

    internal override string TypeName => "duration";

    /// <summary>Reads the written form; null when the text is none or out of range.</summary>
    public static CedarDuration? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var negative = text.StartsWith('-');
        var rest = text.AsSpan(negative ? 1 : 0);
        if (rest.IsEmpty)
            return null;
        Int128 total = 0;
        foreach (var (suffix, milliseconds) in Units)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0 || !IsUnit(rest[digits..], suffix))
                continue;
            if (!long.TryParse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                && !(negative && rest[..digits].TrimStart('0') is "9223372036854775808"))
                return null;
            total += (count == 0 && rest[..digits].ContainsAnyExcept('0') ? (Int128)long.MaxValue + 1 : count) * milliseconds;
            rest = rest[(digits + suffix.Length)..];
        }

        total = negative ? -total : total;
        return rest.IsEmpty && total >= long.MinValue && total <= long.MaxValue ? new((long)total) : null;
    }

    /// <summary>"m" is a unit where "ms" does not stand.</summary>
    private static bool IsUnit(ReadOnlySpan<char> text, string suffix) =>
        text.StartsWith(suffix, StringComparison.Ordinal) && !(suffix == "m" && text.StartsWith("ms", StringComparison.Ordinal));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CedarDuration other && Milliseconds == other.Milliseconds;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine('u', Milliseconds);

    /// <inheritdoc/>
    public override string ToString() => $"duration(\"{Milliseconds}ms\")";
}

/// <summary>An instant in whole milliseconds since 1970-01-01T00:00:00Z, proleptic Gregorian.</summary>
/// <remarks>Source: Cedar RFC 80, <c>datetime</c>. Written forms: <c>YYYY-MM-DD</c>, or with <c>Thh:mm:ss[.SSS]</c> and <c>Z</c> or <c>±hhmm</c>.</remarks>
/// <param name="epochMilliseconds">Milliseconds since the epoch; any.</param>
public sealed class CedarDatetime(long epochMilliseconds) : CedarValue
{
    internal const long DayMilliseconds = 86_400_000;

    /// <summary>Milliseconds since the epoch.</summary>
    public long EpochMilliseconds { get; } = epochMilliseconds;

    internal override string TypeName => "datetime";

    /// <summary>The instant of a clock reading, cut to milliseconds.</summary>
    public static CedarDatetime Of(DateTimeOffset instant) => new(instant.ToUnixTimeMilliseconds());

    /// <summary>Reads the written form; null when the text is none.</summary>
    public static CedarDatetime? TryParse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length < 10 || text[4] != '-' || text[7] != '-'
            || !Number(text, 0, 4, out var year) || !Number(text, 5, 2, out var month) || !Number(text, 8, 2, out var day)
            || month is < 1 or > 12 || day < 1 || day > DaysInMonth(year, month))
            return null;
        var epoch = DaysSinceEpoch(year, month, day) * DayMilliseconds;
        if (text.Length == 10)
            return new(epoch);
        if (text.Length < 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':'
            || !Number(text, 11, 2, out var hour) || !Number(text, 14, 2, out var minute) || !Number(text, 17, 2, out var second)
            || hour > 23 || minute > 59 || second > 59)
            return null;
        epoch += ((((hour * 60L) + minute) * 60) + second) * 1000;
        var zone = 19;
        if (text[19] == '.')
        {
            if (text.Length < 24 || !Number(text, 20, 3, out var milliseconds))
                return null;
            epoch += milliseconds;
            zone = 23;
        }

        return Offset(text, zone) is { } offset ? new(epoch - offset) : null;
    }

    private static long? Offset(string text, int at)
    {
        if (text[at] == 'Z')
            return text.Length == at + 1 ? 0 : null;
        if (text[at] is not ('+' or '-') || text.Length != at + 5
            || !Number(text, at + 1, 2, out var hours) || !Number(text, at + 3, 2, out var minutes) || hours > 23 || minutes > 59)
            return null;
        var offset = ((hours * 60L) + minutes) * 60_000;
        return text[at] == '+' ? offset : -offset;
    }

    private static bool Number(string text, int at, int digits, out int value)
    {
        value = 0;
        for (var i = at; i < at + digits; i++)
        {
            if (i >= text.Length || !char.IsAsciiDigit(text[i]))
                return false;
            value = (value * 10) + (text[i] - '0');
        }

        return true;
    }

    private static bool IsLeap(int year) => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    private static int DaysInMonth(int year, int month) => month switch
    {
        2 => IsLeap(year) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    /// <summary>Days from 1970-01-01 of a proleptic Gregorian date; year 0 exists, which <see cref="DateTime"/> lacks.</summary>
    private static long DaysSinceEpoch(int year, int month, int day)
    {
        var y = month <= 2 ? year - 1L : year;
        var era = Math.DivRem(y >= 0 ? y : y - 399, 400).Quotient;
        var yearOfEra = y - (era * 400);
        var dayOfYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        var dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146_097) + dayOfEra - 719_468;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CedarDatetime other && EpochMilliseconds == other.EpochMilliseconds;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine('t', EpochMilliseconds);

    /// <inheritdoc/>
    public override string ToString() => $"datetime(\"1970-01-01\").offset(duration(\"{EpochMilliseconds}ms\"))";
}
