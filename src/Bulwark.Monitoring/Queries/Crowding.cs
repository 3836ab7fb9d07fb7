namespace Bulwark.Monitoring.Queries;

/// <summary>How much more queries crowd around one than ordinary rows would: a scan over distances and over times, for what exceeds a floor.</summary>
/// <remarks>
/// For the j-th newest query within a distance, which came a queries ago, the expected number is λ = a · share of ordinary rows within that distance.
/// The excess is the Chernoff exponent of Poisson(λ) at j, j ln(j/λ) − j + λ, the largest over all j and distances (a scan statistic; Kulldorff 1997). It falls
/// as λ grows, so for each j one λ gives the floor: it is worked out once, and says how many ordinary rows must lie near. Mostly a few of them show that. Immutable and thread-safe.
/// </remarks>
internal sealed class Crowding
{
    private const int Fewest = 2;
    private const int Look = 64;
    private const double ShortestTime = 200;   // of a quiet start no rates are taken: two queries are no crowd
    private readonly double[] _most = new double[1 + (KeyedSketch.Tables * RecentQueries.MostOfACell)];   // for j queries: the λ below which they exceed the floor

    /// <param name="floor">What is of interest, 0 or above.</param>
    internal Crowding(double floor)
    {
        Floor = floor;
        for (var near = 0; near < _most.Length; near++)
            _most[near] = IsLookedAt(near) ? MostExpected(near, floor) : 0;
    }

    internal double Floor { get; }

    /// <summary>The largest excess if it is above the floor; else 0. Ordinary rows are looked at only as far as that needs.</summary>
    /// <param name="sketch">The query's.</param>
    /// <param name="ages">Of the queries before it, newest first.</param>
    /// <param name="distances">Theirs, squared, none above the last that is scanned.</param>
    /// <param name="squared">The squared distances that are scanned, ascending.</param>
    /// <param name="ordinary">Where ordinary rows lie.</param>
    internal (double Excess, int Neighbours) Above(ReadOnlySpan<short> sketch, ReadOnlySpan<uint> ages, ReadOnlySpan<int> distances, ReadOnlySpan<int> squared, OrdinaryRows ordinary)
    {
        Span<double> needed = stackalloc double[squared.Length];
        Span<int> counts = stackalloc int[squared.Length], near = stackalloc int[squared.Length];
        Need(ages, distances, squared, needed, near);
        counts.Clear();
        for (var seen = 0; ;)
        {
            if (AreThere(needed, counts, seen, ordinary.Count))
                return default;
            if (seen == ordinary.Count)
                break;
            var next = Math.Min(ordinary.Count, seen + Look);
            ordinary.CountWithin(sketch, squared, seen, next, counts);
            seen = next;
        }

        Span<double> shares = stackalloc double[squared.Length];
        for (var level = 0; level < counts.Length; level++)
            shares[level] = Share(counts[level], ordinary.Count);
        return Scan(ages, distances, squared, shares, near);
    }

    /// <summary>For each distance the share of ordinary rows from which on nothing exceeds the floor.</summary>
    private void Need(ReadOnlySpan<uint> ages, ReadOnlySpan<int> distances, ReadOnlySpan<int> squared, Span<double> needed, Span<int> near)
    {
        needed.Clear();
        near.Clear();
        for (var i = 0; i < ages.Length; i++)
        {
            var rate = 1 / Math.Max(ShortestTime, ages[i]);
            for (var level = squared.Length - 1; level >= 0 && distances[i] <= squared[level]; level--)
                needed[level] = Math.Max(needed[level], Most(++near[level]) * rate);
        }
    }

    /// <summary>True when there are as many ordinary rows as are needed. They lie in random order, so that those seen say how many there are at least (four deviations).</summary>
    private static bool AreThere(ReadOnlySpan<double> needed, ReadOnlySpan<int> counts, int seen, int all)
    {
        for (var level = 0; level < counts.Length; level++)
        {
            var least = seen == 0 || seen == all ? counts[level] : Math.Max(counts[level], (int)((counts[level] - (4 * Math.Sqrt(counts[level] + 1))) * all / seen));
            if (Share(least, all) < needed[level] * (1 + 1e-9))   // what rounding leaves open the exact counts decide
                return false;
        }

        return true;
    }

    private static double Share(int rows, int all) => (rows + 0.5) / (all + 1.0);

    private (double Excess, int Neighbours) Scan(ReadOnlySpan<uint> ages, ReadOnlySpan<int> distances, ReadOnlySpan<int> squared, ReadOnlySpan<double> shares, Span<int> near)
    {
        (double Excess, int Neighbours) largest = (Floor, 0);
        near.Clear();
        for (var i = 0; i < ages.Length; i++)
        {
            var time = Math.Max(ShortestTime, ages[i]);
            for (var level = squared.Length - 1; level >= 0 && distances[i] <= squared[level]; level--)
            {
                var (count, expected) = (++near[level], time * shares[level]);
                if (expected >= Most(count))
                    continue;
                var excess = Excess(count, expected);
                if (excess > largest.Excess)
                    largest = (excess, count);
            }
        }

        return largest;
    }

    private double Most(int near) => near < _most.Length ? _most[near] : IsLookedAt(near) ? near : 0;

    /// <summary>Every fourth of many is near enough.</summary>
    private static bool IsLookedAt(int near) => near >= Fewest && (near <= 8 || near % 4 == 0);

    private static double Excess(int near, double expected) => (near * Math.Log(near / expected)) - near + expected;

    /// <summary>The λ whose excess is the floor, from above, so that rounding hides nothing.</summary>
    private static double MostExpected(int near, double floor)
    {
        var (low, high) = (0.0, (double)near);
        for (var halving = 0; halving < 60; halving++)
        {
            var middle = (low + high) / 2;
            if (Excess(near, middle) > floor)
                low = middle;
            else
                high = middle;
        }

        return Math.Min(near, high * (1 + 1e-9));
    }
}
