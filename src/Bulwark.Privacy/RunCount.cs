namespace Bulwark.Privacy;

/// <summary>The random number of runs in <see cref="RepeatAndSelectEvent"/>: truncated negative binomial D(η, γ) on 1, 2, 3, …</summary>
/// <remarks>Papernot, Steinke 2022, Definition 1: P(k) = (1−γ)ᵏ / (γ^−η − 1) · Π (l+η)/(l+1), l = 0 … k−1; for η = 0 the logarithmic distribution.</remarks>
public sealed class RunCount
{
    /// <param name="mean">Expected number of runs, at least 1.</param>
    /// <param name="shape">η, above −1.</param>
    public RunCount(double mean, double shape = 1)
    {
        if (!(mean >= 1) || !(mean <= 1e9) || !(shape > -1) || !(shape <= 1e6))
            throw new ArgumentOutOfRangeException(nameof(mean), mean, $"The mean must be from 1 to 1e9 and the shape ({shape}) above -1.");
        (Mean, Shape) = (mean, shape);
        Gamma = mean == 1 ? 1 : Solve(mean, shape);
    }

    /// <summary>Expected number of runs.</summary>
    public double Mean { get; }

    /// <summary>η.</summary>
    public double Shape { get; }

    /// <summary>γ, above 0, at most 1.</summary>
    public double Gamma { get; }

    /// <summary>Draws a number of runs.</summary>
    /// <param name="random">Cryptographic randomness.</param>
    /// <param name="most">Drawing more than this many runs is refused, so that a plan has an end.</param>
    /// <returns>At least 1.</returns>
    /// <exception cref="InvalidOperationException">More than <paramref name="most"/> runs were drawn; draw again only after booking again.</exception>
    public int Draw(SecureRandom random, int most = 1_000_000)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (Gamma == 1)
            return 1;
        var left = random.NextDouble();
        var term = (1 - Gamma) * First();
        for (var k = 1; k <= most; k++)
        {
            left -= term;
            if (left < 0)
                return k;
            term *= (1 - Gamma) * (k + Shape) / (k + 1);
        }

        throw new InvalidOperationException($"More than {most} runs were drawn.");
    }

    /// <summary>P(1) / (1−γ).</summary>
    private double First() => Shape == 0 ? 1 / Math.Log(1 / Gamma) : Shape / (Math.Pow(Gamma, -Shape) - 1);

    private static double MeanOf(double gamma, double shape) => shape == 0
        ? ((1 / gamma) - 1) / Math.Log(1 / gamma)
        : shape * (1 - gamma) / (gamma * (1 - Math.Pow(gamma, shape)));

    private static double Solve(double mean, double shape)
    {
        var (low, high) = (1e-300, 1.0);   // the mean falls from infinity to 1
        for (var i = 0; i < 2000 && high - low > 1e-15 * high; i++)
        {
            var middle = low < high / 4 ? Math.Sqrt(low) * Math.Sqrt(high) : (low + high) / 2;
            (low, high) = MeanOf(middle, shape) > mean ? (middle, high) : (low, middle);
        }

        return low;
    }
}
