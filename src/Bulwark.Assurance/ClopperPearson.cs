namespace Bulwark.Assurance;

/// <summary>Exact confidence intervals of a share.</summary>
/// <remarks>Source: Clopper and Pearson, Biometrika 26 (1934), by quantiles of the beta distribution.</remarks>
public static class ClopperPearson
{
    /// <summary>The two-sided interval: each side is missed with a probability of at most half of <paramref name="alpha"/>.</summary>
    /// <param name="successes">From 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">At least 0; for none the interval is 0 to 1.</param>
    /// <param name="alpha">Between 0 and 1; 0.05 for 95 % confidence.</param>
    public static (double Lower, double Upper) Interval(long successes, long trials, double alpha = 0.05) =>
        (Lower(successes, trials, alpha / 2), Upper(successes, trials, alpha / 2));

    /// <summary>The one-sided lower bound.</summary>
    /// <param name="successes">From 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">At least 0.</param>
    /// <param name="alpha">Between 0 and 1.</param>
    public static double Lower(long successes, long trials, double alpha)
    {
        Check(successes, trials, alpha);
        return successes == 0 ? 0 : BetaDistribution.Quantile(alpha, successes, trials - successes + 1);
    }

    /// <summary>The one-sided upper bound.</summary>
    /// <param name="successes">From 0 to <paramref name="trials"/>.</param>
    /// <param name="trials">At least 0.</param>
    /// <param name="alpha">Between 0 and 1.</param>
    public static double Upper(long successes, long trials, double alpha)
    {
        Check(successes, trials, alpha);
        return successes == trials ? 1 : 1 - BetaDistribution.Quantile(alpha, trials - successes, successes + 1);
    }

    private static void Check(long successes, long trials, double alpha)
    {
        if (successes < 0 || successes > trials)
            throw new ArgumentOutOfRangeException(nameof(successes), successes, $"Successes lie between 0 and {trials}.");
        if (!(alpha > 0 && alpha < 1))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "alpha lies between 0 and 1.");
    }
}
