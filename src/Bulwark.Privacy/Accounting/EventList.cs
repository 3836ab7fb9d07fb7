namespace Bulwark.Privacy.Accounting;

/// <summary>A mechanism, the sample it ran on, and how often it ran.</summary>
/// <param name="Mechanism">Its noise is in units of what one unit of privacy changes.</param>
/// <param name="SamplingProbability">Chance of a record to be in the sample; 1: it ran on all records.</param>
/// <param name="Count">How often.</param>
/// <param name="FixedSize">The sample had a fixed size and neighbours replace a record; otherwise it was a Poisson sample.</param>
/// <param name="Group">Records of one unit, each sampled by itself; above 1 for Poisson-sampled Gaussians only.</param>
internal readonly record struct Release(PrivacyEvent Mechanism, double SamplingProbability, long Count, bool FixedSize = false, int Group = 1);

/// <summary>Turns a tree of events into counted releases. Counts multiply down the tree and are never dropped.</summary>
internal sealed class EventList
{
    private readonly PrivacyUnit _unit;
    private readonly Dictionary<Release, long> _counts = [];

    private EventList(PrivacyUnit unit) => _unit = unit;

    internal static List<Release> Flatten(PrivacyEvent happened, PrivacyUnit unit) => Merged(Listed(happened, unit)._counts);

    /// <summary>Gaussian releases on all records are still apart.</summary>
    internal static IEnumerable<Release> Unmerged(PrivacyEvent happened, PrivacyUnit unit) => Listed(happened, unit)._counts.Select(pair => pair.Key with { Count = pair.Value });

    private static EventList Listed(PrivacyEvent happened, PrivacyUnit unit)
    {
        var faults = happened.Faults().Concat(unit.Faults()).ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(happened));
        var list = new EventList(unit);
        list.Add(happened, 1);
        return list;
    }

    private void Add(PrivacyEvent happened, long count)
    {
        switch (happened)
        {
            case ComposedEvent composed:
                foreach (var inner in composed.Events)
                    Add(inner, count);
                break;
            case SelfComposedEvent repeated:
                Add(repeated.Event, checked(count * repeated.Count));
                break;
            case PoissonSampledEvent { SamplingProbability: < 1 } sampled:
                Count(Poisson(sampled), count);
                break;
            case PoissonSampledEvent everything:
                Add(OneMechanism(everything.Event), count);
                break;
            case FixedSizeSampledEvent sampled when sampled.Sample < sampled.Population:
                Count(FixedSize(sampled), count);
                break;
            case FixedSizeSampledEvent everything:
                Add(OneMechanism(everything.Event), count);
                break;
            case RepeatAndSelectEvent selection:
                Count(new Release(selection, 1, 0), count);
                break;
            case RandomizedResponseEvent response:
                Count(new Release(response, 1, 0), checked(count * _unit.Records));   // each record answers for itself
                break;
            default:
                var factor = _unit.Records * (_unit.Adjacency == Adjacency.Replace ? 2 : 1);
                Count(new Release(factor == 1 ? Simple(happened) : Scaled(happened, factor), 1, 0), count);
                break;
        }
    }

    private void Count(Release release, long count) => _counts[release] = checked(_counts.GetValueOrDefault(release) + count);

    private Release Poisson(PoissonSampledEvent sampled)
    {
        if (_unit.Adjacency == Adjacency.Replace)
            throw new NotSupportedException("Poisson sampling is accounted for neighbours that add or remove a record: choose that unit, or sample a fixed size.");
        var mechanism = OneMechanism(sampled.Event);
        if (_unit.Records > 1 && mechanism is not GaussianEvent)
            throw new NotSupportedException("Poisson sampling of a user's several records is accounted for with Gaussian noise only.");
        return new Release(mechanism, sampled.SamplingProbability, 0, Group: _unit.Records);
    }

    /// <summary>Balle, Barthe, Gaboardi 2018, Theorem 11; composed as in Zhu, Dong, Wang 2022 (arXiv:2106.08567), Theorem 11.</summary>
    private Release FixedSize(FixedSizeSampledEvent sampled)
    {
        if (_unit is not { Adjacency: Adjacency.Replace, Records: 1 })
            throw new NotSupportedException("Sampling of a fixed size is accounted for neighbours that replace one record: choose that unit, or draw Poisson samples.");
        var mechanism = OneMechanism(sampled.Event);
        return new Release(mechanism is RandomizedResponseEvent ? mechanism : Scaled(mechanism, 2), (double)sampled.Sample / sampled.Population, 0, FixedSize: true);
    }

    private static PrivacyEvent Simple(PrivacyEvent mechanism) => mechanism is AdaptiveClipEvent clipped ? new GaussianEvent(clipped.Effective) : mechanism;

    /// <summary>The same noise, when a unit changes <paramref name="factor"/> times what a record adds.</summary>
    private static PrivacyEvent Scaled(PrivacyEvent mechanism, int factor) => Simple(mechanism) switch
    {
        GaussianEvent gaussian => new GaussianEvent(Math.BitDecrement(gaussian.NoiseMultiplier / factor)),
        LaplaceEvent laplace => new LaplaceEvent(Math.BitDecrement(laplace.NoiseMultiplier / factor)),
        DiscreteGaussianEvent discrete => discrete with { Sensitivity = checked(discrete.Sensitivity * factor) },
        DiscreteLaplaceEvent discrete => discrete with { Sensitivity = checked(discrete.Sensitivity * factor) },
        ExponentialEvent exponential => new ExponentialEvent(Math.BitIncrement(exponential.Epsilon * factor)),
        EpsilonDeltaEvent pure => new EpsilonDeltaEvent(Math.BitIncrement(pure.Epsilon * factor), GroupDelta(pure, factor)),
        var other => throw new NotSupportedException($"{other.GetType().Name} is not accounted for units of more than a record."),
    };

    /// <summary>δ·(1 + e^ε + … ), a term a record (Vadhan, "The Complexity of Differential Privacy", Lemma 2.2).</summary>
    private static double GroupDelta(EpsilonDeltaEvent pure, int factor)
    {
        var sum = 0.0;
        for (var i = 0; i < factor && sum < 1; i++)
            sum += pure.Delta * Math.Exp(i * pure.Epsilon);
        return sum < 1 ? Math.BitIncrement(sum) : throw new NotSupportedException("An (epsilon, delta) event says nothing about so many records: name the mechanism instead.");
    }

    /// <summary>Several Gaussian queries on the same sample are one; any other composition under sampling has no bound here.</summary>
    private static PrivacyEvent OneMechanism(PrivacyEvent inner)
    {
        if (inner is PoissonSampledEvent or FixedSizeSampledEvent)
            throw new NotSupportedException("Sampling inside sampling: multiply the probabilities into one event.");
        if (inner is RepeatAndSelectEvent)
            throw new NotSupportedException("A selection under sampling has no bound here: put the sampling inside the selection.");
        if (inner is not (SelfComposedEvent or ComposedEvent))
            return inner is not EpsilonDeltaEvent { Delta: > 0 } ? Simple(inner)
                : throw new NotSupportedException("An (epsilon, delta) event under sampling: name the mechanism instead.");
        var releases = Flatten(inner, PrivacyUnit.Record);
        return releases is [{ Mechanism: GaussianEvent, SamplingProbability: 1, Count: 1 }] ? releases[0].Mechanism
            : throw new NotSupportedException("A composition under one sample is only accounted for when all of it is Gaussian; put the sampling inside the composition if each release drew its own sample.");
    }

    /// <summary>All Gaussian releases on all records are one.</summary>
    internal static List<Release> Merged(IEnumerable<KeyValuePair<Release, long>> counts)
    {
        var releases = new List<Release>();
        var (precision, only) = (0.0, default(Release?));
        foreach (var (release, count) in counts)
        {
            if (release is { Mechanism: GaussianEvent gaussian, SamplingProbability: 1 })
            {
                only = precision == 0 && count == 1 ? release with { Count = 1 } : null;
                precision += count / (gaussian.NoiseMultiplier * gaussian.NoiseMultiplier);
            }
            else
            {
                releases.Add(release with { Count = count });
            }
        }

        if (precision > 0)
            releases.Add(only ?? new Release(new GaussianEvent(Math.BitDecrement(1 / Math.Sqrt(precision))), 1, 1));
        return releases;
    }
}
