namespace Bulwark.Privacy.Accounting;

/// <summary>A mechanism on a Poisson sample (probability 1: on all records), and how often it ran.</summary>
internal readonly record struct Release(PrivacyEvent Mechanism, double SamplingProbability, long Count);

/// <summary>Turns a tree of events into counted releases. Counts multiply down the tree and are never dropped.</summary>
internal static class EventList
{
    internal static List<Release> Flatten(PrivacyEvent happened)
    {
        var faults = happened.Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(happened));
        var counts = new Dictionary<(PrivacyEvent, double), long>();
        Add(happened, 1, counts);
        return MergeGaussians(counts);
    }

    private static void Add(PrivacyEvent happened, long count, Dictionary<(PrivacyEvent, double), long> counts)
    {
        switch (happened)
        {
            case ComposedEvent composed:
                foreach (var inner in composed.Events)
                    Add(inner, count, counts);
                break;
            case SelfComposedEvent repeated:
                Add(repeated.Event, checked(count * repeated.Count), counts);
                break;
            case PoissonSampledEvent sampled:
                var key = (OneMechanism(sampled.Event), sampled.SamplingProbability);
                counts[key] = checked(counts.GetValueOrDefault(key) + count);
                break;
            default:
                counts[(happened, 1)] = checked(counts.GetValueOrDefault((happened, 1)) + count);
                break;
        }
    }

    /// <summary>Several Gaussian queries on the same sample are one; any other composition under sampling has no bound here.</summary>
    private static PrivacyEvent OneMechanism(PrivacyEvent inner)
    {
        if (inner is PoissonSampledEvent)
            throw new NotSupportedException("Sampling inside sampling: multiply the probabilities into one event.");
        if (inner is not (SelfComposedEvent or ComposedEvent))
            return inner is not EpsilonDeltaEvent { Delta: > 0 } ? inner
                : throw new NotSupportedException("An (epsilon, delta) event under sampling: name the mechanism instead.");
        var releases = Flatten(inner);
        return releases is [{ Mechanism: GaussianEvent, SamplingProbability: 1, Count: 1 }] ? releases[0].Mechanism
            : throw new NotSupportedException("A composition under one sample is only accounted for when all of it is Gaussian; put the sampling inside the composition if each release drew its own sample.");
    }

    private static List<Release> MergeGaussians(Dictionary<(PrivacyEvent Mechanism, double Probability), long> counts)
    {
        var releases = new List<Release>();
        var precision = 0.0;
        foreach (var ((mechanism, probability), count) in counts)
        {
            if (mechanism is GaussianEvent gaussian && probability == 1)
                precision += count / (gaussian.NoiseMultiplier * gaussian.NoiseMultiplier);
            else
                releases.Add(new Release(mechanism, probability, count));
        }

        if (precision > 0)
            releases.Add(new Release(new GaussianEvent(Math.BitDecrement(1 / Math.Sqrt(precision))), 1, 1));
        return releases;
    }
}
