namespace Bulwark.Monitoring.Statistics;

/// <summary>How far a quantity goes beyond what was seen of it: a generalized Pareto law fitted to its largest tenth.</summary>
/// <remarks>
/// Sources: Pickands, Annals of Statistics 3 (1975), that exceedances tend to this law; Hosking and Wallis, Technometrics 29 (1987), section 4, its parameters by
/// probability-weighted moments. The shape is kept within ±0.5: beyond it some hundred values say nothing sound.
/// </remarks>
internal static class TailModel
{
    private const double Share = 0.1;
    private const int Fewest = 20;

    /// <summary>The value that a new one exceeds with the probability given; null where too few were seen.</summary>
    /// <param name="ascending">What was seen, sorted.</param>
    /// <param name="probability">Above 0, below a tenth.</param>
    internal static double? Exceeded(ReadOnlySpan<float> ascending, double probability)
    {
        var count = (int)(ascending.Length * Share);
        if (count < Fewest || probability is not (> 0 and < Share))
            return null;
        double start = ascending[^(count + 1)];
        var (mean, weighted) = (0.0, 0.0);
        for (var i = 0; i < count; i++)
        {
            var beyond = ascending[ascending.Length - count + i] - start;
            mean += beyond / count;
            weighted += beyond * (1 - ((i + 0.65) / count)) / count;   // (i − 0.35) / n, i from 1
        }

        if (!(mean > 0) || !(mean > 2 * weighted))
            return null;
        var shape = Math.Clamp(2 - (mean / (mean - (2 * weighted))), -0.5, 0.5);
        var scale = mean * (1 - shape);   // the law's mean is scale / (1 − shape)
        var ratio = Share / probability;
        return start + (scale * (Math.Abs(shape) < 1e-6 ? Math.Log(ratio) : (Math.Pow(ratio, shape) - 1) / shape));
    }
}
