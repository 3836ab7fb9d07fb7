using System.Numerics.Tensors;

namespace Bulwark.Privacy;

/// <summary>Mean and covariance of rows, released once by the Gaussian mechanism.</summary>
/// <remarks>
/// One row contributes (1, x/R, xxᵀ/R²) to a sum, R being a public bound on its length, to which longer rows are shortened: each of the
/// three parts has length at most 1 (‖xxᵀ‖_F = ‖x‖²), so a row moves the whole by at most √3. Off-diagonal entries are drawn once,
/// scaled by √2, for xxᵀ is symmetric. The covariance is computed from the noisy sums; it need not be positive definite.
/// A row's values are integers of 2⁻¹² before anything is multiplied, so every sum is exact up to 2²⁹ rows, whatever its order; the noise is
/// <see cref="SecureNoise"/>'s, on a grid. Nothing that rounding leaves is released.
/// </remarks>
public sealed record PrivateMoments
{
    private const long Steps = 4096;

    private PrivateMoments()
    {
    }

    /// <summary>Shape (d).</summary>
    public required IReadOnlyList<double> Mean { get; init; }

    /// <summary>Shape (d, d), row-major, symmetric.</summary>
    public required IReadOnlyList<double> Covariance { get; init; }

    /// <summary>The noisy number of rows.</summary>
    public required double Count { get; init; }

    /// <summary>What was spent.</summary>
    public required PrivacyEvent Event { get; init; }

    /// <summary>Books the cost, then releases the moments.</summary>
    /// <param name="rows">Shape (n, <paramref name="width"/>), row-major; a row that is not finite counts as zeros.</param>
    /// <param name="width">d, above 0.</param>
    /// <param name="longest">R: public bound on a row's L2 length; finite, above 0.</param>
    /// <param name="noiseMultiplier">Noise standard deviation over the sensitivity.</param>
    /// <param name="ledger">Where it is booked, before any noise is drawn.</param>
    /// <param name="dataset">The data set's name in the ledger.</param>
    /// <exception cref="PrivacyBudgetException">The ledger refuses; nothing was released.</exception>
    public static PrivateMoments Release(ReadOnlySpan<float> rows, int width, double longest, double noiseMultiplier, PrivacyLedger ledger, string dataset)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        if (!(longest > 0) || !double.IsFinite(longest))
            throw new ArgumentOutOfRangeException(nameof(longest), longest, "The bound on a row's length must be finite and above 0.");
        if (rows.Length % width != 0)
            throw new ArgumentException($"{rows.Length} values do not make rows of {width}.", nameof(rows));
        var happened = new GaussianEvent(noiseMultiplier);
        var reservation = ledger.Reserve(dataset, happened, $"mean and covariance of {width} values");
        reservation.Begin();
        var sums = Sums(rows, width, longest);
        using (var noise = new SecureNoise())
            noise.AddGaussian(sums.AsSpan(), noiseMultiplier * Math.Sqrt(3));
        reservation.Commit();
        return FromSums(sums, width, longest, happened);
    }

    /// <summary>Layout: count, d sums, then the upper triangle by rows.</summary>
    internal static double[] Sums(ReadOnlySpan<float> rows, int width, double longest)
    {
        var sums = new double[1 + width + (width * (width + 1) / 2)];
        var unit = new double[width];
        for (; !rows.IsEmpty; rows = rows[width..])
        {
            Unit(rows[..width], longest, unit);
            sums[0]++;
            TensorPrimitives.Add(sums.AsSpan(1, width), unit, sums.AsSpan(1, width));
            for (int i = 0, at = 1 + width; i < width; at += width - i, i++)
            {
                var target = sums.AsSpan(at, width - i);
                if (unit[i] != 0)
                    TensorPrimitives.MultiplyAdd(unit.AsSpan(i), unit[i], target, target);
            }
        }

        for (int i = 0, at = 1 + width; i < width; at += width - i, i++)
            TensorPrimitives.Multiply(sums.AsSpan(at + 1, width - i - 1), Math.Sqrt(2), sums.AsSpan(at + 1, width - i - 1));
        return sums;
    }

    /// <summary>A row of length at most 1, in whole steps.</summary>
    private static void Unit(ReadOnlySpan<float> row, double longest, double[] unit)
    {
        for (var i = 0; i < unit.Length; i++)
            unit[i] = row[i] / longest;
        var length = TensorPrimitives.Norm(unit);
        if (!double.IsFinite(length))
            Array.Clear(unit);
        else if (length > 1)
            TensorPrimitives.Divide(unit, length, unit);
        TensorPrimitives.Multiply(unit, Steps, unit);
        var rounded = 0L;
        foreach (var value in unit)
            rounded += (long)Math.Round(value) * (long)Math.Round(value);
        for (var i = 0; i < unit.Length; i++)
            unit[i] = rounded <= Steps * Steps ? Math.Round(unit[i]) / Steps : Math.Truncate(unit[i] * (1 - 1e-12)) / Steps;
    }

    private static PrivateMoments FromSums(double[] sums, int width, double longest, PrivacyEvent happened)
    {
        var count = Math.Max(1, sums[0]);
        var mean = new double[width];
        for (var i = 0; i < width; i++)
            mean[i] = sums[1 + i] * longest / count;
        var covariance = new double[width * width];
        for (int i = 0, at = 1 + width; i < width; i++)
        {
            for (var j = i; j < width; j++, at++)
            {
                var product = sums[at] * longest * longest / count / (i == j ? 1 : Math.Sqrt(2));
                covariance[(i * width) + j] = covariance[(j * width) + i] = product - (mean[i] * mean[j]);
            }
        }

        return new PrivateMoments { Mean = mean, Covariance = covariance, Count = count, Event = happened };
    }
}
