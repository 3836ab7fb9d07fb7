namespace Bulwark.Monitoring.Statistics;

/// <summary>The standard normal distribution and the chi-squared one's tail, to about 1e-13.</summary>
/// <remarks>Of its own because this room goes into the worker and references nothing; the accountants have theirs. Series and continued fractions: Abramowitz and Stegun 26.2.11, 26.2.14, 6.5.29 and 6.5.31; the quantile starts from 26.2.23 and is refined by Newton steps.</remarks>
internal static class StandardNormal
{
    /// <summary>The chance of a value above <paramref name="x"/>.</summary>
    internal static double Above(double x)
    {
        if (x < 0)
            return 1 - Above(-x);
        if (x > 38)
            return 0;
        if (x < 2.5)
        {
            var (term, sum) = (x, x);
            for (var k = 3; term > 1e-17 * sum; k += 2)
                sum += term *= x * x / k;
            return 0.5 - (Density(x) * sum);
        }

        var fraction = x;
        for (var k = 10 + (int)(400 / (x * x)); k > 0; k--)
            fraction = x + (k / fraction);
        return Density(x) / fraction;
    }

    /// <summary>The value that <paramref name="share"/> of all lie below; from above 0 to below 1.</summary>
    internal static double Quantile(double share)
    {
        if (share > 0.5)
            return -Quantile(1 - share);
        var t = Math.Sqrt(-2 * Math.Log(share));
        var x = t - ((2.515517 + (t * (0.802853 + (t * 0.010328)))) / (1 + (t * (1.432788 + (t * (0.189269 + (t * 0.001308)))))));
        for (var i = 0; i < 4; i++)
        {
            var above = Above(x);
            x += above * Math.Log(above / share) / Density(x);
        }

        return -x;
    }

    /// <summary>The chance that a chi-squared value of so many degrees of freedom is above <paramref name="x"/>.</summary>
    internal static double ChiSquaredAbove(double x, int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degrees, 1);
        if (x <= 0)
            return 1;
        var (a, half) = (degrees / 2.0, x / 2);
        var scale = Math.Exp((a * Math.Log(half)) - half - LogGammaOfHalves(degrees));
        if (half < a + 1)
        {
            var (term, sum) = (1 / a, 1 / a);
            for (var k = 1; term > 1e-17 * sum; k++)
                sum += term *= half / (a + k);
            return 1 - (scale * sum);
        }

        var fraction = 0.0;
        for (var k = 200 + (4 * degrees); k > 0; k--)
            fraction = k * (k - a) / (half + (2 * k) + 1 - a - fraction);
        return scale / (half + 1 - a - fraction);
    }

    /// <summary>ln Γ(degrees / 2), by recurrence from Γ(1) or Γ(½).</summary>
    private static double LogGammaOfHalves(int degrees)
    {
        var sum = degrees % 2 == 0 ? 0 : 0.5 * Math.Log(Math.PI);
        for (var k = degrees % 2 == 0 ? 2 : 1; k < degrees; k += 2)
            sum += Math.Log(k / 2.0);
        return sum;
    }

    private static double Density(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
}
