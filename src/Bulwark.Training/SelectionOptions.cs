namespace Bulwark.Training;

/// <summary>Private choice of hyper-parameters: a secret, random number of whole runs, each of a candidate drawn at random, of which only the best by a noisy score is released.</summary>
/// <remarks>
/// Sources: Liu and Talwar, STOC 2019 (arXiv:1811.07971); Papernot and Steinke, ICLR 2022 (arXiv:2110.03620), Theorem 2. All candidates cost the same, for they differ in what is no release:
/// how far they step and how long a gradient may be. The score, the number of training rows that a candidate gets right, is noisy and part of each run's cost.
/// Whoever can time the training learns the number of runs: time it for nobody.
/// </remarks>
public sealed record SelectionOptions
{
    /// <summary>Expected number of runs; above 1.</summary>
    public double Mean { get; init; } = 5;

    /// <summary>Shape of the truncated negative binomial distribution of the number of runs: 1 geometric, 0 logarithmic.</summary>
    public double Shape { get; init; } = 1;

    /// <summary>Noise on a score, in rows.</summary>
    public double ScoreNoise { get; init; } = 100;

    /// <summary>Candidate step lengths over the default.</summary>
    public IReadOnlyList<double> StepFactors { get; init; } = [0.5, 1, 2];

    /// <summary>Candidate clipping norms over the default.</summary>
    public IReadOnlyList<double> ClippingFactors { get; init; } = [0.5, 1, 2];

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!(Mean is > 1 and <= 1000))
            yield return $"{nameof(SelectionOptions)}.{nameof(Mean)} is {Mean}; it must be above 1 and at most 1000.";
        if (!(Shape is > -1 and <= 100))
            yield return $"{nameof(Shape)} is {Shape}; it must be above -1 and at most 100.";
        if (!(ScoreNoise >= 1) || !double.IsFinite(ScoreNoise))
            yield return $"{nameof(ScoreNoise)} is {ScoreNoise}; it must be finite and at least 1.";
        if (StepFactors.Count == 0 || ClippingFactors.Count == 0 || StepFactors.Concat(ClippingFactors).Any(factor => !(factor is >= 1e-3 and <= 1e3)))
            yield return $"{nameof(StepFactors)} and {nameof(ClippingFactors)} each need a factor, and each must lie between 0.001 and 1000.";
    }
}
