namespace Bulwark.Privacy;

/// <summary>Counts, sums, means, histograms, quantiles and bins of a data set, each booked in the ledger before any noise is drawn.</summary>
/// <remarks>
/// Everything is counted in integers: values are clamped to declared bounds and put on a grid by random rounding, summed without rounding, and
/// noise is drawn exactly (<see cref="DiscreteNoise"/>). No floating-point sum or draw is ever released, so the attacks of Mironov (CCS 2012),
/// Haney et al. (arXiv:2207.13793) and Casacuberta et al. (arXiv:2207.10635) find nothing to look at. Neighbours as in the ledger's budget.
/// </remarks>
/// <param name="ledger">Where it is booked.</param>
/// <param name="dataset">The data set's name in the ledger.</param>
public sealed class PrivateStatistics(PrivacyLedger ledger, string dataset)
{
    private const double TargetSigma = 1024;   // steps of the grid: fine enough not to be seen, coarse enough to be accounted for point by point

    /// <summary>What <see cref="Count"/> and <see cref="Histogram"/> cost.</summary>
    /// <param name="noise">Standard deviation, in records.</param>
    public static PrivacyEvent CountCost(double noise) => new DiscreteGaussianEvent(NoiseScale.Of(noise).Sigma);

    /// <summary>What <see cref="Sum"/> costs.</summary>
    /// <param name="noiseMultiplier">Standard deviation over the largest bound's size.</param>
    public static PrivacyEvent SumCost(double noiseMultiplier) => new DiscreteGaussianEvent(Grid(noiseMultiplier).Scale.Sigma, Grid(noiseMultiplier).Steps);

    /// <summary>What <see cref="Quantile"/> costs.</summary>
    /// <param name="epsilon">ε; taken as a multiple of 2⁻¹⁶, rounded down.</param>
    public static PrivacyEvent QuantileCost(double epsilon) => new ExponentialEvent(Fixed(epsilon) / 65536.0);

    /// <summary>The noisy number of records; may be negative.</summary>
    /// <param name="records">The true number.</param>
    /// <param name="noise">Standard deviation, in records; from 1/128 to 4096.</param>
    /// <exception cref="PrivacyBudgetException">The ledger refuses; nothing was released.</exception>
    public long Count(long records, double noise)
    {
        var scale = NoiseScale.Of(noise);
        return Booked(CountCost(noise), "count", draw => checked(records + draw.Gaussian(scale.Numerator, scale.Denominator)));
    }

    /// <summary>A noisy number of records in each bin; a record is in one bin at most.</summary>
    /// <param name="bins">Each record's bin, from 0; a negative number for none.</param>
    /// <param name="count">Number of bins; they must be public.</param>
    /// <param name="noise">Standard deviation, in records; from 1/128 to 4096.</param>
    public long[] Histogram(ReadOnlySpan<int> bins, int count, double noise)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var counts = new long[count];
        foreach (var bin in bins)
        {
            if (bin >= count)
                throw new ArgumentException($"A record is in bin {bin} of {count}.", nameof(bins));
            if (bin >= 0)
                counts[bin]++;
        }

        var scale = NoiseScale.Of(noise);
        return Booked(CountCost(noise), $"histogram of {count} bins", draw =>
        {
            draw.AddGaussian(counts, scale.Numerator, scale.Denominator);
            return counts;
        });
    }

    /// <summary>The noisy sum of values that are clamped to public bounds; a value that is no number counts as 0, or as the bound nearest to it.</summary>
    /// <param name="values">The column.</param>
    /// <param name="minimum">Public lower bound.</param>
    /// <param name="maximum">Public upper bound, above <paramref name="minimum"/>.</param>
    /// <param name="noiseMultiplier">Standard deviation over max(|minimum|, |maximum|).</param>
    public double Sum(ReadOnlySpan<double> values, double minimum, double maximum, double noiseMultiplier)
    {
        var (scale, steps) = Grid(noiseMultiplier);
        var largest = Largest(minimum, maximum);
        var column = values.ToArray();
        return Booked(SumCost(noiseMultiplier), "sum", draw => Total(column, minimum, maximum, largest / steps, steps, scale, draw));
    }

    /// <summary>The noisy mean: a noisy sum of distances from the bounds' middle over a noisy count, booked as the two releases that it is.</summary>
    /// <param name="values">The column.</param>
    /// <param name="minimum">Public lower bound.</param>
    /// <param name="maximum">Public upper bound, above <paramref name="minimum"/>.</param>
    /// <param name="noiseMultiplier">Standard deviation of the sum over half the bounds' distance, and of the count in records.</param>
    public double Mean(ReadOnlySpan<double> values, double minimum, double maximum, double noiseMultiplier)
    {
        var (scale, steps) = Grid(noiseMultiplier);
        _ = Largest(minimum, maximum);
        var (middle, half) = ((minimum / 2) + (maximum / 2), (maximum / 2) - (minimum / 2));
        var column = values.ToArray();
        var counting = NoiseScale.Of(noiseMultiplier);
        return Booked(new ComposedEvent([SumCost(noiseMultiplier), CountCost(noiseMultiplier)]), "mean", draw =>
        {
            for (var i = 0; i < column.Length; i++)
                column[i] = double.IsNaN(column[i]) ? 0 : Math.Clamp(column[i], minimum, maximum) - middle;
            var total = Total(column, -half, half, half / steps, steps, scale, draw);
            var count = Math.Max(1, column.Length + draw.Gaussian(counting.Numerator, counting.Denominator));
            return Math.Clamp(middle + (total / count), minimum, maximum);
        });
    }

    /// <summary>A value that about a given share of the records lies below, chosen among public candidates by the exponential mechanism.</summary>
    /// <param name="values">The column; what is no number counts as missing.</param>
    /// <param name="share">From 0 to 1; taken in steps of 1/10000.</param>
    /// <param name="candidates">Public, rising.</param>
    /// <param name="epsilon">ε; taken as a multiple of 2⁻¹⁶.</param>
    public double Quantile(ReadOnlySpan<double> values, double share, IReadOnlyList<double> candidates, double epsilon)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        if (!(share >= 0 && share <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "The share must be from 0 to 1.");
        if (candidates.Count == 0)
            throw new ArgumentException("There are no candidates.", nameof(candidates));
        var distances = RankDistances(values, (long)Math.Round(share * 10_000), candidates);
        return Booked(QuantileCost(epsilon), $"quantile {share:g4}", draw =>
        {
            // Exponential mechanism by rejection: a uniform candidate is kept with chance e^(−ε·(distance − least)/(2·sensitivity)). One record moves a distance by at most 10000.
            var (least, weight) = (distances.Min(), (UInt128)Fixed(epsilon));
            for (; ; )
            {
                var i = (int)draw.Below((ulong)distances.Length);
                if (draw.HappensExp(weight * (UInt128)(distances[i] - least), (UInt128)65536 * 2 * 10_000))
                    return candidates[i];
            }
        });
    }

    /// <summary>Edges between bins of about equal size, from quantiles that share ε; rising, without doubles.</summary>
    /// <param name="values">The column.</param>
    /// <param name="bins">Number of bins, at least 2.</param>
    /// <param name="candidates">Public, rising.</param>
    /// <param name="epsilon">ε of all edges together.</param>
    public double[] Bins(ReadOnlySpan<double> values, int bins, IReadOnlyList<double> candidates, double epsilon)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 2);
        var edges = new SortedSet<double>();
        for (var i = 1; i < bins; i++)
            edges.Add(Quantile(values, (double)i / bins, candidates, epsilon / (bins - 1)));
        return [.. edges];
    }

    private T Booked<T>(PrivacyEvent cost, string purpose, Func<DiscreteNoise, T> release)
    {
        var reservation = ledger.Reserve(dataset, cost, purpose);
        reservation.Begin();
        using var draw = new DiscreteNoise();
        var released = release(draw);
        reservation.Commit();
        return released;
    }

    /// <summary>Integers only until the last multiplication.</summary>
    private static double Total(double[] values, double minimum, double maximum, double step, int steps, NoiseScale scale, DiscreteNoise draw)
    {
        var sum = 0L;
        foreach (var value in values)
        {
            var place = Math.Clamp(double.IsNaN(value) ? 0 : value, minimum, maximum) / step;
            var floor = Math.Floor(place);
            var up = draw.Below(1UL << 53) < (ulong)Math.Round((place - floor) * (1UL << 53));
            sum = checked(sum + Math.Clamp((long)floor + (up ? 1 : 0), -steps, steps));
        }

        return checked(sum + draw.Gaussian(scale.Numerator, scale.Denominator)) * step;
    }

    /// <summary>A record's largest contribution is so many steps that the noise has about <see cref="TargetSigma"/>.</summary>
    private static (NoiseScale Scale, int Steps) Grid(double noiseMultiplier)
    {
        if (!(noiseMultiplier >= 1e-2) || !(noiseMultiplier <= 4096))
            throw new ArgumentOutOfRangeException(nameof(noiseMultiplier), noiseMultiplier, "The noise multiplier must be from 0.01 to 4096.");
        var steps = (int)Math.Clamp(Math.Pow(2, Math.Round(Math.Log2(TargetSigma / noiseMultiplier))), 1, 1 << 16);
        return (NoiseScale.Of(noiseMultiplier * steps), steps);
    }

    private static double Largest(double minimum, double maximum) => double.IsFinite(minimum) && double.IsFinite(maximum) && maximum > minimum
        ? Math.Max(Math.Abs(minimum), Math.Abs(maximum))
        : throw new ArgumentOutOfRangeException(nameof(minimum), minimum, $"The bounds {minimum} and {maximum} must be finite, and the upper one larger.");

    private static long Fixed(double epsilon) => epsilon >= 1.0 / 65536 && epsilon <= 1000
        ? (long)Math.Floor(epsilon * 65536)
        : throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "Epsilon must be from 1/65536 to 1000.");

    /// <summary>|10000·(records below) − share·records|, exactly.</summary>
    private static long[] RankDistances(ReadOnlySpan<double> values, long share, IReadOnlyList<double> candidates)
    {
        var sorted = values.ToArray().Where(value => !double.IsNaN(value)).ToArray();
        Array.Sort(sorted);
        var distances = new long[candidates.Count];
        var below = 0;
        for (var i = 0; i < distances.Length; i++)
        {
            if (i > 0 && !(candidates[i] > candidates[i - 1]))
                throw new ArgumentException("The candidates must rise.", nameof(candidates));
            while (below < sorted.Length && sorted[below] < candidates[i])
                below++;
            distances[i] = Math.Abs((10_000L * below) - (share * sorted.Length));
        }

        return distances;
    }
}
