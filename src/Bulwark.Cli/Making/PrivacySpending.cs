using Bulwark.Privacy;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>ε of a private run after each eighth of its steps.</summary>
internal static class PrivacySpending
{
    private const int Parts = 8;

    internal static IEnumerable<(string Name, IEnumerable<(double Step, double Epsilon)> Points)> Of(PrivacyStatement privacy)
    {
        var parts = Enumerable.Range(0, Parts + 1).Select(part => (Steps: privacy.Steps * part / Parts, Event: After(privacy.Event, privacy.Steps * part / Parts))).ToArray();
        double Epochs(long steps) => steps * privacy.SamplingProbability;
        yield return ("privacy loss distribution", parts.Select(part => (Epochs(part.Steps), PldAccountant.Epsilon(part.Event, privacy.Delta).Upper)).ToArray());
        yield return ("Rényi", parts.Select(part => (Epochs(part.Steps), RdpAccountant.Epsilon(part.Event, privacy.Delta).Epsilon)).ToArray());
    }

    /// <summary>The same events with fewer steps of training; what was paid beside training is paid from the start.</summary>
    private static PrivacyEvent After(PrivacyEvent happened, long steps) => happened switch
    {
        SelfComposedEvent { Event: PoissonSampledEvent } training when steps > 0 => training with { Count = steps },
        SelfComposedEvent { Event: PoissonSampledEvent } => new ComposedEvent([]),
        ComposedEvent composed => new ComposedEvent([.. composed.Events.Select(inner => After(inner, steps))]),
        _ => happened,
    };
}
