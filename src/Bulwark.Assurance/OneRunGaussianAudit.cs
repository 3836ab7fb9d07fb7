using Bulwark.Privacy;
using Bulwark.Privacy.Accounting;

namespace Bulwark.Assurance;

/// <summary>The one-run audit against a Gaussian trade-off curve: tighter than <see cref="OneRunAudit"/> where the mechanism is Gaussian, for it does not give away what (ε, δ) alone forgets.</summary>
/// <remarks>
/// Source: Mahloujifar, Melis, Chaudhuri, "Auditing f-Differential Privacy in One Run", 2024 (arXiv:2410.22235). With f̄ = 1 − f and p_t the chance of t right guesses of r among m canaries,
/// flipping one canary's coin gives, for every j, Σ_{t≥j} (t/m)·p_t ≤ f̄(Σ_{t≥j−1} ((r−t)/m)·p_t); the least total mass that carries Pr[T ≥ v] = error under all of these is found from v downwards.
/// The hypothesis that is refuted is μ-GDP; ε at δ is that of the largest refuted μ. Exact for full batches; for small sampling probabilities the curve is only nearly Gaussian.
/// </remarks>
public static class OneRunGaussianAudit
{
    /// <summary>Whether so many right guesses refute μ-GDP.</summary>
    /// <param name="canaries">m, at least <paramref name="guesses"/>.</param>
    /// <param name="guesses">r, above 0.</param>
    /// <param name="right">v, from 0 to r.</param>
    /// <param name="mu">μ, at least 0.</param>
    /// <param name="error">Chance to err, between 0 and 1.</param>
    public static bool Refutes(int canaries, int guesses, int right, double mu, double error)
    {
        var all = (double)guesses / canaries;
        var rights = error * right / canaries;
        var wrongs = error * (guesses - right) / canaries;
        for (var t = right - 1; t >= 0; t--)
        {
            // f̄ of a Gaussian pair is Φ(Φ⁻¹(x) + μ); what is wrong at level t must be at least its inverse of what is right above.
            var needed = Math.Max(wrongs, Normal.Below(Normal.Quantile(rights) - mu));
            rights += (needed - wrongs) * t / (guesses - t);
            wrongs = needed;
            if (rights + wrongs > all)
                return true;
        }

        return false;
    }

    /// <summary>The best refuted μ over the same five numbers of guesses as <see cref="OneRunAudit.Best"/>, and ε at δ of it.</summary>
    /// <param name="scores">One a canary; larger means more likely in. Not NaN.</param>
    /// <param name="isIn">Which canaries were in.</param>
    /// <param name="delta">δ, above 0.</param>
    /// <param name="error">Chance to err, between 0 and 1.</param>
    public static OneRunBound Best(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isIn, double delta, double error = 0.05)
    {
        var best = new OneRunBound(scores.Length, 0, 0, 0);
        var mu = 0.0;
        foreach (var (guesses, right) in OneRunAudit.Guesses(scores, isIn))
        {
            var share = error / OneRunAudit.Trials;
            if (!Refutes(scores.Length, guesses, right, mu, share))
                continue;
            var (low, high) = (mu, Math.Max(1, 2 * mu));
            while (high < 100 && Refutes(scores.Length, guesses, right, high, share))
                (low, high) = (high, high * 2);
            for (var i = 0; i < 20; i++)
            {
                var middle = (low + high) / 2;
                (low, high) = Refutes(scores.Length, guesses, right, middle, share) ? (middle, high) : (low, middle);
            }

            mu = low;
            best = new(scores.Length, guesses, right, low > 0 ? GaussianMechanism.Epsilon(1 / low, delta) : 0);
        }

        return best;
    }

    /// <summary>The bound of canaries whose scores are independent of each other, as those of coordinates with noise of their own: the shares of false alarms and misses at a threshold bound μ.</summary>
    /// <remarks>
    /// μ ≥ Φ⁻¹(1 − false alarms) − Φ⁻¹(misses), each share by its Clopper–Pearson upper bound at a tenth of the error, best of five thresholds that split the scores at fixed shares.
    /// Independence is an assumption here, where <see cref="Best"/> needs none.
    /// </remarks>
    /// <param name="scores">One a canary; larger means more likely in. Not NaN.</param>
    /// <param name="isIn">Which canaries were in.</param>
    /// <param name="delta">δ, above 0.</param>
    /// <param name="error">Chance to err, between 0 and 1.</param>
    public static OneRunBound OfIndependent(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isIn, double delta, double error = 0.05)
    {
        _ = OneRunAudit.Guesses(scores, isIn);   // the same demands
        var (sorted, coins) = (scores.ToArray(), isIn.ToArray());
        Array.Sort(sorted, coins);
        var members = coins.Count(coin => coin);
        double[] splits = [0.1, 0.3, 0.5, 0.7, 0.9];
        var best = new OneRunBound(coins.Length, 0, 0, 0);
        var mu = 0.0;
        foreach (var split in splits)
        {
            var below = (int)(split * coins.Length);
            var misses = coins.AsSpan(0, below).Count(true);
            var alarms = coins.AsSpan(below).Count(false);
            var share = error / (2 * splits.Length);
            var found = -Normal.Quantile(ClopperPearson.Upper(alarms, coins.Length - members, share)) - Normal.Quantile(ClopperPearson.Upper(misses, members, share));
            if (!(found > mu))
                continue;
            mu = found;
            best = new(coins.Length, coins.Length, coins.Length - misses - alarms, GaussianMechanism.Epsilon(1 / mu, delta));
        }

        return best;
    }
}
