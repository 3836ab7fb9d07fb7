using Bulwark.Data;
using Bulwark.Models;

namespace Bulwark.Training;

/// <summary>Completes a schema from a table: the bounds and categories that nobody declared.</summary>
/// <remarks>
/// What is inferred depends on the records, on a single one even (the largest amount), so it may not reach a model trained with privacy:
/// such features are marked <see cref="Feature.Inferred"/> and <see cref="FeatureSchema.InferredFeatures"/> lists them.
/// </remarks>
public static class SchemaInference
{
    /// <summary>The schema of <paramref name="table"/>: declared features first, in their order, then the inferred ones in the table's.</summary>
    /// <exception cref="ArgumentException">The options have faults.</exception>
    /// <exception cref="DatasetException">A named column is missing, the table is empty, the label is constant, or a column cannot be a feature.</exception>
    public static FeatureSchema Infer(Table table, SchemaOptions options)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(options);
        Require(table, options);
        var label = LabelColumn.Read(Columns.Require(table, options.Label), options);
        return Schema(Features(table, options), label, options);
    }

    /// <summary>Refuses options with faults, and such as name columns that are not there.</summary>
    internal static void Require(Table table, SchemaOptions options)
    {
        var faults = options.Faults().ToList();
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        foreach (var name in options.Drop.Concat(options.Mutable))
            Columns.Require(table, name);
    }

    private static IEnumerable<Feature> Features(Table table, SchemaOptions options)
    {
        foreach (var declared in options.Features)
            yield return Declared(declared, Columns.Require(table, declared.Name), options);
        if (!options.InferUndeclared)
            yield break;
        var known = Known(options);
        foreach (var column in table.Columns)
        {
            if (!known.Contains(column.Name) && Undeclared(column, options) is { } feature)
                yield return feature;
        }
    }

    /// <summary>Columns that are declared or no features: nothing is inferred of them.</summary>
    internal static HashSet<string> Known(SchemaOptions options) =>
        options.Features.Select(feature => feature.Name).Concat(options.Drop).Append(options.Label).ToHashSet(StringComparer.Ordinal);

    /// <summary>A declared feature, completed from its column.</summary>
    internal static Feature Declared(Feature declared, Column column, SchemaOptions options) => WithMutability(Complete(declared, column, options), options);

    /// <summary>The feature that a column of which nothing is declared makes; null for a column without two different values, which says nothing.</summary>
    internal static Feature? Undeclared(Column column, SchemaOptions options) => IsConstant(column) ? null : WithMutability(Complete(Guess(column), column, options), options);

    /// <exception cref="DatasetException">The features make no schema.</exception>
    internal static FeatureSchema Schema(IEnumerable<Feature> features, LabelColumn label, SchemaOptions options)
    {
        var schema = new FeatureSchema
        {
            Label = options.Label,
            PositiveLabel = label.Positive,
            NegativeLabel = label.Negative,
            Features = [.. features],
        };
        var wrong = schema.Faults().ToList();
        return wrong.Count == 0 ? schema : throw new DatasetException(string.Join(" ", wrong));
    }

    private static Feature Guess(Column column) => column switch
    {
        NumberColumn { Values: var values } when values.All(value => value is 0 or 1 or double.NaN) => new Feature { Name = column.Name, Kind = FeatureKind.Binary, Inferred = true, Missing = PolicyOf(column) },
        NumberColumn number => new Feature
        {
            Name = column.Name,
            Kind = number.Integral ? FeatureKind.Integer : FeatureKind.Numeric,
            Scaling = HasLongTail(number.Values) ? Scaling.Log : Scaling.Linear,
            Missing = PolicyOf(column),
        },
        TextColumn => new Feature { Name = column.Name, Kind = FeatureKind.Categorical, Missing = PolicyOf(column) },
        _ => throw new DatasetException($"Column '{column.Name}' holds times, which are no feature: drop it (--drop {column.Name}; in a pipeline file under drop), or make numbers of it.", column.Name),
    };

    /// <summary>True when the range is many times the middle half's: linear scaling would crowd most rows into one corner. Amounts and counts are so.</summary>
    private static bool HasLongTail(double[] values)
    {
        const double Many = 10;   // an even spread has 2, a million normal draws about 7
        var present = Array.FindAll(values, value => !double.IsNaN(value));
        if (present.Length == 0)
            return false;
        Array.Sort(present);
        var middleHalf = present[(int)(0.75 * (present.Length - 1))] - present[(int)(0.25 * (present.Length - 1))];
        return present[^1] - present[0] > Many * Math.Max(middleHalf, 1);
    }

    private static MissingPolicy PolicyOf(Column column)
    {
        for (var row = 0; row < column.Rows; row++)
        {
            if (column.IsMissing(row))
                return MissingPolicy.Indicator;
        }

        return MissingPolicy.Neutral;
    }

    /// <summary>The feature with bounds or categories: as declared, else read off the column.</summary>
    private static Feature Complete(Feature feature, Column column, SchemaOptions options)
    {
        switch (feature.Kind)
        {
            case FeatureKind.Categorical when feature.Categories.Count == 0:
                return feature with { Categories = Categories(column, options.MostInferredCategories), Inferred = true };
            case FeatureKind.Numeric or FeatureKind.Integer when feature.Minimum is null || feature.Maximum is null:
                var (low, high) = Bounds(column);
                return feature with { Minimum = feature.Minimum ?? low, Maximum = feature.Maximum ?? high, Inferred = true };
            default:
                return feature;
        }
    }

    private static (double Low, double High) Bounds(Column column)
    {
        var (low, high) = (double.PositiveInfinity, double.NegativeInfinity);
        for (var row = 0; row < column.Rows; row++)
        {
            var value = Columns.Number(column, row);
            if (!double.IsNaN(value))
                (low, high) = (Math.Min(low, value), Math.Max(high, value));
        }

        return low < high
            ? (low, high)
            : throw new DatasetException($"Column '{column.Name}' has no two different numbers to take bounds from: declare minimum and maximum, or drop it.", column.Name);
    }

    /// <summary>The column's texts, most frequent first; equally frequent ones in ordinal order, so that the order of the rows does not matter.</summary>
    private static List<string> Categories(Column column, int most)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var row = 0; row < column.Rows; row++)
        {
            if (column.Text(row) is not { } text)
                continue;
            counts[text] = counts.GetValueOrDefault(text) + 1;
            if (counts.Count > most)
                throw new DatasetException($"Column '{column.Name}' has more than {most} different texts: drop it, or declare its categories.", column.Name);
        }

        return counts.Count > 0
            ? [.. counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key)]
            : throw new DatasetException($"Column '{column.Name}' is empty: drop it.", column.Name);
    }

    private static bool IsConstant(Column column)
    {
        var first = column.Rows == 0 ? null : column.Text(0);
        for (var row = 1; row < column.Rows; row++)
        {
            if (column.Text(row) != first)
                return false;
        }

        return true;
    }

    private static Feature WithMutability(Feature feature, SchemaOptions options) =>
        options.Mutable.Contains(feature.Name) ? feature with { Mutable = true } : feature;
}
