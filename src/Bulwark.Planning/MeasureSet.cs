using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Planning;

/// <summary>Threats with what they may cost, and safeguards with what was measured of them: the planner's whole input.</summary>
/// <remarks>
/// Stored as JSON (format <see cref="FormatName"/>, see docs/planning.md): camelCase, strict, written by <c>bench</c> and edited by people.
/// Model: safeguards of different layers act one after the other, so their survival shares multiply; within one layer they are redundant and only the strongest counts.
/// Harm that a safeguard does (accuracy, false refusals) is its <see cref="Safeguard.AddedLoss"/>.
/// </remarks>
public sealed record MeasureSet
{
    /// <summary>The format that this version reads and writes.</summary>
    public const string FormatName = "bulwark.dev/measures/v1";

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        PropertyNameCaseInsensitive = false,
        AllowDuplicateProperties = false,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary><see cref="FormatName"/>.</summary>
    public required string Format { get; init; }

    /// <summary>What costs are counted in, such as <c>EUR a year</c> or <c>CPU µs a request</c>.</summary>
    public required string CostUnit { get; init; }

    /// <summary>What losses are counted in, such as <c>EUR a year</c>.</summary>
    public required string LossUnit { get; init; }

    /// <summary>The threats.</summary>
    public required IReadOnlyList<Threat> Threats { get; init; }

    /// <summary>The safeguards to choose from.</summary>
    public required IReadOnlyList<Safeguard> Safeguards { get; init; }

    /// <summary>Most of each overhead that all chosen safeguards together may add, by the overhead's name.</summary>
    public IReadOnlyDictionary<string, double> Limits { get; init; } = new Dictionary<string, double>();

    /// <summary>Loss when nothing is done.</summary>
    [JsonIgnore]
    public double UndefendedLoss => Threats.Sum(threat => threat.Loss.Value);

    /// <summary>The set as UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Strict);

    /// <summary>Reads a set.</summary>
    /// <exception cref="FormatException">The bytes are no such document, or it has faults; the message lists them.</exception>
    public static MeasureSet Parse(ReadOnlySpan<byte> json)
    {
        MeasureSet set;
        try
        {
            set = JsonSerializer.Deserialize<MeasureSet>(json, Strict) ?? throw new FormatException("The measures are null.");
        }
        catch (JsonException fault)
        {
            throw new FormatException($"The measures are not as expected: {fault.Message}", fault);
        }

        var faults = set.Faults().ToArray();
        return faults.Length == 0 ? set : throw new FormatException(string.Join(" ", faults));
    }

    /// <summary>The same set with every figure at the bad end of its interval, where it has one.</summary>
    public MeasureSet Pessimistic() => this with
    {
        Threats = [.. Threats.Select(threat => threat with { Loss = threat.Loss.AtWorst() })],
        Safeguards = [.. Safeguards.Select(safeguard => safeguard with
        {
            Cost = safeguard.Cost.AtWorst(),
            AddedLoss = safeguard.AddedLoss?.AtWorst(),
            Effects = [.. safeguard.Effects.Select(effect => effect with { Survival = effect.Survival.AtWorst() })],
            Overheads = safeguard.Overheads.ToDictionary(overhead => overhead.Key, overhead => overhead.Value.AtWorst()),
        })],
    };

    /// <summary>Every fault, so that one edit mends them all; empty when the set is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Format != FormatName)
            yield return $"format is '{Format}'; this version reads {FormatName}.";
        foreach (var twice in Threats.Select(threat => threat.Id).Concat(Safeguards.Select(safeguard => safeguard.Id)).GroupBy(id => id).Where(ids => ids.Count() > 1))
            yield return $"the id '{twice.Key}' is used twice.";
        foreach (var fault in Threats.SelectMany(threat => threat.Loss.Faults($"loss of {threat.Id}")))
            yield return fault;
        foreach (var fault in Safeguards.SelectMany(OfSafeguard))
            yield return fault;
        foreach (var limit in Limits.Where(limit => !(limit.Value >= 0) || !double.IsFinite(limit.Value)))
            yield return $"the limit of {limit.Key} is {limit.Value}; it must be finite and at least 0.";
    }

    private IEnumerable<string> OfSafeguard(Safeguard safeguard)
    {
        var figures = safeguard.Effects.Select(effect => (Name: $"survival of {effect.Threat} under {safeguard.Id}", Figure: effect.Survival))
            .Append((Name: $"cost of {safeguard.Id}", Figure: safeguard.Cost))
            .Concat(safeguard.Overheads.Select(overhead => (Name: $"{overhead.Key} of {safeguard.Id}", Figure: overhead.Value)))
            .Concat(safeguard.AddedLoss is { } loss ? [(Name: $"addedLoss of {safeguard.Id}", Figure: loss)] : []);
        foreach (var fault in figures.SelectMany(figure => figure.Figure.Faults(figure.Name)))
            yield return fault;
        foreach (var effect in safeguard.Effects)
        {
            if (effect.Survival.Value > 1 || effect.Survival.Worst > 1)
                yield return $"the survival of {effect.Threat} under {safeguard.Id} is above 1; harm belongs in addedLoss.";
            if (Threats.All(threat => threat.Id != effect.Threat))
                yield return $"{safeguard.Id} acts on the unknown threat '{effect.Threat}'.";
        }

        foreach (var twice in safeguard.Effects.GroupBy(effect => effect.Threat).Where(effects => effects.Count() > 1))
            yield return $"{safeguard.Id} acts on {twice.Key} twice.";
        foreach (var other in safeguard.Requires.Concat(safeguard.Excludes).Where(other => other == safeguard.Id || Safeguards.All(known => known.Id != other)))
            yield return $"{safeguard.Id} names '{other}', which is itself or unknown.";
        if (safeguard.Layer.Length == 0)
            yield return $"{safeguard.Id} needs a layer.";
    }
}

/// <summary>A way to lose.</summary>
public sealed record Threat
{
    /// <summary>Its id, such as <c>evasion</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What it is, in a few words.</summary>
    public required string Name { get; init; }

    /// <summary>Expected loss when nothing is done, in the set's loss unit.</summary>
    public required Figure Loss { get; init; }

    /// <summary>Techniques of MITRE ATLAS that it stands for.</summary>
    public IReadOnlyList<string> Atlas { get; init; } = [];
}

/// <summary>Something that can be switched on.</summary>
public sealed record Safeguard
{
    /// <summary>Its id, such as <c>input-screen</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What it is, in a few words.</summary>
    public required string Name { get; init; }

    /// <summary>Where it acts, such as <c>data</c>, <c>model</c>, <c>gateway</c>. Layers multiply; within a layer the strongest counts.</summary>
    public required string Layer { get; init; }

    /// <summary>Its cost, in the set's cost unit.</summary>
    public required Figure Cost { get; init; }

    /// <summary>What it does to threats.</summary>
    public required IReadOnlyList<Effect> Effects { get; init; }

    /// <summary>Loss that it causes itself, in the set's loss unit: accuracy, false refusals.</summary>
    public Figure? AddedLoss { get; init; }

    /// <summary>What else it takes, by name with the unit, such as <c>µs a request</c>; limited by <see cref="MeasureSet.Limits"/>.</summary>
    public IReadOnlyDictionary<string, Figure> Overheads { get; init; } = new Dictionary<string, Figure>();

    /// <summary>Safeguards that must be chosen with it.</summary>
    public IReadOnlyList<string> Requires { get; init; } = [];

    /// <summary>Safeguards that cannot be chosen with it.</summary>
    public IReadOnlyList<string> Excludes { get; init; } = [];
}

/// <summary>What a safeguard does to a threat.</summary>
/// <param name="Threat">The threat's id.</param>
/// <param name="Survival">Share of the loss that is left, from 0 to 1: attack success with the safeguard divided by success without.</param>
public sealed record Effect(string Threat, Figure Survival);

/// <summary>A figure and where it comes from.</summary>
public sealed record Figure
{
    /// <summary>The figure.</summary>
    public required double Value { get; init; }

    /// <summary>The bad end of its interval.</summary>
    public double? Worst { get; init; }

    /// <summary>Whether it was measured.</summary>
    public required FigureBasis Basis { get; init; }

    /// <summary>The file and member, or the command, that it comes from; who stated it otherwise.</summary>
    public required string Source { get; init; }

    internal Figure AtWorst() => this with { Value = Worst ?? Value };

    internal IEnumerable<string> Faults(string name)
    {
        if (!(Value >= 0) || !double.IsFinite(Value))
            yield return $"the {name} is {Value}; it must be finite and at least 0.";
        if (Worst is { } worst && (!(worst >= Value) || !double.IsFinite(worst)))
            yield return $"the {name} has the worst case {worst}, which is not above its value.";
        if (string.IsNullOrWhiteSpace(Source))
            yield return $"the {name} names no source.";
    }
}

/// <summary>What a figure rests on.</summary>
public enum FigureBasis
{
    /// <summary>Somebody says so.</summary>
    Stated = 0,

    /// <summary>A command of Bulwark measured it on the user's model and data.</summary>
    Measured,
}
