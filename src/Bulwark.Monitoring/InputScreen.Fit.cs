using System.Numerics.Tensors;
using System.Text.Json.Serialization;
using Bulwark.Monitoring.Statistics;

namespace Bulwark.Monitoring;

/// <summary>How a screen is fitted to moments.</summary>
public sealed record ScreenFit
{
    /// <summary>How far the covariance is drawn to its own diagonal: 0 not at all, 1 wholly (Ledoit and Wolf 2004, with a given intensity). No unit.</summary>
    public double Shrinkage { get; init; } = 0.05;

    /// <summary>The least that is added to each variance, in squared encoded units; raised tenfold until the covariance can be inverted.</summary>
    public double Ridge { get; init; } = 1e-4;

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Shrinkage is not (>= 0 and <= 1)) yield return $"{nameof(Shrinkage)} is {Shrinkage}; it must be from 0 to 1.";
        if (!(Ridge > 0) || !double.IsFinite(Ridge)) yield return $"{nameof(Ridge)} is {Ridge}; it must be finite and above 0.";
    }
}

/// <summary>What a threshold was calibrated on.</summary>
/// <param name="Rows">How many rows.</param>
/// <param name="FalsePositiveRate">The share of those rows that lies beyond the threshold; where <paramref name="Extrapolated"/>, the rate that was asked for, which no row shows.</param>
/// <param name="Extrapolated">True when a law fitted to the tail set the threshold, beyond all rows or at the furthest.</param>
public sealed record ScreenCalibration(
    int Rows, double FalsePositiveRate, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Extrapolated = false);

public sealed partial class InputScreen
{
    /// <summary>Fits the distance to moments of the encoded training rows. The threshold is still 0 and refuses all: calibrate it or give one.</summary>
    /// <param name="fields">The contract of raw rows.</param>
    /// <param name="mean">Shape (d): the mean of the encoded rows. May carry privacy noise.</param>
    /// <param name="covariance">Shape (d, d), row-major: their covariance. May carry privacy noise and so be indefinite: it is symmetrised, shrunk and given a ridge.</param>
    /// <param name="options">Shrinkage and ridge; null for the defaults.</param>
    /// <exception cref="ArgumentException">Shapes do not match, a moment is not finite, or the options or fields are unsound.</exception>
    public static InputScreen Fit(IReadOnlyList<ScreenField> fields, ReadOnlySpan<double> mean, ReadOnlySpan<double> covariance, ScreenFit? options = null)
    {
        options ??= new();
        if (options.Faults().FirstOrDefault() is { } fault)
            throw new ArgumentException(fault, nameof(options));
        var width = mean.Length;
        if (width == 0 || covariance.Length != (long)width * width)
            throw new ArgumentException($"A mean of {width} values needs a covariance of {width} x {width}; it has {covariance.Length} values.", nameof(covariance));
        if (!TensorPrimitives.IsFiniteAll(mean) || !TensorPrimitives.IsFiniteAll(covariance))
            throw new ArgumentException("A moment is not finite.", nameof(covariance));

        var shrunk = Shrink(covariance, width, options.Shrinkage);
        var ridge = options.Ridge;
        double[]? factor;
        while (!Cholesky.TryFactor(shrunk, width, ridge, out factor))
            ridge *= 10;
        return new(Sound(fields), Narrow(mean), Narrow(Cholesky.InvertLower(factor, width)), ridge, threshold: 0, calibration: null);
    }

    /// <summary>Mean and covariance of encoded rows: exact, so not private.</summary>
    /// <param name="encoded">Shape (n, d), row-major, n at least 2.</param>
    /// <param name="width">d, above 0.</param>
    /// <returns>Shapes (d) and (d, d); the covariance divides by n.</returns>
    public static (double[] Mean, double[] Covariance) Moments(ReadOnlySpan<float> encoded, int width)
    {
        var rows = RowCount(encoded, width);
        if (rows < 2)
            throw new ArgumentException("A covariance needs at least two rows.", nameof(encoded));
        var mean = new double[width];
        for (var r = 0; r < rows; r++)
            for (var i = 0; i < width; i++)
                mean[i] += encoded[(r * width) + i];
        TensorPrimitives.Divide(mean, rows, mean);

        var covariance = new double[width * width];
        var centred = new double[width];
        for (var r = 0; r < rows; r++)
        {
            for (var i = 0; i < width; i++)
                centred[i] = encoded[(r * width) + i] - mean[i];
            for (var i = 0; i < width; i++)
                if (centred[i] != 0)
                {
                    var row = covariance.AsSpan(i * width, width);
                    TensorPrimitives.MultiplyAdd(centred, centred[i], row, row);
                }
        }

        TensorPrimitives.Divide(covariance, rows, covariance);
        return (mean, covariance);
    }

    /// <summary>The same screen with the least threshold that refuses at most a share of these rows.</summary>
    /// <remarks>
    /// Where the rate is below one row: from 200 rows on the tail of their distances is extended (a generalized Pareto law), to twice the largest at most: an estimate and no bound; with
    /// fewer the threshold is the largest distance, which new rows exceed more often than the rate says (one of n + 1 on average). Training's 0.01 never extends.
    /// </remarks>
    /// <param name="encoded">Shape (n, <see cref="EncodedWidth"/>), row-major: rows that were not used for fitting. The threshold depends on them, so with a private model they must be public or their quantile paid for (see <see cref="Distances"/> and <see cref="WithThreshold"/>).</param>
    /// <param name="falsePositiveRate">The largest share refused, from 0 to below 1.</param>
    /// <exception cref="ArgumentException">There are no rows, or the width does not match.</exception>
    public InputScreen Calibrate(ReadOnlySpan<float> encoded, double falsePositiveRate)
    {
        if (falsePositiveRate is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(falsePositiveRate), falsePositiveRate, "The false-positive rate must be from 0 to below 1.");
        var distances = new float[RowCount(encoded, EncodedWidth)];
        if (distances.Length == 0)
            throw new ArgumentException("Calibration needs rows.", nameof(encoded));
        Distances(encoded, distances);
        Array.Sort(distances);
        var refused = (int)(falsePositiveRate * distances.Length);
        var threshold = distances[distances.Length - 1 - refused];
        if (!float.IsFinite(threshold) || float.IsNaN(distances[0]))
            throw new ArgumentException("A calibration row has no finite distance.", nameof(encoded));
        if (refused == 0 && falsePositiveRate > 0 && TailModel.Exceeded(distances, falsePositiveRate) is { } further && double.IsFinite(further))
        {
            var extended = (float)Math.Max(threshold, Math.Min(further, Math.Min(2.0 * threshold, float.MaxValue)));   // here the threshold is the largest distance seen
            return new(_fields, _mean, _whitening, Ridge, extended, new(distances.Length, falsePositiveRate, Extrapolated: true), _relations);
        }

        var beyond = distances.Count(d => d > threshold);
        return new(_fields, _mean, _whitening, Ridge, threshold, new(distances.Length, (double)beyond / distances.Length), _relations);
    }

    /// <summary>The same screen with a given threshold.</summary>
    /// <param name="threshold">The largest distance let through; finite and at least 0.</param>
    public InputScreen WithThreshold(float threshold) => threshold >= 0 && float.IsFinite(threshold)
        ? new(_fields, _mean, _whitening, Ridge, threshold, null, _relations)
        : throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "The threshold must be finite and at least 0.");

    /// <summary>The distance of each encoded row.</summary>
    /// <param name="encoded">Shape (n, <see cref="EncodedWidth"/>), row-major.</param>
    /// <param name="distances">Shape (n).</param>
    public void Distances(ReadOnlySpan<float> encoded, Span<float> distances)
    {
        if (RowCount(encoded, EncodedWidth) != distances.Length)
            throw new ArgumentException("There must be one distance a row.", nameof(distances));
        for (var r = 0; r < distances.Length; r++)
            distances[r] = Distance(encoded.Slice(r * EncodedWidth, EncodedWidth));
    }

    private static int RowCount(ReadOnlySpan<float> encoded, int width) => width > 0 && encoded.Length % width == 0
        ? encoded.Length / width
        : throw new ArgumentException($"{encoded.Length} values do not make rows of {width}.", nameof(encoded));

    private static double[] Shrink(ReadOnlySpan<double> covariance, int width, double shrinkage)
    {
        var shrunk = new double[width * width];
        for (var i = 0; i < width; i++)
            for (var j = 0; j < width; j++)
                shrunk[(i * width) + j] = i == j
                    ? double.Max(0, covariance[(i * width) + i])
                    : (1 - shrinkage) * (covariance[(i * width) + j] + covariance[(j * width) + i]) / 2;
        return shrunk;
    }

    private static float[] Narrow(ReadOnlySpan<double> values)
    {
        var narrow = new float[values.Length];
        TensorPrimitives.ConvertTruncating(values, narrow);
        return narrow;
    }
}
