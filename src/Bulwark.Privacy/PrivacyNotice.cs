using System.Globalization;
using System.Text.Json;

namespace Bulwark.Privacy;

/// <summary>What a private model guarantees and what it does not, in figures and in plain words; it travels in the model's signed manifest.</summary>
public sealed record PrivacyNotice
{
    /// <summary>The format's name.</summary>
    public string Format { get; init; } = "privacy-statement/v1";

    /// <summary>Certified upper bound on ε of everything in <see cref="Event"/>.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Certified lower bound on the same.</summary>
    public required double EpsilonLower { get; init; }

    /// <summary>δ.</summary>
    public required double Delta { get; init; }

    /// <summary>Whose privacy is counted, and how two data sets differ.</summary>
    public required PrivacyUnit Unit { get; init; }

    /// <summary>What ε counts.</summary>
    public required IReadOnlyList<string> Covered { get; init; }

    /// <summary>What it does not.</summary>
    public required IReadOnlyList<string> NotCovered { get; init; }

    /// <summary>How batches were drawn.</summary>
    public required string Sampling { get; init; }

    /// <summary>Number of training runs that ε counts; their mean where it is secret and random.</summary>
    public required double RunsCounted { get; init; }

    /// <summary>Accountants and their versions; the first gave <see cref="Epsilon"/>.</summary>
    public required IReadOnlyDictionary<string, double?> Accountants { get; init; }

    /// <summary>Largest share of true members that any attack finds at a share of false alarms; empty where it is not known.</summary>
    public IReadOnlyList<AttackLimit> AttackLimits { get; init; } = [];

    /// <summary>Everything that was released, for any accountant to count again.</summary>
    public required PrivacyEvent Event { get; init; }

    /// <summary>The statement in plain words.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>States what an event guarantees.</summary>
    /// <param name="happened">Everything that was released.</param>
    /// <param name="delta">δ.</param>
    /// <param name="sampling">How batches were drawn, in words.</param>
    /// <param name="covered">What ε counts, in words.</param>
    /// <param name="notCovered">What it does not, in words.</param>
    /// <param name="unit">Whose privacy is counted; one record, added or removed, by default.</param>
    public static PrivacyNotice Of(PrivacyEvent happened, double delta, string sampling, IReadOnlyList<string> covered, IReadOnlyList<string> notCovered, PrivacyUnit? unit = null)
    {
        ArgumentNullException.ThrowIfNull(happened);
        var who = unit ?? PrivacyUnit.Record;
        var bounds = PldAccountant.Epsilon(happened, delta, unit: who);
        double? renyi = null;
        IReadOnlyList<AttackLimit> limits = [];
        try
        {
            renyi = RdpAccountant.Epsilon(happened, delta, unit: who).Epsilon;
            limits = [.. new[] { 0.001, 0.01, 0.1 }.Select(rate => new AttackLimit(rate, Distinguishing.LargestTruePositiveRate(happened, rate, who)))];
        }
        catch (NotSupportedException)
        {
            // One accountant is enough for the guarantee; what is not known is not stated.
        }

        var runs = Runs(happened);
        return new PrivacyNotice
        {
            Epsilon = bounds.Upper,
            EpsilonLower = bounds.Lower,
            Delta = delta,
            Unit = who,
            Covered = covered,
            NotCovered = notCovered,
            Sampling = sampling,
            RunsCounted = runs,
            Accountants = new Dictionary<string, double?> { [PldAccountant.Version] = bounds.Upper, [RdpAccountant.Version] = renyi },
            AttackLimits = limits,
            Event = happened,
            Words = InWords(bounds, delta, who, runs, limits),
        };
    }

    /// <summary>As JSON.</summary>
    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, PrivacyEventJson.Options);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no privacy statement.</exception>
    public static PrivacyNotice Parse(JsonElement json)
    {
        try
        {
            var notice = json.Deserialize<PrivacyNotice>(PrivacyEventJson.Options) ?? throw new JsonException("null");
            var faults = notice.Event.Faults().Concat(notice.Unit.Faults()).ToList();
            return notice.Format == "privacy-statement/v1" && faults.Count == 0 ? notice
                : throw new InvalidDataException($"The privacy statement is not valid: format '{notice.Format}'. {string.Join(" ", faults)}");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException)
        {
            throw new InvalidDataException($"The privacy statement is not valid: {failure.Message}", failure);
        }
    }

    /// <summary>The upper bound that the event gives now, by this version's accountant: whoever reads a statement can count again.</summary>
    public EpsilonBounds Recount() => PldAccountant.Epsilon(Event, Delta, unit: Unit);

    private static double Runs(PrivacyEvent happened) => happened switch
    {
        RepeatAndSelectEvent selection => selection.Mean,
        ComposedEvent composed => composed.Events.Select(Runs).DefaultIfEmpty(1).Max(),
        SelfComposedEvent repeated => Runs(repeated.Event),
        _ => 1,
    };

    private static string[] InWords(EpsilonBounds bounds, double delta, PrivacyUnit unit, double runs, IReadOnlyList<AttackLimit> limits) =>
    [
        string.Create(CultureInfo.InvariantCulture, $"Whatever was released would have come out almost as likely without any one of: {unit.ToString().Replace(" added or removed", "", StringComparison.Ordinal).Replace(" replaced", "", StringComparison.Ordinal)}: the chance of any outcome changes by a factor of at most {Math.Exp(Math.Min(bounds.Upper, 700)):g4} (epsilon {bounds.Upper:g4}), but for a chance of {delta:g2} (delta)."),
        runs == 1 ? "It counts one training run." : string.Create(CultureInfo.InvariantCulture, $"It counts every run of a selection, a secret number with mean {runs:g4}."),
        .. limits.Where(limit => limit.TruePositiveRate < 1).Take(2).Select(limit => string.Create(CultureInfo.InvariantCulture,
            $"An attacker who wrongly accuses {limit.FalsePositiveRate:P1} of those who were not in the data can recognise at most {limit.TruePositiveRate:P1} of those who were.")),
        "Other releases from the same data add to it; the privacy ledger has the total.",
    ];
}

/// <summary>At a rate of false alarms, the largest rate of true finds that any attack can have.</summary>
/// <param name="FalsePositiveRate">Share of outsiders that are taken for members.</param>
/// <param name="TruePositiveRate">Share of members that can be found then, at most.</param>
public sealed record AttackLimit(double FalsePositiveRate, double TruePositiveRate);
