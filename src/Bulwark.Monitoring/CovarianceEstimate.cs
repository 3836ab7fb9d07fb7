namespace Bulwark.Monitoring;

/// <summary>Covariances of few rows: as they are, or drawn to a multiple of the identity by an intensity that the rows themselves give.</summary>
public static class CovarianceEstimate
{
    /// <summary>Around the mean, divided by the number of rows less <paramref name="lost"/>.</summary>
    /// <param name="rows">Shape (n, width), row-major.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="lost">1 for the unbiased one, 0 for the population's.</param>
    public static double[] Sample(ReadOnlySpan<double> rows, int width, int lost = 1)
    {
        var (mean, count) = (Mean(rows, width), rows.Length / width);
        if (count <= lost)
            throw new ArgumentException($"{count} rows give no covariance.", nameof(rows));
        var covariance = new double[width * width];
        for (var row = 0; row < count; row++)
            AddProducts(rows.Slice(row * width, width), mean, covariance);
        return Divide(covariance, count - lost);
    }

    /// <summary>One covariance for several classes, around each class's own mean, divided by the number of rows.</summary>
    /// <remarks>Source: Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks", NeurIPS 2018, equation 1 (arXiv:1807.03888).</remarks>
    /// <param name="rows">Shape (n, width).</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="classes">Shape (n): from 0.</param>
    /// <returns>Means of shape (classes, width), and the covariance.</returns>
    public static (double[][] Means, double[] Covariance) Tied(ReadOnlySpan<double> rows, int width, ReadOnlySpan<int> classes)
    {
        if (width < 1 || rows.Length != classes.Length * width || classes.IsEmpty)
            throw new ArgumentException($"{rows.Length} values are not {classes.Length} rows of {width}.", nameof(rows));
        var highest = 0;
        foreach (var one in classes)
            highest = Math.Max(highest, one);
        var (means, counts, covariance) = (Enumerable.Range(0, highest + 1).Select(_ => new double[width]).ToArray(), new int[highest + 1], new double[width * width]);
        for (var row = 0; row < classes.Length; row++)
        {
            counts[classes[row]]++;
            for (var j = 0; j < width; j++)
                means[classes[row]][j] += rows[(row * width) + j];
        }

        for (var k = 0; k < means.Length; k++)
        {
            for (var j = 0; j < width; j++)
                means[k][j] /= Math.Max(1, counts[k]);
        }

        for (var row = 0; row < classes.Length; row++)
            AddProducts(rows.Slice(row * width, width), means[classes[row]], covariance);
        return (means, Divide(covariance, classes.Length));
    }

    /// <summary>The population's covariance drawn to its mean variance by the intensity of least expected error.</summary>
    /// <remarks>Source: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", J. Multivariate Analysis 88 (2004), section 3.</remarks>
    public static (double Intensity, double[] Covariance) LedoitWolf(ReadOnlySpan<double> rows, int width)
    {
        var (sample, mean, count) = (Sample(rows, width, 0), Mean(rows, width), rows.Length / width);
        var variance = Trace(sample, width) / width;
        var fourth = 0.0;
        for (var row = 0; row < count; row++)
        {
            var length = 0.0;
            for (var j = 0; j < width; j++)
                length += Math.Pow(rows[(row * width) + j] - mean[j], 2);
            fourth += length * length;
        }

        var squares = sample.Sum(value => value * value);
        var error = ((fourth / count) - squares) / count / width;
        var spread = (squares / width) - (variance * variance);
        var intensity = error <= 0 ? 0 : Math.Min(error, spread) / spread;
        return (intensity, Shrink(sample, width, variance, intensity));
    }

    /// <summary>As Ledoit and Wolf, with the intensity for normal rows.</summary>
    /// <remarks>Source: Chen et al., "Shrinkage Algorithms for MMSE Covariance Estimation", IEEE Trans. Signal Processing 58 (2010), in the form of common libraries: the sum of squares over the number of entries.</remarks>
    public static (double Intensity, double[] Covariance) OracleApproximating(ReadOnlySpan<double> rows, int width)
    {
        var (sample, count) = (Sample(rows, width, 0), rows.Length / width);
        var (variance, squares) = (Trace(sample, width) / width, sample.Average(value => value * value));
        var below = (count + 1) * (squares - (variance * variance / width));
        var intensity = below <= 0 ? 1 : Math.Min(1, (squares + (variance * variance)) / below);
        return (intensity, Shrink(sample, width, variance, intensity));
    }

    /// <summary>The mean row.</summary>
    public static double[] Mean(ReadOnlySpan<double> rows, int width)
    {
        if (width < 1 || rows.IsEmpty || rows.Length % width != 0)
            throw new ArgumentException($"{rows.Length} values do not make rows of {width}.", nameof(rows));
        var (mean, count) = (new double[width], rows.Length / width);
        for (var i = 0; i < rows.Length; i++)
            mean[i % width] += rows[i];
        for (var j = 0; j < width; j++)
            mean[j] /= count;
        return mean;
    }

    private static void AddProducts(ReadOnlySpan<double> row, double[] mean, double[] sum)
    {
        for (var i = 0; i < row.Length; i++)
        {
            for (var j = 0; j < row.Length; j++)
                sum[(i * row.Length) + j] += (row[i] - mean[i]) * (row[j] - mean[j]);
        }
    }

    private static double[] Divide(double[] sums, int by)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] /= by;
        return sums;
    }

    private static double Trace(double[] matrix, int width) => Enumerable.Range(0, width).Sum(j => matrix[(j * width) + j]);

    private static double[] Shrink(double[] sample, int width, double variance, double intensity) =>
        [.. sample.Select((value, i) => ((1 - intensity) * value) + (i % width == i / width ? intensity * variance : 0))];
}
