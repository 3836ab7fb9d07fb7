namespace Bulwark.Assurance;

/// <summary>What so many right guesses about canaries say of ε.</summary>
/// <param name="Canaries">Canaries, each put in with a chance of one half, independently.</param>
/// <param name="Guesses">Guesses made; the attacker may abstain from the rest.</param>
/// <param name="Right">Right ones.</param>
/// <param name="EpsilonLower">With the confidence asked for, ε is not below this; 0 when nothing can be said.</param>
public sealed record OneRunBound(int Canaries, int Guesses, int Right, double EpsilonLower);

/// <summary>A lower bound on ε from a single training run with many canaries.</summary>
/// <remarks>
/// Source: Steinke, Nasr, Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023, Theorem 5.2 (arXiv:2305.08846). The canaries' coins must be independent of everything
/// else. Trying several numbers of guesses needs a smaller error for each: <see cref="Best"/> divides it.
/// </remarks>
public static class OneRunAudit
{
    private static readonly double[] s_shares = [0.02, 0.05, 0.15, 0.4, 1];

    /// <summary>How likely at least so many right guesses are at most, if the training were (ε, δ)-private.</summary>
    /// <param name="canaries">m, at least <paramref name="guesses"/>.</param>
    /// <param name="guesses">r, above 0.</param>
    /// <param name="right">v, from 0 to r.</param>
    /// <param name="epsilon">ε, at least 0.</param>
    /// <param name="delta">δ, at least 0.</param>
    public static double PValue(int canaries, int guesses, int right, double epsilon, double delta)
    {
        Check(canaries, guesses, right, delta);
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        var (mass, above) = (Binomial(guesses, epsilon), 0.0);
        for (var count = guesses; count >= right; count--)
            above += mass[count];
        var (largest, between) = (0.0, 0.0);
        for (var i = 1; i <= right; i++)
        {
            between += mass[right - i];
            largest = Math.Max(largest, between / i);
        }

        return Math.Min(1, above + (2 * canaries * delta * largest));
    }

    /// <summary>The largest ε that this many right guesses refute.</summary>
    /// <param name="canaries">m, at least <paramref name="guesses"/>.</param>
    /// <param name="guesses">r, above 0.</param>
    /// <param name="right">v, from 0 to r.</param>
    /// <param name="delta">δ, at least 0.</param>
    /// <param name="error">Chance to err, between 0 and 1.</param>
    public static OneRunBound LowerBound(int canaries, int guesses, int right, double delta, double error = 0.05)
    {
        Check(canaries, guesses, right, delta);
        var none = new OneRunBound(canaries, guesses, right, 0);
        if (PValue(canaries, guesses, right, 0, delta) >= error)
            return none;
        var (low, high) = (0.0, 1.0);
        while (high < 1e3 && PValue(canaries, guesses, right, high, delta) < error)
            (low, high) = (high, high * 2);
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = PValue(canaries, guesses, right, middle, delta) < error ? (middle, high) : (low, middle);
        }

        return none with { EpsilonLower = low };
    }

    /// <summary>The best bound over five numbers of guesses, each at a fifth of the error: half of the guesses are "in" for the highest scores, half "out" for the lowest.</summary>
    /// <param name="scores">One a canary; larger means more likely in. Not NaN.</param>
    /// <param name="isIn">Which canaries were in.</param>
    /// <param name="delta">δ, at least 0.</param>
    /// <param name="error">Chance to err, between 0 and 1.</param>
    public static OneRunBound Best(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isIn, double delta, double error = 0.05)
    {
        var canaries = scores.Length;
        return Guesses(scores, isIn).Select(trial => LowerBound(canaries, trial.Guesses, trial.Right, delta, error / Trials)).MaxBy(bound => bound.EpsilonLower)!;
    }

    /// <summary>How many numbers of guesses are tried.</summary>
    internal static int Trials => s_shares.Length;

    /// <summary>Right guesses for each number of guesses that is tried.</summary>
    internal static IReadOnlyList<(int Guesses, int Right)> Guesses(ReadOnlySpan<double> scores, ReadOnlySpan<bool> isIn)
    {
        if (scores.Length != isIn.Length || scores.Length < 20)
            throw new ArgumentException("An audit needs a score for each canary, and at least 20 canaries.", nameof(scores));
        var (sorted, coins) = (scores.ToArray(), isIn.ToArray());
        if (sorted.Any(double.IsNaN))
            throw new ArgumentException("A score is not a number.", nameof(scores));
        Array.Sort(sorted, coins);
        return [.. s_shares.Select(share => Math.Max(1, (int)(share * coins.Length / 2))).Select(each =>
            (2 * each, coins.AsSpan(0, each).Count(false) + coins.AsSpan(coins.Length - each).Count(true)))];
    }

    /// <summary>Probabilities of 0 … r right guesses when each is right with e^ε/(1+e^ε).</summary>
    private static double[] Binomial(int guesses, double epsilon)
    {
        var (right, wrong) = (-Math.Log(1 + Math.Exp(-epsilon)), -Math.Log(1 + Math.Exp(epsilon)));
        if (double.IsInfinity(wrong))
            wrong = -epsilon;
        var mass = new double[guesses + 1];
        var logChoices = 0.0;
        for (var count = 0; count <= guesses; count++)
        {
            mass[count] = Math.Exp(logChoices + (count * right) + ((guesses - count) * wrong));
            logChoices += Math.Log((double)(guesses - count) / (count + 1));
        }

        return mass;
    }

    private static void Check(int canaries, int guesses, int right, double delta)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(guesses, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(canaries, guesses);
        ArgumentOutOfRangeException.ThrowIfNegative(right);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(right, guesses);
        if (!(delta >= 0 && delta < 1))
            throw new ArgumentOutOfRangeException(nameof(delta), delta, "delta lies between 0 and 1.");
    }
}
