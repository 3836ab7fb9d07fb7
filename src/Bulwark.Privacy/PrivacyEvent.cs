using System.Text.Json.Serialization;

namespace Bulwark.Privacy;

/// <summary>What happened to private data, as data: the cost is computed from it by an accountant.</summary>
/// <remarks>
/// Noise is given in units of one record's largest contribution: the query's sensitivity when a record is added or removed.
/// What that means for a user, or for a record that is replaced, the accountants work out (<see cref="PrivacyUnit"/>).
/// The JSON form carries a <c>kind</c> member; unknown members and kinds are refused when read with <see cref="PrivacyEventJson"/>.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(GaussianEvent), "gaussian")]
[JsonDerivedType(typeof(LaplaceEvent), "laplace")]
[JsonDerivedType(typeof(DiscreteGaussianEvent), "discreteGaussian")]
[JsonDerivedType(typeof(DiscreteLaplaceEvent), "discreteLaplace")]
[JsonDerivedType(typeof(RandomizedResponseEvent), "randomizedResponse")]
[JsonDerivedType(typeof(ExponentialEvent), "exponential")]
[JsonDerivedType(typeof(EpsilonDeltaEvent), "epsilonDelta")]
[JsonDerivedType(typeof(PoissonSampledEvent), "poissonSampled")]
[JsonDerivedType(typeof(FixedSizeSampledEvent), "fixedSizeSampled")]
[JsonDerivedType(typeof(AdaptiveClipEvent), "adaptiveClip")]
[JsonDerivedType(typeof(RepeatAndSelectEvent), "repeatAndSelect")]
[JsonDerivedType(typeof(SelfComposedEvent), "selfComposed")]
[JsonDerivedType(typeof(ComposedEvent), "composed")]
public abstract record PrivacyEvent
{
    private protected PrivacyEvent()
    {
    }

    /// <summary>Every fault of this event and of those inside it; empty when it can be accounted for.</summary>
    public abstract IEnumerable<string> Faults();

    /// <summary>DP-SGD with Poisson batches: <paramref name="steps"/> Gaussian releases, each on a fresh Poisson sample.</summary>
    /// <param name="samplingProbability">Chance of each record to be in a batch, above 0, at most 1.</param>
    /// <param name="noiseMultiplier">Noise standard deviation divided by the clipping norm.</param>
    /// <param name="steps">Number of releases, empty batches included.</param>
    public static PrivacyEvent DpSgd(double samplingProbability, double noiseMultiplier, long steps) =>
        new SelfComposedEvent(new PoissonSampledEvent(samplingProbability, new GaussianEvent(noiseMultiplier)), steps);

    private protected static IEnumerable<string> Positive(double value, string name)
    {
        if (!(value > 0) || !double.IsFinite(value))
            yield return $"{name} is {value}; it must be finite and above 0.";
    }
}

/// <summary>Gaussian noise was added once.</summary>
/// <param name="NoiseMultiplier">Standard deviation divided by the L2 sensitivity.</param>
public sealed record GaussianEvent(double NoiseMultiplier) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults() => Positive(NoiseMultiplier, nameof(NoiseMultiplier));
}

/// <summary>Laplace noise was added once.</summary>
/// <param name="NoiseMultiplier">Scale divided by the L1 sensitivity; ε is its inverse.</param>
public sealed record LaplaceEvent(double NoiseMultiplier) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults() => Positive(NoiseMultiplier, nameof(NoiseMultiplier));
}

/// <summary>Discrete Gaussian noise was added to an integer query.</summary>
/// <param name="Sigma">The parameter σ of the discrete Gaussian.</param>
/// <param name="Sensitivity">Largest change of the query, an integer.</param>
public sealed record DiscreteGaussianEvent(double Sigma, int Sensitivity = 1) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults() => [.. Positive(Sigma, nameof(Sigma)), .. Positive(Sensitivity, nameof(Sensitivity))];
}

/// <summary>Discrete Laplace noise, mass proportional to exp(−a·|k|), was added to an integer query.</summary>
/// <param name="Parameter">The parameter a.</param>
/// <param name="Sensitivity">Largest change of the query, an integer.</param>
public sealed record DiscreteLaplaceEvent(double Parameter, int Sensitivity = 1) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults() => [.. Positive(Parameter, nameof(Parameter)), .. Positive(Sensitivity, nameof(Sensitivity))];
}

/// <summary>The true one of k answers was replaced by a uniformly drawn one with a given chance.</summary>
/// <param name="NoiseParameter">Chance to draw uniformly, above 0, at most 1.</param>
/// <param name="Buckets">Number of answers k, at least 2.</param>
public sealed record RandomizedResponseEvent(double NoiseParameter, int Buckets = 2) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults()
    {
        if (!(NoiseParameter > 0 && NoiseParameter <= 1))
            yield return $"{nameof(NoiseParameter)} is {NoiseParameter}; it must be above 0 and at most 1.";
        if (Buckets < 2)
            yield return $"{nameof(Buckets)} is {Buckets}; it must be at least 2.";
    }
}

/// <summary>The exponential mechanism chose once, with bounded range ε.</summary>
/// <param name="Epsilon">The mechanism's ε.</param>
public sealed record ExponentialEvent(double Epsilon) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults() => Positive(Epsilon, nameof(Epsilon));
}

/// <summary>Anything that is known to be (ε, δ)-private.</summary>
/// <param name="Epsilon">ε, at least 0.</param>
/// <param name="Delta">δ, from 0 to below 1.</param>
public sealed record EpsilonDeltaEvent(double Epsilon, double Delta) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults()
    {
        if (!(Epsilon >= 0) || !double.IsFinite(Epsilon))
            yield return $"{nameof(Epsilon)} is {Epsilon}; it must be finite and at least 0.";
        if (!(Delta >= 0 && Delta < 1))
            yield return $"{nameof(Delta)} is {Delta}; it must be at least 0 and below 1.";
    }
}

/// <summary>The same thing happened several times, each with fresh randomness.</summary>
/// <param name="Event">What happened.</param>
/// <param name="Count">How often, at least 1.</param>
public sealed record SelfComposedEvent(PrivacyEvent Event, long Count) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults()
    {
        if (Count < 1)
            yield return $"{nameof(Count)} is {Count}; it must be at least 1.";
        foreach (var fault in Event?.Faults() ?? [$"{nameof(Event)} is missing."])
            yield return fault;
    }
}

/// <summary>Several things happened to the same data.</summary>
/// <param name="Events">What happened; an empty list costs nothing.</param>
public sealed record ComposedEvent(IReadOnlyList<PrivacyEvent> Events) : PrivacyEvent
{
    /// <inheritdoc/>
    public override IEnumerable<string> Faults() => Events is null ? [$"{nameof(Events)} is missing."] : Events.SelectMany(inner => inner?.Faults() ?? ["An event is missing."]);

    /// <inheritdoc/>
    public bool Equals(ComposedEvent? other) => other is not null && Events.SequenceEqual(other.Events);

    /// <inheritdoc/>
    public override int GetHashCode() => Events.Aggregate(17, HashCode.Combine);
}
