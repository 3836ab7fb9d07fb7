namespace Bulwark.Monitoring.Queries;

/// <summary>How much more queries crowd around one than ordinary rows would: a scan over distances and over times.</summary>
/// <remarks>
/// For the j-th newest query within a distance, which came a queries ago, the expected number is λ = a · share of ordinary rows within that distance.
/// The excess is the Chernoff exponent of Poisson(λ) at j, j ln(j/λ) − j + λ, the largest over all j and distances (a scan statistic; Kulldorff 1997).
/// </remarks>
internal static class Crowding
{
    private const int Fewest = 2;
    private const int FirstLook = 128;
    private const double ShortestTime = 200;   // of a quiet start no rates are taken: two queries are no crowd

    /// <summary>The largest excess if it is above <paramref name="floor"/>; else 0. Ordinary rows are looked at only as far as that needs.</summary>
    /// <param name="sketch">The query's.</param>
    /// <param name="ages">Of the queries before it, newest first.</param>
    /// <param name="distances">Theirs, squared.</param>
    /// <param name="squared">The squared distances that are scanned, ascending.</param>
    /// <param name="ordinary">Where ordinary rows lie.</param>
    /// <param name="floor">What is of interest.</param>
    internal static (double Excess, int Neighbours) Above(ReadOnlySpan<short> sketch, ReadOnlySpan<uint> ages, ReadOnlySpan<int> distances, ReadOnlySpan<int> squared, OrdinaryRows ordinary, double floor)
    {
        Span<int> counts = stackalloc int[squared.Length];
        Span<int> least = stackalloc int[squared.Length];
        counts.Clear();
        for (var (seen, step) = (0, FirstLook); ; step *= 2)
        {
            // More ordinary rows can only make the excess smaller; the rows lie in random order, so that those seen say how many there are at least (four deviations).
            for (var level = 0; level < counts.Length; level++)
                least[level] = seen == 0 || seen == ordinary.Count ? counts[level] : Math.Max(counts[level], (int)((counts[level] - (4 * Math.Sqrt(counts[level] + 1))) * ordinary.Count / seen));
            var found = Scan(ages, distances, squared, least, ordinary.Count, floor);
            if (found.Excess <= floor)
                return default;
            if (seen == ordinary.Count)
                return found;
            var next = Math.Min(ordinary.Count, seen + step);
            ordinary.CountWithin(sketch, squared, seen, next, counts);
            seen = next;
        }
    }

    private static (double Excess, int Neighbours) Scan(ReadOnlySpan<uint> ages, ReadOnlySpan<int> distances, ReadOnlySpan<int> squared, ReadOnlySpan<int> counts, int rows, double floor)
    {
        (double Excess, int Neighbours) largest = (floor, 0);
        for (var level = 0; level < squared.Length; level++)
        {
            var share = (counts[level] + 0.5) / (rows + 1.0);
            var near = 0;
            for (var i = 0; i < ages.Length; i++)
            {
                if (distances[i] > squared[level])
                    continue;
                near++;
                if (near < Fewest || (near > 8 && near % 4 != 0))   // every fourth of many is near enough
                    continue;
                var expected = Math.Max(ShortestTime, ages[i]) * share;
                var ratio = near / expected;
                if (ratio <= 1 || (near * (Math.ILogB(ratio) + 1) * 0.694) - near + expected <= largest.Excess)
                    continue;
                var excess = (near * Math.Log(ratio)) - near + expected;
                if (excess > largest.Excess)
                    largest = (excess, near);
            }
        }

        return largest;
    }
}
