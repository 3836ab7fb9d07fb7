using Bulwark.Privacy.Accounting;

namespace Bulwark.Privacy;

/// <summary>The Gaussian mechanism, exactly.</summary>
/// <remarks>Source: Balle, Wang, "Improving the Gaussian Mechanism for Differential Privacy", ICML 2018, Theorem 8 (arXiv:1805.06530). n releases with noise σ cost what one with σ/√n costs.</remarks>
public static class GaussianMechanism
{
    /// <summary>The smallest δ for <paramref name="epsilon"/>.</summary>
    /// <param name="noiseMultiplier">Standard deviation divided by the L2 sensitivity, above 0.</param>
    /// <param name="epsilon">ε, at least 0.</param>
    public static double Delta(double noiseMultiplier, double epsilon)
    {
        var mu = 1 / noiseMultiplier;
        var a = (epsilon / mu) - (mu / 2);
        var b = (epsilon / mu) + (mu / 2);
        if (a < 0)
            return Normal.Above(a) - (0.5 * Math.Exp(-0.5 * a * a) * Normal.ScaledErfc(b / Math.Sqrt(2)));   // e^ε φ(b) = φ(a)
        return 0.5 * Math.Exp(-0.5 * a * a) * (Normal.ScaledErfc(a / Math.Sqrt(2)) - Normal.ScaledErfc(b / Math.Sqrt(2)));
    }

    /// <summary>The smallest ε for <paramref name="delta"/>, rounded up.</summary>
    /// <param name="noiseMultiplier">Standard deviation divided by the L2 sensitivity, above 0.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    public static double Epsilon(double noiseMultiplier, double delta)
    {
        if (Delta(noiseMultiplier, 0) <= delta)
            return 0;
        var high = 1.0;
        while (Delta(noiseMultiplier, high) > delta)
            high *= 2;
        var low = 0.0;
        for (var i = 0; i < 200 && high - low > 1e-15 * high; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Delta(noiseMultiplier, middle) > delta ? (middle, high) : (low, middle);
        }

        return high;
    }

    /// <summary>The smallest noise multiplier for (ε, δ), rounded up.</summary>
    /// <param name="epsilon">ε, above 0.</param>
    /// <param name="delta">δ, above 0, below 1.</param>
    public static double NoiseMultiplier(double epsilon, double delta)
    {
        var low = 0.0;
        var high = 1.0;
        while (Delta(high, epsilon) > delta)
            (low, high) = (high, high * 2);
        for (var i = 0; i < 200 && high - low > 1e-15 * high; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Delta(middle, epsilon) > delta ? (middle, high) : (low, middle);
        }

        return high;
    }
}
