using Bulwark.Privacy;
using Bulwark.Privacy.Accounting;

namespace Bulwark.Assurance;

/// <summary>Certifies a model by its vote under Gaussian noise: whatever moves a row by less than the radius, in length (L2), leaves the vote as it is.</summary>
/// <remarks>
/// Source: Cohen, Rosenfeld and Kolter, "Certified Adversarial Robustness via Randomized Smoothing", ICML 2019, section 3.2 (arXiv:1902.02918). The certificate is of the
/// smoothed model, that is of <see cref="Predict"/>, never of the model inside; each certificate fails with a chance of at most <see cref="Alpha"/>. Noise is drawn from the
/// operating system's generator: who knew the draws could choose a row by them. A flag that turns is a change of length 1: radii below that speak of numbers only.
/// Immutable and thread-safe.
/// </remarks>
public sealed record RandomizedSmoothing
{
    private const int BatchDraws = 240;

    /// <summary>Standard deviation of the noise, in encoded units; above 0. The model should have been trained with the same.</summary>
    public required double Sigma { get; init; }

    /// <summary>Draws that choose the class; above 0. They do not count for its certificate.</summary>
    public int SelectionDraws { get; init; } = 100;

    /// <summary>Draws that count; above 0.</summary>
    public int Draws { get; init; } = 10_000;

    /// <summary>Chance that a certificate is wrong; between 0 and 1.</summary>
    public double Alpha { get; init; } = 0.001;

    /// <summary>The radius that so many of the draws' votes for one class certify; null where that is none, for the class may not be the most likely one.</summary>
    /// <param name="votes">Votes for the class, of draws that did not choose it.</param>
    /// <param name="draws">All those draws.</param>
    /// <param name="alpha">Chance that the answer is wrong.</param>
    /// <param name="sigma">Standard deviation of the noise.</param>
    public static double? Radius(long votes, long draws, double alpha, double sigma)
    {
        var share = ClopperPearson.Lower(votes, draws, alpha);
        return share > 0.5 ? sigma * Normal.Quantile(share) : null;
    }

    /// <summary>Two-sided p-value of a fair coin that shows the first class so often against the second: above alpha, the smoothed model abstains.</summary>
    /// <param name="first">Votes of the class with the most.</param>
    /// <param name="second">Votes of the next.</param>
    public static double PValue(long first, long second)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(second);
        ArgumentOutOfRangeException.ThrowIfLessThan(first, second);
        return first == second ? 1 : double.Min(1, 2 * BetaDistribution.Cumulative(0.5, first, second + 1));
    }

    /// <summary>Certifies one row.</summary>
    /// <param name="model">The model inside.</param>
    /// <param name="row">Shape (Inputs).</param>
    /// <exception cref="ArgumentException">The row does not fit or a setting is out of its range.</exception>
    public SmoothedCertificate Certify(IQueriedModel model, ReadOnlySpan<float> row)
    {
        Check(model, row);
        using var noise = new SecureNoise();
        var chosen = Votes(model, row, SelectionDraws, noise);
        var (first, _) = Two(chosen);
        var votes = Votes(model, row, Draws, noise)[first];
        return Radius(votes, Draws, Alpha, Sigma) is { } radius ? new(SmoothingVerdict.Certified, first, radius, votes, Draws) : new(SmoothingVerdict.Abstained, first, 0, votes, Draws);
    }

    /// <summary>What the smoothed model answers: the class with the most votes, or nothing where the votes could be a coin's.</summary>
    /// <param name="model">The model inside.</param>
    /// <param name="row">Shape (Inputs).</param>
    /// <returns>The class, or null: it abstains.</returns>
    public int? Predict(IQueriedModel model, ReadOnlySpan<float> row)
    {
        Check(model, row);
        using var noise = new SecureNoise();
        var votes = Votes(model, row, Draws, noise);
        var (first, second) = Two(votes);
        return PValue(votes[first], votes[second]) > Alpha ? null : first;
    }

    private void Check(IQueriedModel model, ReadOnlySpan<float> row)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!(Sigma > 0) || !double.IsFinite(Sigma) || !(Alpha > 0 && Alpha < 1) || SelectionDraws < 1 || Draws < 1)
            throw new ArgumentException($"Sigma {Sigma} must be above 0, alpha {Alpha} between 0 and 1, {SelectionDraws} and {Draws} draws above 0.");
        if (row.Length != model.Inputs)
            throw new ArgumentException($"A row of {row.Length} values where the model takes {model.Inputs}.", nameof(row));
    }

    /// <summary>Votes of each class; a score that is no number votes for nobody.</summary>
    private long[] Votes(IQueriedModel model, ReadOnlySpan<float> row, int draws, SecureNoise noise)
    {
        var votes = new long[model.Classes];
        var points = new float[BatchDraws * row.Length];
        var scores = new float[BatchDraws * model.Classes];
        for (var at = 0; at < draws; at += BatchDraws)
        {
            var count = int.Min(BatchDraws, draws - at);
            for (var i = 0; i < count; i++)
                row.CopyTo(points.AsSpan(i * row.Length));
            var batch = points.AsSpan(0, count * row.Length);
            noise.AddGaussian(batch, (float)Sigma);
            model.Score(batch, count, scores.AsSpan(0, count * model.Classes));
            for (var i = 0; i < count; i++)
            {
                var line = scores.AsSpan(i * model.Classes, model.Classes);
                if (!line.ContainsAnyNaN())
                    votes[Bulwark.Networks.LossFunction.Predict<float>(line)]++;
            }
        }

        return votes;
    }

    private static (int First, int Second) Two(long[] votes)
    {
        var (first, second) = votes[1] > votes[0] ? (1, 0) : (0, 1);
        for (var k = 2; k < votes.Length; k++)
        {
            if (votes[k] > votes[first])
                (first, second) = (k, first);
            else if (votes[k] > votes[second])
                second = k;
        }

        return (first, second);
    }
}

/// <summary>What smoothing says of a row.</summary>
public enum SmoothingVerdict
{
    /// <summary>Nothing: the votes do not show that one class has most of the noise.</summary>
    Abstained = 0,

    /// <summary>The class stays within the radius.</summary>
    Certified,
}

/// <summary>One row's certificate.</summary>
/// <param name="Verdict">Whether there is one.</param>
/// <param name="Class">The class that was chosen.</param>
/// <param name="Radius">Length of a change that the smoothed model withstands, in encoded units; 0 when it abstained.</param>
/// <param name="Votes">Draws that voted for the class.</param>
/// <param name="Draws">All draws that counted.</param>
public readonly record struct SmoothedCertificate(SmoothingVerdict Verdict, int Class, double Radius, long Votes, long Draws);

/// <summary>Tells whether scores hold one that is no number.</summary>
internal static class ScoreSpans
{
    internal static bool ContainsAnyNaN(this Span<float> values)
    {
        foreach (var value in values)
        {
            if (float.IsNaN(value))
                return true;
        }

        return false;
    }
}
