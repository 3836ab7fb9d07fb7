namespace Bulwark.Privacy.Accounting;

/// <summary>The normal distribution with relative accuracy in both tails, and its inverse.</summary>
internal static class Normal
{
    private const double LogSqrt2Pi = 0.91893853320467274178;
    private const double Sqrt2 = 1.41421356237309504880;

    internal static double LogDensity(double z) => (-0.5 * z * z) - LogSqrt2Pi;

    /// <summary>P(Z &gt; z).</summary>
    internal static double Above(double z) => z < -1 ? 1 - Above(-z) : 0.5 * Math.Exp(-0.5 * z * z) * ScaledErfc(z / Sqrt2);

    /// <summary>P(Z ≤ z).</summary>
    internal static double Below(double z) => Above(-z);

    /// <summary>log P(Z &gt; z), also where the probability underflows.</summary>
    internal static double LogAbove(double z) => z < 5 ? Math.Log(Above(z)) : (-0.5 * z * z) + Math.Log(0.5 * ScaledErfc(z / Sqrt2));

    /// <summary>log P(Z ≤ z), also where the probability underflows.</summary>
    internal static double LogBelow(double z) => LogAbove(-z);

    /// <summary>The z of which P(Z ≤ z) is <paramref name="probability"/>; infinite at 0 and 1.</summary>
    /// <remarks>Abramowitz and Stegun 26.2.23, refined by Newton steps on the logarithm of the tail.</remarks>
    internal static double Quantile(double probability)
    {
        if (probability <= 0)
            return double.NegativeInfinity;
        if (probability >= 1)
            return double.PositiveInfinity;
        if (probability > 0.5)
            return -Quantile(1 - probability);
        var wanted = Math.Log(probability);
        var t = Math.Sqrt(-2 * wanted);
        var z = t - ((2.515517 + (t * (0.802853 + (t * 0.010328)))) / (1 + (t * (1.432788 + (t * (0.189269 + (t * 0.001308)))))));
        for (var (i, step) = (0, 1.0); i < 4 && Math.Abs(step) > 1e-7; i++)   // the last step's error is its square's size
        {
            var tail = LogAbove(z);
            z += step = Math.Exp(tail - LogDensity(z)) * (tail - wanted);
        }

        return -z;
    }

    /// <summary>exp(x²)·erfc(x).</summary>
    internal static double ScaledErfc(double x) => x switch
    {
        < 0 => (2 * Math.Exp(x * x)) - ScaledErfc(-x),
        < 1.6 => Math.Exp(x * x) - ScaledErfSeries(x),
        < 60 => ScaledErfcFraction(x),
        _ => (1 - (0.5 / (x * x)) + (0.75 / (x * x * x * x))) / (x * Math.Sqrt(Math.PI)),
    };

    /// <summary>exp(x²)·erf(x) = 2/√π · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, every term positive.</summary>
    private static double ScaledErfSeries(double x)
    {
        var term = x;
        var sum = x;
        for (var n = 1; term > sum * 1e-17; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    /// <summary>Continued fraction of Laplace, evaluated from its tail.</summary>
    private static double ScaledErfcFraction(double x)
    {
        var tail = x;
        for (var k = (int)(20 + (600 / (x * x))); k >= 1; k--)
            tail = x + (0.5 * k / tail);
        return 1 / (tail * Math.Sqrt(Math.PI));
    }
}
