namespace Bulwark.Privacy;

/// <summary>Bounds of a column, read off a noisy histogram over public bins whose edges are powers of two.</summary>
/// <remarks>
/// A row falls into one bin, so the histogram's L2 sensitivity is 1. A bin counts as filled when its noisy count is above 6 standard deviations;
/// values in bins that stay below are clipped by the bounds. Missing values fall into none.
/// </remarks>
public static class PrivateBounds
{
    private const int LowestPower = -20;
    private const int HighestPower = 50;
    private const int Side = HighestPower - LowestPower + 1;

    /// <summary>What <see cref="Release"/> costs.</summary>
    /// <param name="noiseMultiplier">Noise standard deviation, in rows.</param>
    public static PrivacyEvent Cost(double noiseMultiplier) => PrivateStatistics.CountCost(noiseMultiplier);

    /// <summary>Books the cost, then releases bounds, each a power of two, its negative, or 0.</summary>
    /// <param name="values">The column; NaN where missing.</param>
    /// <param name="noiseMultiplier">Noise standard deviation, in rows.</param>
    /// <param name="ledger">Where it is booked, before any noise is drawn.</param>
    /// <param name="dataset">The data set's name in the ledger.</param>
    /// <param name="column">The column's name, for the ledger.</param>
    /// <returns>Minimum and maximum; null when no bin is filled.</returns>
    /// <exception cref="PrivacyBudgetException">The ledger refuses; nothing was released.</exception>
    public static (double Minimum, double Maximum)? Release(ReadOnlySpan<double> values, double noiseMultiplier, PrivacyLedger ledger, string dataset, string column)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var scale = NoiseScale.Of(noiseMultiplier);
        var reservation = ledger.Reserve(dataset, Cost(noiseMultiplier), $"bounds of {column}");
        reservation.Begin();
        var counts = new long[(2 * Side) + 1];
        foreach (var value in values)
        {
            if (!double.IsNaN(value))
                counts[Bin(value)]++;
        }

        using (var noise = new DiscreteNoise())
            noise.AddGaussian(counts, scale.Numerator, scale.Denominator);
        reservation.Commit();
        var filled = Enumerable.Range(0, counts.Length).Where(bin => counts[bin] > 6 * noiseMultiplier).ToList();
        return filled.Count == 0 ? null : (Edges(filled[0]).Low, Edges(filled[^1]).High);
    }

    /// <summary>Bin <see cref="Side"/> holds 0; those above hold (2ᵏ⁻¹, 2ᵏ], those below their negatives.</summary>
    private static int Bin(double value)
    {
        if (value == 0)
            return Side;
        var power = Math.Abs(value) >= Math.ScaleB(1, HighestPower) ? HighestPower : Math.Clamp((int)Math.Ceiling(Math.Log2(Math.Abs(value))), LowestPower, HighestPower);
        return Side + (Math.Sign(value) * (power - LowestPower + 1));
    }

    private static (double Low, double High) Edges(int bin)
    {
        if (bin == Side)
            return (0, 0);
        var power = Math.Abs(bin - Side) - 1 + LowestPower;
        var (inner, outer) = (power == LowestPower ? 0 : Math.ScaleB(1, power - 1), Math.ScaleB(1, power));
        return bin > Side ? (inner, outer) : (-outer, -inner);
    }
}
