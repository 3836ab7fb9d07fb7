namespace Bulwark.Privacy;

/// <summary>The least noise that keeps a plan within its budget.</summary>
public static class Calibration
{
    /// <summary>The smallest noise multiplier, to a relative 1e-5 and never too small, whose certified upper ε is at most the budget's.</summary>
    /// <param name="plan">What would happen with a given noise multiplier; more noise must not cost more.</param>
    /// <param name="budget">ε and δ.</param>
    /// <exception cref="InvalidOperationException">No noise multiplier up to 10⁹ keeps the plan within the budget.</exception>
    public static double NoiseMultiplier(Func<double, PrivacyEvent> plan, PrivacyBudget budget)
    {
        var faults = budget.Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(budget));
        var (low, high) = Bracket(plan, budget);
        var (lowError, highError) = (Error(plan, low, budget), Error(plan, high, budget));
        while (high - low > 1e-5 * high)
        {
            var guess = Guess(low, lowError, high, highError);
            var error = Error(plan, guess, budget);
            if (error > 0)
                (low, lowError) = (guess, error);
            else
                (high, highError) = (guess, error);
        }

        return high;
    }

    /// <summary>The noise multiplier of DP-SGD with Poisson batches; exact for one sampling probability of 1.</summary>
    /// <param name="samplingProbability">Chance of each record to be in a batch.</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="budget">ε and δ.</param>
    public static double DpSgdNoise(double samplingProbability, long steps, PrivacyBudget budget) =>
        NoiseMultiplier(noise => PrivacyEvent.DpSgd(samplingProbability, noise, steps), budget);

    /// <summary>log(ε/target): positive when too much is spent. Close to linear in the logarithm of the noise.</summary>
    private static double Error(Func<double, PrivacyEvent> plan, double noise, PrivacyBudget budget)
    {
        var epsilon = PldAccountant.Epsilon(plan(noise), budget.Delta).Upper;
        return epsilon <= budget.Epsilon ? Math.Min(0, Math.Log(Math.Max(epsilon, 1e-12) / budget.Epsilon)) : Math.Max(double.Epsilon, Math.Log(epsilon / budget.Epsilon));
    }

    private static (double Low, double High) Bracket(Func<double, PrivacyEvent> plan, PrivacyBudget budget)
    {
        bool Enough(double noise) => PldAccountant.Epsilon(plan(noise), budget.Delta, relativeWidth: 0.1).Upper <= budget.Epsilon;
        var noise = 1.0;
        if (Enough(noise))
        {
            while (noise > 1e-3 && Enough(noise / 2))
                noise /= 2;
            return (noise / 2, noise);
        }

        while (!Enough(noise * 2))
        {
            if ((noise *= 2) > 1e9)
                throw new InvalidOperationException($"No amount of noise keeps this plan within epsilon {budget.Epsilon} at delta {budget.Delta}: something in it costs more by itself.");
        }

        return (noise, noise * 2);
    }

    /// <summary>Interpolates in the logarithms, a little to the safe side, and never nearer to an end than a hundredth of the bracket unless it is tiny.</summary>
    private static double Guess(double low, double lowError, double high, double highError)
    {
        var middle = Math.Sqrt(low * high);
        if (!double.IsFinite(lowError) || !(lowError > 0) || highError > 0)
            return middle;
        var share = lowError / (lowError - highError);
        var guess = low * Math.Pow(high / low, share);
        var margin = Math.Max(1e-2 * (high - low), 4e-6 * high);
        return high - low < 2 * margin ? middle : Math.Clamp(guess + (3e-6 * high), low + margin, high - margin);
    }
}
