namespace Bulwark.Monitoring.Statistics;

/// <summary>How far values are from a normal distribution: W is 1 for a perfect fit.</summary>
/// <remarks>Source: Royston, "Remark AS R94", Applied Statistics 44 (1995), for 3 to 5000 values; the same approximations as the published routine.</remarks>
internal static class ShapiroWilk
{
    internal const int Fewest = 3;
    internal const int Most = 5000;

    private static readonly double[] s_last = [0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056];
    private static readonly double[] s_lastButOne = [0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633];
    private static readonly double[] s_meanOfFew = [0.5440, -0.39978, 0.025054, -0.6714e-3];
    private static readonly double[] s_spreadOfFew = [1.3822, -0.77857, 0.062767, -0.0020322];
    private static readonly double[] s_mean = [-1.5861, -0.31082, -0.083751, 0.0038915];
    private static readonly double[] s_spread = [-0.4803, -0.082676, 0.0030302];

    /// <summary>W and the chance of a smaller one among normal values. Values that are all the same give W = 1.</summary>
    /// <exception cref="ArgumentException">There are too few or too many values, or one is not finite.</exception>
    internal static (double W, double P) Test(ReadOnlySpan<double> values)
    {
        if (values.Length is < Fewest or > Most)
            throw new ArgumentException($"The test takes {Fewest} to {Most} values, not {values.Length}.", nameof(values));
        var sorted = values.ToArray();
        if (sorted.Any(value => !double.IsFinite(value)))
            throw new ArgumentException("A value is not finite.", nameof(values));
        Array.Sort(sorted);
        var n = sorted.Length;
        var weights = Weights(n);
        var mean = sorted.Average();
        var (linear, squares) = (0.0, 0.0);
        for (var i = 0; i < n; i++)
            squares += (sorted[i] - mean) * (sorted[i] - mean);
        for (var i = 0; i < weights.Length; i++)
            linear += weights[i] * (sorted[n - 1 - i] - sorted[i]);
        if (squares <= 0)
            return (1, 1);
        var w = Math.Min(1, linear * linear / squares);
        return (w, Chance(w, n));
    }

    /// <summary>Weights of the largest values, descending; the smallest have the same with a minus.</summary>
    private static double[] Weights(int n)
    {
        if (n == 3)
            return [Math.Sqrt(0.5)];
        double[] expected = [.. Enumerable.Range(1, n / 2).Select(i => -StandardNormal.Quantile((i - 0.375) / (n + 0.25)))];
        var sum = 2 * expected.Sum(value => value * value);
        var (length, root) = (Math.Sqrt(sum), 1 / Math.Sqrt(n));
        var first = Polynomial(s_last, root) + (expected[0] / length);
        if (n <= 5)
        {
            var factor = Math.Sqrt((sum - (2 * expected[0] * expected[0])) / (1 - (2 * first * first)));
            return [first, .. expected[1..].Select(value => value / factor)];
        }

        var second = Polynomial(s_lastButOne, root) + (expected[1] / length);
        var rest = Math.Sqrt((sum - (2 * expected[0] * expected[0]) - (2 * expected[1] * expected[1])) / (1 - (2 * first * first) - (2 * second * second)));
        return [first, second, .. expected[2..].Select(value => value / rest)];
    }

    /// <summary>The chance of a smaller W among n normal values.</summary>
    internal static double Chance(double w, int n)
    {
        if (n == 3)
            return Math.Max(0, 6 / Math.PI * (Math.Asin(Math.Sqrt(w)) - Math.Asin(Math.Sqrt(0.75))));
        if (w >= 1)
            return 1;
        var (y, log) = (Math.Log(1 - w), Math.Log(n));
        if (n > 11)
            return StandardNormal.Above((y - Polynomial(s_mean, log)) / Math.Exp(Polynomial(s_spread, log)));
        var gamma = -2.273 + (0.459 * n);
        return y >= gamma ? 1e-99 : StandardNormal.Above((-Math.Log(gamma - y) - Polynomial(s_meanOfFew, n)) / Math.Exp(Polynomial(s_spreadOfFew, n)));
    }

    private static double Polynomial(double[] coefficients, double x)
    {
        var value = 0.0;
        for (var i = coefficients.Length - 1; i >= 0; i--)
            value = (value * x) + coefficients[i];
        return value;
    }
}
