using System.Text;
using System.Text.Json;
using Bulwark.Privacy;

namespace Bulwark.Fuzz.Targets;

/// <summary>An event's JSON: refused, or accounted for, and written again as it was read.</summary>
internal sealed class PrivacyEventTarget : IFuzzTarget
{
    public string Name => "privacy-event";

    public IEnumerable<byte[]> Seeds() => new PrivacyEvent[]
    {
        PrivacyEvent.DpSgd(0.01, 1, 100),
        new ComposedEvent([new LaplaceEvent(2), new DiscreteGaussianEvent(3, 2), new DiscreteLaplaceEvent(0.2), new RandomizedResponseEvent(0.5, 3), new ExponentialEvent(0.1), new EpsilonDeltaEvent(0.1, 1e-9)]),
        new RepeatAndSelectEvent(new PoissonSampledEvent(0.1, new AdaptiveClipEvent(1, 5)), 4),
        new FixedSizeSampledEvent(100, 10, new GaussianEvent(2)),
    }.Select(seed => Encoding.UTF8.GetBytes(PrivacyEventJson.Write(seed)));

    public void Run(ReadOnlySpan<byte> input)
    {
        var happened = PrivacyEventJson.Read(Encoding.UTF8.GetString(input));
        if (!PrivacyEventJson.Read(PrivacyEventJson.Write(happened)).Equals(happened))
            throw new InvalidOperationException("An event changed on its way through JSON.");
    }

    public bool IsRefusal(Exception failure) => failure is JsonException or InvalidDataException;
}
