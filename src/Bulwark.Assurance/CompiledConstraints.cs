using Bulwark.Models;
using Bulwark.Monitoring;

namespace Bulwark.Assurance;

/// <summary>The constraints of one schema, compiled: which raw rows can be sent in place of another, how far a row is from that, how to bring it there, what it costs.</summary>
/// <remarks>Immutable and thread-safe. Raw rows are numbers in the schema's order, a category as its index, NaN where missing.</remarks>
public sealed class CompiledConstraints
{
    /// <summary>What single precision may lack of a whole number.</summary>
    private const float WholeSlack = 1e-3f;
    private readonly FeatureSchema _schema;
    private readonly Tape[] _relations;
    private readonly string[] _names;
    private readonly (int Feature, Tape Right)[] _definitions;
    private readonly FeatureRule[] _rules;
    private readonly double[] _lowest;
    private readonly double[] _highest;
    private readonly bool[] _mutable;
    private readonly int[][] _oneHot;
    private readonly int _utilityFeature;
    private readonly double _utility;

    private CompiledConstraints(FeatureSchema schema, List<(RelationRule Rule, Tape Tape)> relations, FeatureRule[] rules, int[][] oneHot, (int Feature, double Constant) utility)
    {
        (_schema, _rules, _oneHot) = (schema, rules, oneHot);
        (_relations, _names) = ([.. relations.Select(relation => relation.Tape)], [.. relations.Select(relation => relation.Rule.Name)]);
        _definitions = [.. relations.Where(relation => relation.Rule.Repair).Select(relation => relation.Tape.Definition!.Value)];
        _mutable = [.. rules.Select((rule, j) => rule.Mutable ?? schema.Features[j].Mutable)];
        (_lowest, _highest) = ([.. rules.Select((rule, j) => Bound(rule.Minimum, schema.Features[j], lower: true))], [.. rules.Select((rule, j) => Bound(rule.Maximum, schema.Features[j], lower: false))]);
        (_utilityFeature, _utility) = utility;
    }

    private CompiledConstraints(CompiledConstraints other, FeatureRule[] rules)
    {
        (_schema, _rules, _oneHot, _relations, _names, _definitions) = (other._schema, rules, other._oneHot, other._relations, other._names, []);
        _mutable = [.. rules.Select((rule, j) => rule.Mutable ?? other._mutable[j])];
        (_lowest, _highest, _utilityFeature, _utility) = (other._lowest, other._highest, other._utilityFeature, other._utility);
    }

    /// <summary>Numbers in a raw row.</summary>
    public int Width => _schema.Width;

    /// <summary>Names of the relations, in order.</summary>
    public IReadOnlyList<string> Relations => _names;

    /// <summary>Shape (<see cref="Width"/>): which values the attacker can choose, repaired ones included.</summary>
    public ReadOnlySpan<bool> Mutable => _mutable;

    /// <summary>Whether any change has a price.</summary>
    public bool HasCosts => _rules.Any(rule => rule is { Change: > 0 } or { Up: > 0 } or { Down: > 0 });

    internal IEnumerable<(int Feature, Tape Right)> Definitions => _definitions;

    internal FeatureSchema Schema => _schema;

    internal FeatureRule Rule(int feature) => _rules[feature];

    internal double Lowest(int feature) => _lowest[feature];

    internal double Highest(int feature) => _highest[feature];

    internal static CompiledConstraints Of(TabularConstraints constraints, FeatureSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        var faults = constraints.Faults().ToList();
        var rules = new FeatureRule[schema.Width];
        rules.AsSpan().Fill(new());
        foreach (var (name, rule) in constraints.Features)
        {
            if (schema.IndexOf(name) is >= 0 and var index)
                rules[index] = rule;
            else
                faults.Add($"There is no feature '{name}'.");
        }

        var relations = new List<(RelationRule, Tape)>();
        foreach (var relation in constraints.Relations)
        {
            try
            {
                var tape = RelationParser.Read(relation.Rule, schema.IndexOf);
                relations.Add((relation, tape));
                if (relation.Repair && tape.Definition is null)
                    faults.Add($"Relation '{relation.Name}': only an equality whose left side is one feature can be repaired.");
            }
            catch (Exception fault) when (fault is FormatException or InvalidDataException)
            {
                faults.Add($"Relation '{relation.Name}': {fault.Message}.");
            }
        }

        var groups = new List<int[]>();
        foreach (var group in constraints.OneHot)
        {
            groups.Add([.. group.Select(schema.IndexOf)]);
            foreach (var name in group.Where(name => schema.IndexOf(name) < 0))
                faults.Add($"A one-hot group names '{name}', which is no feature.");
        }

        var utility = (-1, 0.0);
        if (constraints.Utility is { } worth)
        {
            if (schema.IndexOf(worth) is >= 0 and var feature)
                utility = (feature, 0);
            else if (double.TryParse(worth, System.Globalization.CultureInfo.InvariantCulture, out var constant))
                utility = (-1, constant);
            else
                faults.Add($"The utility '{worth}' is neither a number nor a feature.");
        }

        return faults.Count == 0 ? new(schema, relations, rules, [.. groups], utility) : throw new InvalidDataException($"The constraints do not fit: {string.Join(" ", faults)}");
    }

    /// <summary>The same, with all that no gradient can follow left as it is: whole numbers, flags, categories, and what relations and one-hot groups bind.</summary>
    internal CompiledConstraints Smooth()
    {
        var bound = _relations.SelectMany(relation => relation.Features).Concat(_oneHot.SelectMany(group => group)).ToHashSet();
        return new(this, [.. _rules.Select((rule, j) => IsWhole(j) || bound.Contains(j) ? rule with { Mutable = false } : rule)]);
    }

    /// <summary>Why a row cannot be sent, or null when it can.</summary>
    /// <param name="row">Shape (Width): the very numbers that would be sent.</param>
    /// <param name="original">Shape (Width): the row it replaces; empty to check the row alone.</param>
    public string? Reject(ReadOnlySpan<float> row, ReadOnlySpan<float> original = default)
    {
        for (var j = 0; j < Width; j++)
        {
            var moved = !original.IsEmpty && !row[j].Equals(original[j]);
            if (moved && !_mutable[j])
                return $"{_schema.Features[j].Name} cannot be changed";
            // What came in outside the bounds may stay there; what was moved may not leave them.
            if ((original.IsEmpty || moved) && OutOfType(row[j], j) is { } fault)
                return fault;
            if (moved && ((_rules[j].Direction == ChangeDirection.Up && row[j] < original[j]) || (_rules[j].Direction == ChangeDirection.Down && row[j] > original[j])))
                return $"{_schema.Features[j].Name} moves {_rules[j].Direction.ToString().ToLowerInvariant()} only";
        }

        foreach (var group in _oneHot)
        {
            var ones = 0;
            foreach (var j in group)
                ones += row[j] == 1 ? 1 : row[j] == 0 ? 0 : 2;
            if (ones != 1)
                return $"{string.Join(", ", group.Select(j => _schema.Features[j].Name))}: exactly one must be 1";
        }

        for (var relation = 0; relation < _relations.Length; relation++)
        {
            // A relation that the original breaks, over values that nobody moved, is not the attacker's.
            if (!_relations[relation].Holds(row) && (original.IsEmpty || Touches(_relations[relation], row, original)))
                return _names[relation];
        }

        return null;
    }

    /// <summary>How far each relation is from holding.</summary>
    /// <param name="row">Shape (Width).</param>
    /// <param name="violations">Shape (Relations); overwritten, each at least 0.</param>
    public void Violations(ReadOnlySpan<double> row, Span<double> violations)
    {
        for (var relation = 0; relation < _relations.Length; relation++)
            violations[relation] = _relations[relation].Value(row);
    }

    /// <summary>The sum of the violations, and its derivative by the raw values, times <paramref name="scale"/>, added to <paramref name="gradient"/>.</summary>
    /// <param name="row">Shape (Width).</param>
    /// <param name="scale">What the derivative is multiplied with.</param>
    /// <param name="gradient">Shape (Width).</param>
    public double Violation(ReadOnlySpan<double> row, double scale, Span<double> gradient)
    {
        var sum = 0.0;
        foreach (var relation in _relations)
            sum += relation.Gradient(row, scale, gradient);
        return sum;
    }

    /// <summary>
    /// Brings a row as near to what can be sent as types, bounds, directions, one-hot groups and definitions allow; <see cref="Reject"/> still decides.
    /// </summary>
    /// <param name="row">Shape (Width); changed in place. Whole numbers are cut towards the original.</param>
    /// <param name="original">Shape (Width).</param>
    public void Repair(Span<float> row, ReadOnlySpan<float> original)
    {
        for (var j = 0; j < Width; j++)
            row[j] = Allowed(row[j], original[j], j);
        foreach (var group in _oneHot)
            RepairGroup(group, row, original);
        foreach (var (feature, right) in _definitions)
        {
            if (!_mutable[feature])
                continue;
            var value = right.Value((ReadOnlySpan<float>)row);
            if (double.IsFinite(value))
                row[feature] = float.Clamp((float)(IsWhole(feature) ? Math.Round(value) : value), (float)_lowest[feature], (float)_highest[feature]);
        }
    }

    /// <summary>What sending <paramref name="row"/> in place of <paramref name="original"/> costs the attacker; infinite where a value moved that cannot.</summary>
    public double Cost(ReadOnlySpan<float> row, ReadOnlySpan<float> original)
    {
        var cost = 0.0;
        for (var j = 0; j < Width; j++)
        {
            if (row[j].Equals(original[j]))
                continue;
            if (!_mutable[j])
                return double.PositiveInfinity;
            var change = (double)row[j] - original[j];
            cost += _rules[j].Change + (_schema.Features[j].Kind == FeatureKind.Categorical || double.IsNaN(change) ? 0 : change > 0 ? change * _rules[j].Up : -change * _rules[j].Down);
        }

        return cost;
    }

    /// <summary>What success with a row is worth to the attacker before costs.</summary>
    public double Utility(ReadOnlySpan<float> original) => _utilityFeature >= 0 ? original[_utilityFeature] : _utility;

    /// <summary>The nearest value that the feature's type, bounds and direction allow; the original where nothing may change.</summary>
    internal float Allowed(float value, float original, int feature)
    {
        if (!_mutable[feature] || float.IsNaN(value) || float.IsNaN(original) || value.Equals(original))
            return original;
        if ((_rules[feature].Direction == ChangeDirection.Up && value < original) || (_rules[feature].Direction == ChangeDirection.Down && value > original))
            return original;
        if (IsWhole(feature))
        {
            var change = value - original;
            value = original + MathF.Truncate(change + MathF.CopySign(WholeSlack, change));
        }

        return value.Equals(original) ? original : float.Clamp(value, (float)_lowest[feature], (float)_highest[feature]);
    }

    internal bool IsWhole(int feature) => _schema.Features[feature].Kind != FeatureKind.Numeric;

    internal bool Keeps(int relation, ReadOnlySpan<float> row) => _relations[relation].Holds(row);

    /// <summary>Replaces the values that a relation reads by others of their types and bounds: corners, zeros, anything between.</summary>
    internal void Spoil(int relation, Span<float> row, SeededDraws draws)
    {
        foreach (var j in _relations[relation].Features)
        {
            var value = draws.Below(4) switch
            {
                0 => _lowest[j],
                1 => _highest[j],
                2 => row[j],
                _ => _lowest[j] + (draws.Uniform() * (_highest[j] - _lowest[j])),
            };
            row[j] = (float)(IsWhole(j) ? Math.Round(value) : value);
        }
    }

    private static bool Touches(Tape relation, ReadOnlySpan<float> row, ReadOnlySpan<float> original)
    {
        foreach (var j in relation.Features)
        {
            if (!row[j].Equals(original[j]))
                return true;
        }

        return false;
    }

    private string? OutOfType(float value, int j)
    {
        var feature = _schema.Features[j];
        if (float.IsNaN(value))
            return null;
        if (!(value >= (float)_lowest[j] && value <= (float)_highest[j]))
            return $"{feature.Name} is {value}, outside {_lowest[j]} to {_highest[j]}";
        return IsWhole(j) && value != MathF.Floor(value) ? $"{feature.Name} is {value}, no whole number" : null;
    }

    private void RepairGroup(int[] group, Span<float> row, ReadOnlySpan<float> original)
    {
        var chosen = -1;
        foreach (var j in group)
        {
            if (row[j] > 0 && original[j] != 1)
                chosen = j;
        }

        // One that was raised wins; else what it was before.
        foreach (var j in group)
            row[j] = chosen < 0 ? original[j] : _mutable[j] ? (j == chosen ? 1 : 0) : original[j];
    }

    private static double Bound(double? declared, Feature feature, bool lower) => declared ?? feature.Kind switch
    {
        FeatureKind.Binary => lower ? 0 : 1,
        FeatureKind.Categorical => lower ? 0 : feature.Categories.Count - 1,
        _ => (lower ? feature.Minimum : feature.Maximum) ?? (lower ? float.MinValue : float.MaxValue),
    };
}
