using System.Text.Json;
using System.Text.Json.Serialization;
using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Which way an attacker can move a value.</summary>
public enum ChangeDirection
{
    /// <summary>Up and down.</summary>
    Both = 0,

    /// <summary>Up only: what cannot be taken back.</summary>
    Up,

    /// <summary>Down only.</summary>
    Down,
}

/// <summary>What an attacker can do to one feature and what it costs. Absent members leave what the schema says.</summary>
public sealed record FeatureRule
{
    /// <summary>Whether the attacker can choose the value; null leaves the schema's word.</summary>
    public bool? Mutable { get; init; }

    /// <summary>Lowest value that can be sent; null for the schema's.</summary>
    public double? Minimum { get; init; }

    /// <summary>Highest value that can be sent; null for the schema's.</summary>
    public double? Maximum { get; init; }

    /// <summary>Which way the value moves.</summary>
    public ChangeDirection Direction { get; init; }

    /// <summary>Price of any change at all, in the units of <see cref="TabularConstraints.Utility"/>; at least 0.</summary>
    public double Change { get; init; }

    /// <summary>Price of one raw unit upwards; at least 0.</summary>
    public double Up { get; init; }

    /// <summary>Price of one raw unit downwards; at least 0.</summary>
    public double Down { get; init; }
}

/// <summary>A relation between features that every row that can be sent keeps.</summary>
public sealed record RelationRule
{
    /// <summary>What it is about; unique.</summary>
    public required string Name { get; init; }

    /// <summary>The relation, as docs/formats/constraints.md says: for example <c>a + 2 * b &lt;= c</c>, <c>a &gt; 0 =&gt; b &gt; 0</c>, <c>term in {36, 60}</c>.</summary>
    public required string Rule { get; init; }

    /// <summary>For an equality whose left side is one feature: that feature is recomputed from the right side.</summary>
    public bool Repair { get; init; }
}

/// <summary>What rows can really be sent, and what changing one costs: the constraints of an attack on tabular data.</summary>
/// <remarks>
/// Format bulwark-constraints/v1, JSON here and YAML on the command line: docs/formats/constraints.md. Types come from the model's schema.
/// Immutable. <see cref="Compile"/> turns it into value, gradient and repair for one schema.
/// </remarks>
public sealed record TabularConstraints
{
    /// <summary>Name and version of the format.</summary>
    public const string FormatName = "bulwark-constraints/v1";

    /// <summary>Most characters of a file.</summary>
    public const int Longest = 1 << 20;

    /// <summary>Always <see cref="FormatName"/>.</summary>
    public required string Format { get; init; }

    /// <summary>Rules by feature name.</summary>
    public IReadOnlyDictionary<string, FeatureRule> Features { get; init => field = value ?? new Dictionary<string, FeatureRule>(); } = new Dictionary<string, FeatureRule>();

    /// <summary>Groups of raw 0/1 features of which exactly one is 1.</summary>
    public IReadOnlyList<IReadOnlyList<string>> OneHot { get; init => field = value ?? []; } = [];

    /// <summary>Relations between features.</summary>
    public IReadOnlyList<RelationRule> Relations { get; init => field = value ?? []; } = [];

    /// <summary>What one successful row is worth to the attacker: a number, or the name of a feature that holds it. Null when gain is not asked.</summary>
    public string? Utility { get; init; }

    /// <summary>Reads JSON.</summary>
    /// <exception cref="InvalidDataException">It is no such file; the message lists the faults.</exception>
    public static TabularConstraints Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (json.Length > Longest)
            throw new InvalidDataException($"The constraints are longer than {Longest} characters.");
        TabularConstraints constraints;
        try
        {
            constraints = JsonSerializer.Deserialize(json, ConstraintsJson.Default.TabularConstraints) ?? throw new InvalidDataException("The constraints are null.");
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"The constraints are not {FormatName}: {fault.Message}", fault);
        }

        var faults = constraints.Faults().ToList();
        return faults.Count == 0 ? constraints : throw new InvalidDataException($"The constraints are not sound: {string.Join(" ", faults)}");
    }

    /// <summary>The constraints as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ConstraintsJson.Default.TabularConstraints);

    /// <summary>Every fault that shows without a schema; empty when there is none.</summary>
    public IEnumerable<string> Faults()
    {
        if (Format != FormatName)
            yield return $"The format is '{Format}', not {FormatName}.";
        foreach (var (name, rule) in Features)
        {
            if (rule is null)
            {
                yield return $"Feature '{name}' has no rule.";
                continue;
            }

            foreach (var (what, value) in ((string, double)[])[("change", rule.Change), ("up", rule.Up), ("down", rule.Down)])
            {
                if (!(value >= 0) || !double.IsFinite(value))
                    yield return $"Feature '{name}': the price '{what}' is {value}; it must be finite and at least 0.";
            }

            if (rule.Minimum > rule.Maximum)
                yield return $"Feature '{name}': minimum {rule.Minimum} is above maximum {rule.Maximum}.";
        }

        foreach (var twice in Relations.GroupBy(relation => relation.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
            yield return $"The relation '{twice.Key}' is declared {twice.Count()} times.";
        foreach (var group in OneHot.Where(group => group is null || group.Count < 2))
            yield return "A one-hot group has at least two features.";
        foreach (var name in OneHot.Where(group => group is not null).SelectMany(group => group).GroupBy(name => name, StringComparer.Ordinal).Where(group => group.Count() > 1))
            yield return $"Feature '{name.Key}' stands in one-hot groups more than once.";
    }

    /// <summary>Value, gradient, repair and cost for rows of one schema.</summary>
    /// <param name="schema">The model's features.</param>
    /// <exception cref="InvalidDataException">A rule names no feature of the schema, or a relation is not well formed; the message lists every fault.</exception>
    public CompiledConstraints Compile(FeatureSchema schema) => CompiledConstraints.Of(this, schema);

    /// <summary>No relations and no prices: types, bounds and mutability of the schema only.</summary>
    public static TabularConstraints None { get; } = new() { Format = FormatName };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    AllowDuplicateProperties = false,
    UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(TabularConstraints))]
internal sealed partial class ConstraintsJson : JsonSerializerContext;
