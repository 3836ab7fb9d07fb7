using Bulwark.Networks;
using Bulwark.Privacy;

namespace Bulwark.Training;

/// <summary>Private training by DP-SGD with Poisson batches.</summary>
/// <remarks>Source: Abadi et al., "Deep Learning with Differential Privacy", CCS 2016, Algorithm 1 (arXiv:1607.00133). Neighbours differ by one added or removed row.</remarks>
public sealed record PrivacyOptions
{
    /// <summary>ε for all that this run releases.</summary>
    public double Epsilon { get; init; } = 1;

    /// <summary>δ; far below one over the number of rows.</summary>
    public double Delta { get; init; } = 1e-5;

    /// <summary>Largest L2 length of one row's gradient; null chooses by model: 1 without hidden layers, 5 with.</summary>
    public double? ClippingNorm { get; init; }

    /// <summary>Finds a regression as the minimum of a perturbed objective, in place of noisy steps; without hidden layers only.</summary>
    public bool ObjectivePerturbation { get; init; }

    /// <summary>How a row's gradient is shortened to <see cref="ClippingNorm"/>.</summary>
    public ClippingStyle Clipping { get; init; }

    /// <summary>Lets the clipping norm follow a quantile of the rows' lengths, which is paid for; null keeps it fixed. With flat clipping only.</summary>
    public AdaptiveClipping? Adaptive { get; init; }

    /// <summary>Chance of each row to be in a step's batch; null chooses by model: 1 without hidden layers (every row in every step gives the best signal for its noise), a quarter with.</summary>
    public double? SamplingProbability { get; init; }

    /// <summary>Parts of the run with their own noise and clipping norm, in order; empty for one part. Accounted as the heterogeneous composition that it is.</summary>
    public IReadOnlyList<PrivatePhase> Phases { get; init; } = [];

    /// <summary>Which of the iterates, all of which are private already, becomes the model.</summary>
    public IterateAverage Average { get; init; }

    /// <summary>Noise on the count of rows, in rows, which scales the steps; it is paid for. Null when <see cref="PublicRows"/> is given.</summary>
    public double CountNoise { get; init; } = 100;

    /// <summary>What else is released from the same rows within this ε, booked by whoever releases it; null for nothing.</summary>
    public PrivacyEvent? Also { get; init; }

    /// <summary>The number of rows, when it is public knowledge; null spends a little on a noisy count.</summary>
    public int? PublicRows { get; init; }

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var fault in new PrivacyBudget(Epsilon, Delta).Faults())
            yield return fault;
        if (ClippingNorm is not null and not (> 0 and < double.PositiveInfinity))
            yield return $"{nameof(ClippingNorm)} is {ClippingNorm}; it must be finite and above 0.";
        if (!Enum.IsDefined(Clipping) || !Enum.IsDefined(Average))
            yield return "Unknown clipping style or average.";
        if (SamplingProbability is not null and not (> 0 and <= 1))
            yield return $"{nameof(SamplingProbability)} is {SamplingProbability}; it must be above 0 and at most 1.";
        if (!(CountNoise >= 1) || !double.IsFinite(CountNoise))
            yield return $"{nameof(CountNoise)} is {CountNoise}; it must be finite and at least 1.";
        if (PublicRows < 1)
            yield return $"{nameof(PublicRows)} is {PublicRows}; it must be above 0.";
        if (ObjectivePerturbation && (Adaptive is not null || Clipping != ClippingStyle.Flat || Phases.Count > 0 || ClippingNorm is not null || SamplingProbability is not null))
            yield return "Objective perturbation has no steps: leave out clipping, sampling and phases.";
        if (Adaptive is not null && Clipping != ClippingStyle.Flat)
            yield return "An adaptive norm needs flat clipping.";
        foreach (var fault in Phases.SelectMany(phase => phase.Faults()).Concat(Adaptive?.Faults() ?? []))
            yield return fault;
    }
}

/// <summary>One part of a private run.</summary>
/// <param name="Share">Its share of the steps, relative to the other parts'; above 0.</param>
/// <param name="Noise">Its noise multiplier, relative to the other parts'; above 0.</param>
/// <param name="Clipping">Its clipping norm over the run's; above 0.</param>
public sealed record PrivatePhase(double Share, double Noise = 1, double Clipping = 1)
{
    /// <summary>Every fault; empty when the part is sound.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var (name, value) in new[] { (nameof(Share), Share), (nameof(Noise), Noise), (nameof(Clipping), Clipping) })
        {
            if (!(value is >= 1e-3 and <= 1e3))
                yield return $"A phase's {name} is {value}; it must lie between 0.001 and 1000.";
        }
    }
}

/// <summary>A clipping norm that follows a quantile: after each step it is multiplied by exp(−rate·(noisy share of rows below it − quantile)).</summary>
/// <remarks>
/// Source: Andrew et al., "Differentially Private Learning with Adaptive Clipping", NeurIPS 2021, Algorithm 1 and Theorem 1 (arXiv:1905.03871).
/// The count is released with the sum from the same batch: a Gaussian pair, one Gaussian event of the smaller noise multiplier z where
/// 1/z² = 1/z_sum² + 1/z_count². The count of (is below) − ½ moves by at most ½ with one row.
/// </remarks>
public sealed record AdaptiveClipping
{
    /// <summary>Share of rows whose gradient shall be shorter than the norm.</summary>
    public double Quantile { get; init; } = 0.5;

    /// <summary>How fast the norm follows.</summary>
    public double Rate { get; init; } = 0.2;

    /// <summary>z_count over the event's z; above 1. At 5 the sum's noise grows by 2 %.</summary>
    public double CountNoiseRatio { get; init; } = 5;

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!(Quantile is > 0 and < 1))
            yield return $"{nameof(AdaptiveClipping)}.{nameof(Quantile)} is {Quantile}; it must lie between 0 and 1.";
        if (!(Rate is > 0 and <= 2))
            yield return $"{nameof(AdaptiveClipping)}.{nameof(Rate)} is {Rate}; it must be above 0 and at most 2.";
        if (!(CountNoiseRatio is >= 1.1 and <= 1e3))
            yield return $"{nameof(CountNoiseRatio)} is {CountNoiseRatio}; it must lie between 1.1 and 1000.";
    }
}

/// <summary>Which iterate of a private run becomes the model; each choice is post-processing and costs nothing.</summary>
public enum IterateAverage
{
    /// <summary>The mean of the second half's.</summary>
    SecondHalf = 0,

    /// <summary>An exponential moving average with weight 1/20 for the newest.</summary>
    Exponential,

    /// <summary>The last one.</summary>
    Last,
}
