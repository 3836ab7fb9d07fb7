namespace Bulwark.Training;

/// <summary>An additive model: one curve a feature over its public bins, found by cyclic boosting. It is a regression on the bins' columns, and is exported and scored as one.</summary>
/// <remarks>
/// Source: Nori et al., "Accuracy, Interpretability, and Differential Privacy via Explainable Boosting", ICML 2021, Algorithm 2 (arXiv:2106.09680), with two changes: the bins are
/// declared, so that no budget goes into finding them, and each bin steps by its noisy residual over its noisy curvature, with no random leaves.
/// A residual is at most 1 and a row lies in one bin of each feature, so each round of one feature is a Gaussian release of sensitivity 1.
/// </remarks>
public sealed record AdditiveOptions
{
    /// <summary>Rounds over all features.</summary>
    public int Rounds { get; init; } = 12;

    /// <summary>Share of the residual that one round takes.</summary>
    public double Rate { get; init; } = 0.5;

    /// <summary>Share of the privacy that goes into the bins' counts, above 0 and below 1.</summary>
    public double CountShare { get; init; } = 0.1;

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Rounds is < 1 or > 100_000)
            yield return $"{nameof(Rounds)} is {Rounds}; it must lie between 1 and 100,000.";
        if (!(Rate is > 0 and <= 1))
            yield return $"{nameof(AdditiveOptions)}.{nameof(Rate)} is {Rate}; it must be above 0 and at most 1.";
        if (!(CountShare is > 0 and < 1))
            yield return $"{nameof(CountShare)} is {CountShare}; it must lie between 0 and 1.";
    }
}
