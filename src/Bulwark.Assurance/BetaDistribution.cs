namespace Bulwark.Assurance;

/// <summary>The beta distribution's function and quantiles.</summary>
/// <remarks>Sources: continued fraction of DLMF 8.17.22 by Lentz's method; log gamma by Lanczos' series (g = 7, 9 terms, Godfrey's coefficients).</remarks>
internal static class BetaDistribution
{
    private static readonly double[] Lanczos =
    [
        0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
        12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ];

    /// <summary>The x at which the function is <paramref name="probability"/>; bisected until the ends are neighbours.</summary>
    internal static double Quantile(double probability, double a, double b)
    {
        double low = 0, high = 1;
        for (var i = 0; i < 2000; i++)
        {
            var middle = low + ((high - low) / 2);
            if (middle <= low || middle >= high)
                break;
            if (Cumulative(middle, a, b) < probability)
                low = middle;
            else
                high = middle;
        }

        return high;
    }

    /// <summary>Regularised incomplete beta function I_x(a, b).</summary>
    internal static double Cumulative(double x, double a, double b)
    {
        if (x <= 0)
            return 0;
        if (x >= 1)
            return 1;
        var front = Math.Exp((a * Math.Log(x)) + (b * Log1P(-x)) + LogGamma(a + b) - LogGamma(a) - LogGamma(b));
        return x < (a + 1) / (a + b + 2)
            ? front * Fraction(x, a, b) / a
            : 1 - (front * Fraction(1 - x, b, a) / b);
    }

    internal static double LogGamma(double x)
    {
        x -= 1;
        var sum = Lanczos[0];
        for (var i = 1; i < Lanczos.Length; i++)
            sum += Lanczos[i] / (x + i);
        var t = x + 7.5;
        return (0.5 * Math.Log(2 * Math.PI)) + ((x + 0.5) * Math.Log(t)) - t + Math.Log(sum);
    }

    private static double Log1P(double x)
    {
        var sum = 1 + x;
        return sum == 1 ? x : Math.Log(sum) * x / (sum - 1);
    }

    private static double Fraction(double x, double a, double b)
    {
        const double Tiny = 1e-300;
        double c = 1, d = Guard(1 - ((a + b) * x / (a + 1)));
        d = 1 / d;
        var fraction = d;
        for (var m = 1; m <= 100_000; m++)
        {
            var even = m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)));
            d = 1 / Guard(1 + (even * d));
            c = Guard(1 + (even / c));
            fraction *= d * c;
            var odd = -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1));
            d = 1 / Guard(1 + (odd * d));
            c = Guard(1 + (odd / c));
            fraction *= d * c;
            if (Math.Abs((d * c) - 1) < 1e-16)
                break;
        }

        return fraction;

        static double Guard(double value) => Math.Abs(value) < Tiny ? Tiny : value;
    }
}
