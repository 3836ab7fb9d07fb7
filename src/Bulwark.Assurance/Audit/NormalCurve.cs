namespace Bulwark.Assurance.Audit;

/// <summary>The standard normal distribution function and its inverse, to about 1e-14.</summary>
/// <remarks>Series and continued fraction: Abramowitz and Stegun 26.2.11 and 26.2.14; the inverse starts from 26.2.23 and is refined by Newton steps on the logarithm.</remarks>
internal static class NormalCurve
{
    internal static double Below(double x) => x > 0 ? 1 - Tail(x) : Tail(-x);

    internal static double Quantile(double probability)
    {
        if (probability <= 0)
            return double.NegativeInfinity;
        if (probability >= 1)
            return double.PositiveInfinity;
        if (probability > 0.5)
            return -Quantile(1 - probability);
        var t = Math.Sqrt(-2 * Math.Log(probability));
        var x = t - ((2.515517 + (t * (0.802853 + (t * 0.010328)))) / (1 + (t * (1.432788 + (t * (0.189269 + (t * 0.001308)))))));
        for (var (i, step) = (0, 1.0); i < 4 && Math.Abs(step) > 1e-7; i++)   // the last step's error is its square's size
        {
            var tail = Tail(x);
            x += step = tail * Math.Log(tail / probability) / Density(x);
        }

        return -x;
    }

    private static double Density(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);

    private static double Tail(double x)
    {
        if (x < 0)
            return 1 - Tail(-x);
        if (x > 38)
            return 0;
        if (x < 2.5)
        {
            var (term, sum) = (x, x);
            for (var k = 3; Math.Abs(term) > 1e-17 * sum; k += 2)
                sum += term *= x * x / k;
            return 0.5 - (Density(x) * sum);
        }

        var fraction = x;
        for (var k = 10 + (int)(400 / (x * x)); k > 0; k--)
            fraction = x + (k / fraction);
        return Density(x) / fraction;
    }
}
