namespace Bulwark.Privacy;

/// <summary>A mechanism ran on a Poisson sample: each record was in it with the same chance, independently.</summary>
/// <param name="SamplingProbability">That chance, above 0, at most 1.</param>
/// <param name="Event">What ran on the sample.</param>
public sealed record PoissonSampledEvent(double SamplingProbability, PrivacyEvent Event) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults()
    {
        if (!(SamplingProbability > 0 && SamplingProbability <= 1))
            yield return $"{nameof(SamplingProbability)} is {SamplingProbability}; it must be above 0 and at most 1.";
        foreach (var fault in Event?.Faults() ?? [$"{nameof(Event)} is missing."])
            yield return fault;
    }
}

/// <summary>A mechanism ran on a sample of fixed size, drawn uniformly without replacement from a data set of public size.</summary>
/// <remarks>
/// Not a Poisson sample, and never counted as one: amplification is proved only for neighbours that replace a record
/// (<see cref="PrivacyUnit.ReplacedRecord"/>), where one record's change is twice its largest contribution.
/// Batches cut from one shuffled list are not this event: they have no amplification here; count them as the mechanism on all records.
/// </remarks>
/// <param name="Population">Number of records, public, at least 1.</param>
/// <param name="Sample">Number of records in the sample, from 1 to the population.</param>
/// <param name="Event">What ran on the sample.</param>
public sealed record FixedSizeSampledEvent(long Population, long Sample, PrivacyEvent Event) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults()
    {
        if (Sample < 1 || Sample > Population)
            yield return $"{nameof(Sample)} is {Sample} of {Population}; it must be at least 1 and at most the population.";
        foreach (var fault in Event?.Faults() ?? [$"{nameof(Event)} is missing."])
            yield return fault;
    }
}

/// <summary>One step with adaptive clipping released the noisy sum of clipped gradients and the noisy count of those that were not clipped.</summary>
/// <remarks>
/// Source: Andrew, Thakkar, McMahan, Ramaswamy, "Differentially Private Learning with Adaptive Clipping", NeurIPS 2021, Theorem 1 (arXiv:1905.03871):
/// each record adds ±1/2 to the centred count, so both together cost one Gaussian release with 1/z² = 1/z_sum² + 1/(2·z_count)².
/// </remarks>
/// <param name="NoiseMultiplier">Standard deviation of the sum's noise over the clipping norm.</param>
/// <param name="CountNoise">Standard deviation of the count's noise, in records.</param>
public sealed record AdaptiveClipEvent(double NoiseMultiplier, double CountNoise) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults() => [.. Positive(NoiseMultiplier, nameof(NoiseMultiplier)), .. Positive(CountNoise, nameof(CountNoise))];

    /// <summary>Noise multiplier of the one Gaussian release that costs the same.</summary>
    internal double Effective => Math.BitDecrement(1 / Math.Sqrt((1 / (NoiseMultiplier * NoiseMultiplier)) + (0.25 / (CountNoise * CountNoise))));
}

/// <summary>A mechanism ran a secret, random number of times and only the best result was released: private hyper-parameter selection.</summary>
/// <remarks>
/// Source: Papernot, Steinke, "Hyperparameter Tuning with Rényi Differential Privacy", ICLR 2022 (arXiv:2110.03620), Theorem 2; shape 1 (geometric) is Liu, Talwar, STOC 2019 (arXiv:1811.07971).
/// The number of runs follows the truncated negative binomial distribution D(η, γ); γ follows from its mean. The number itself must never be released.
/// </remarks>
/// <param name="Event">One run, its score included.</param>
/// <param name="Mean">Expected number of runs, above 1, or 1 for exactly one.</param>
/// <param name="Shape">η, above −1: 1 geometric, 0 logarithmic.</param>
public sealed record RepeatAndSelectEvent(PrivacyEvent Event, double Mean, double Shape = 1) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults()
    {
        if (!(Mean >= 1) || !(Mean <= 1e9))
            yield return $"{nameof(Mean)} is {Mean}; it must be from 1 to 1e9.";
        if (!(Shape > -1) || !(Shape <= 1e6))
            yield return $"{nameof(Shape)} is {Shape}; it must be above -1 and at most 1e6.";
        foreach (var fault in Event?.Faults() ?? [$"{nameof(Event)} is missing."])
            yield return fault;
    }
}
