using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>One part of a planned run.</summary>
/// <param name="Steps">How many steps.</param>
/// <param name="Noise">Noise multiplier of the gradient's sum.</param>
/// <param name="CountNoise">Noise multiplier of the count of short rows; null when the norm is fixed.</param>
/// <param name="Clipping">Clipping norm over the run's.</param>
internal sealed record PlannedPhase(long Steps, double Noise, double? CountNoise, double Clipping);

/// <summary>All that a private run will release, fixed by its options alone before it starts: what is executed and what is booked are read off the same plan.</summary>
internal sealed record PrivatePlan
{
    private const double EpochsOfNetworks = 40;
    private const double EpochsOfRegressions = 200;

    internal required PoissonBatches Batches { get; init; }

    internal required IReadOnlyList<PlannedPhase> Phases { get; init; }

    /// <summary>Noise on the count of rows; null when it is public.</summary>
    internal required double? RowNoise { get; init; }

    /// <summary>Noise multiplier that a phase of relative noise 1 has as an event.</summary>
    internal required double Noise { get; init; }

    internal long Steps => Phases.Sum(phase => phase.Steps);

    /// <summary>What the run books.</summary>
    internal PrivacyEvent Event
    {
        get
        {
            List<PrivacyEvent> events = [.. Phases.Select(phase => Batches.Event(Query(phase), phase.Steps))];
            if (RowNoise is { } noise)
                events.Insert(0, new GaussianEvent(noise));
            return events is [var only] ? only : new ComposedEvent(events);
        }
    }

    /// <summary>Length of the whole run's Gaussian signal over its noise, in the limit of many steps; a public figure that the step size may follow.</summary>
    internal double SignalToNoise => Batches.Probability * Math.Sqrt(Phases.Sum(phase => phase.Steps / (phase.Noise * phase.Noise)));

    /// <summary>The least noise that keeps all that is released, what else is released included, within ε.</summary>
    /// <param name="options">Private options.</param>
    /// <param name="booked">What is booked for a run that costs its argument; null for the run itself.</param>
    internal static PrivatePlan Of(TrainingOptions options, Func<PrivacyEvent, PrivacyEvent>? booked = null)
    {
        var settings = options.Private!;
        booked ??= run => run;
        var noise = Calibration.NoiseMultiplier(
            candidate => settings.Also is null ? booked(WithNoise(options, candidate).Event) : new ComposedEvent([settings.Also, booked(WithNoise(options, candidate).Event)]),
            new PrivacyBudget(settings.Epsilon, settings.Delta));
        return WithNoise(options, noise);
    }

    private static PrivatePlan WithNoise(TrainingOptions options, double noise)
    {
        var settings = options.Private!;
        var linear = options.Hidden.Count == 0;
        var probability = settings.SamplingProbability ?? (linear ? 1 : 0.25);
        var steps = Math.Max(1, (long)Math.Ceiling((options.Epochs ?? (linear ? EpochsOfRegressions : EpochsOfNetworks)) / probability));
        var phases = settings.Phases.Count == 0 ? [new PrivatePhase(1)] : settings.Phases;
        var shares = phases.Sum(phase => phase.Share);
        var planned = new List<PlannedPhase>();
        var (share, done) = (0.0, 0L);
        foreach (var phase in phases)
        {
            share += phase.Share;
            var until = Math.Max(done + 1, (long)Math.Round(steps * share / shares));
            planned.Add(Phase(until - done, noise * phase.Noise, phase.Clipping, settings.Adaptive));
            done = until;
        }

        return new PrivatePlan { Batches = new(probability), Phases = planned, RowNoise = settings.PublicRows is null ? settings.CountNoise : null, Noise = noise };
    }

    /// <summary>With a count beside it, the sum's noise grows so that both together cost what <paramref name="noise"/> alone does.</summary>
    private static PlannedPhase Phase(long steps, double noise, double clipping, AdaptiveClipping? adaptive) => adaptive is null
        ? new(steps, noise, null, clipping)
        : new(steps, noise / Math.Sqrt(1 - (1 / (adaptive.CountNoiseRatio * adaptive.CountNoiseRatio))), noise * adaptive.CountNoiseRatio, clipping);

    private static PrivacyEvent Query(PlannedPhase phase) => phase.CountNoise is { } count
        ? new AdaptiveClipEvent(phase.Noise, count / 2)
        : new GaussianEvent(phase.Noise);
}
