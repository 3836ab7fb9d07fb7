namespace Bulwark.Data;

/// <summary>Cuts rows into consecutive stretches of time with gaps between, as a model would meet them: learn from the past, be judged on the future.</summary>
/// <remarks>The gap is for labels that come late: a row in the gap is in no part.</remarks>
public static class TimeSplit
{
    /// <summary>The row numbers of each part, ascending.</summary>
    /// <param name="times">Microseconds since 1970, one a row, none missing; in any order.</param>
    /// <param name="shares">Each part's share of the rows before gaps are taken out; above 0, together 1 (to 1e-9).</param>
    /// <param name="gap">What is left out at the start of every part but the first.</param>
    /// <exception cref="ArgumentException">The shares are not so, a time is missing, or a part would be empty.</exception>
    public static IReadOnlyList<int[]> Rows(ReadOnlySpan<long> times, IReadOnlyList<double> shares, TimeSpan gap)
    {
        ArgumentNullException.ThrowIfNull(shares);
        if (shares.Count == 0 || shares.Any(share => !(share > 0)) || Math.Abs(shares.Sum() - 1) > 1e-9)
            throw new ArgumentException("The shares must be above 0 and add up to 1.", nameof(shares));
        ArgumentOutOfRangeException.ThrowIfLessThan(gap, TimeSpan.Zero);
        if (times.Contains(TimeColumn.Missing))
            throw new ArgumentException($"Row {times.IndexOf(TimeColumn.Missing) + 1} has no time.", nameof(times));
        var sorted = times.ToArray();
        Array.Sort(sorted);
        var parts = new List<int[]>();
        for (var (part, before) = (0, 0.0); part < shares.Count; before += shares[part++])
        {
            var start = part == 0 ? long.MinValue : Cut(sorted, before) + gap.Ticks / 10;
            var end = part == shares.Count - 1 ? long.MaxValue : Cut(sorted, before + shares[part]);
            parts.Add(Between(times, start, end));
            if (parts[^1].Length == 0)
                throw new ArgumentException($"Part {part + 1} of the split holds no row: the data are too short for gaps of {gap.TotalDays:0.##} days.");
        }

        return parts;
    }

    private static long Cut(long[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];

    private static int[] Between(ReadOnlySpan<long> times, long start, long end)
    {
        var rows = new List<int>();
        for (var i = 0; i < times.Length; i++)
        {
            if (times[i] >= start && times[i] < end)
                rows.Add(i);
        }

        return [.. rows];
    }
}
