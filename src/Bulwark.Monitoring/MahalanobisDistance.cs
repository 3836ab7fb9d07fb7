using Bulwark.Monitoring.Statistics;

namespace Bulwark.Monitoring;

/// <summary>How far a row is from a mean, in units of a covariance.</summary>
public sealed class MahalanobisDistance
{
    private readonly double[] _mean;
    private readonly double[] _whitening;

    /// <param name="mean">Shape (d).</param>
    /// <param name="covariance">Shape (d, d), positive definite.</param>
    /// <exception cref="ArgumentException">Shapes differ, or the covariance cannot be inverted: shrink it first (<see cref="CovarianceEstimate"/>).</exception>
    public MahalanobisDistance(ReadOnlySpan<double> mean, ReadOnlySpan<double> covariance)
    {
        if (covariance.Length != (long)mean.Length * mean.Length || !Cholesky.TryFactor(covariance, mean.Length, 0, out var factor))
            throw new ArgumentException($"A mean of {mean.Length} values needs a positive definite covariance of as many rows and columns.", nameof(covariance));
        (_mean, _whitening) = (mean.ToArray(), Cholesky.InvertLower(factor, mean.Length));
    }

    /// <summary>The squared distance.</summary>
    /// <param name="row">Shape (d).</param>
    public double Squared(ReadOnlySpan<double> row)
    {
        if (row.Length != _mean.Length)
            throw new ArgumentException($"A row of {row.Length} has no distance from a mean of {_mean.Length}.", nameof(row));
        var sum = 0.0;
        for (int i = 0, at = 0; i < row.Length; at += ++i)
        {
            var along = 0.0;
            for (var j = 0; j <= i; j++)
                along += _whitening[at + j] * (row[j] - _mean[j]);
            sum += along * along;
        }

        return sum;
    }

    /// <summary>The chance that a normal row is further away than this squared distance: chi-squared with d degrees of freedom.</summary>
    public double Chance(double squared) => StandardNormal.ChiSquaredAbove(squared, _mean.Length);
}

/// <summary>Distances from the means of classes in one covariance, and how much nearer the nearest is than the mean of all.</summary>
/// <remarks>Sources: Lee et al., NeurIPS 2018 (arXiv:1807.03888); relative: Ren et al., "A Simple Fix to Mahalanobis Distance for Improving Near-OOD Detection", 2021 (arXiv:2106.09022).</remarks>
public sealed class ClassDistances
{
    private readonly MahalanobisDistance[] _classes;
    private readonly MahalanobisDistance _all;

    /// <param name="rows">Shape (n, width).</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="classes">Shape (n): from 0.</param>
    /// <exception cref="ArgumentException">Shapes differ, or the rows are too few for their covariance to be inverted.</exception>
    public ClassDistances(ReadOnlySpan<double> rows, int width, ReadOnlySpan<int> classes)
    {
        var (means, covariance) = CovarianceEstimate.Tied(rows, width, classes);
        _classes = [.. means.Select(mean => new MahalanobisDistance(mean, covariance))];
        _all = new(CovarianceEstimate.Mean(rows, width), CovarianceEstimate.Sample(rows, width, 0));
    }

    /// <summary>Squared distances from each class's mean.</summary>
    public double[] Squared(ReadOnlySpan<double> row)
    {
        var distances = new double[_classes.Length];
        for (var k = 0; k < distances.Length; k++)
            distances[k] = _classes[k].Squared(row);
        return distances;
    }

    /// <summary>The squared distance from the nearest class less that from the mean of all: large for what belongs to none.</summary>
    public double Relative(ReadOnlySpan<double> row) => Squared(row).Min() - _all.Squared(row);
}
