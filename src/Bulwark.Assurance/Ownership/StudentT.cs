namespace Bulwark.Assurance.Ownership;

/// <summary>Student's t distribution.</summary>
internal static class StudentT
{
    /// <summary>The value that t with <paramref name="degrees"/> degrees of freedom exceeds with the probability <paramref name="tail"/>, below one half.</summary>
    /// <remarks>P(T &gt; t) = I(ν/(ν+t²); ν/2, 1/2)/2 (Abramowitz and Stegun 26.7.1 with 26.5.27); solved by halving.</remarks>
    internal static double UpperQuantile(double tail, int degrees)
    {
        var (low, high) = (0.0, 1e6);
        for (var i = 0; i < 200; i++)
        {
            var middle = (low + high) / 2;
            var above = BetaDistribution.Cumulative(degrees / (degrees + (middle * middle)), degrees / 2.0, 0.5) / 2;
            (low, high) = above > tail ? (middle, high) : (low, middle);
        }

        return high;
    }
}
