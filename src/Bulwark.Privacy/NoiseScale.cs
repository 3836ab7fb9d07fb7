namespace Bulwark.Privacy;

/// <summary>A noise variance as a fraction of integers, never smaller than what was asked for.</summary>
/// <param name="Numerator">Of σ².</param>
/// <param name="Denominator">Of σ².</param>
public readonly record struct NoiseScale(long Numerator, long Denominator)
{
    /// <summary>σ, rounded down.</summary>
    public double Sigma => Math.BitDecrement(Math.Sqrt((double)Numerator / Denominator));

    /// <summary>σ² rounded up to a multiple of 2⁻¹⁶.</summary>
    /// <param name="sigma">Standard deviation, in units of the grid; from 2⁻⁷ to 2¹².</param>
    public static NoiseScale Of(double sigma)
    {
        if (!(sigma >= 1.0 / 128) || !(sigma <= 4096))
            throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "The standard deviation must be from 1/128 to 4096 steps of the grid.");
        return new NoiseScale((long)Math.Ceiling(sigma * sigma * 65536), 65536);
    }
}
