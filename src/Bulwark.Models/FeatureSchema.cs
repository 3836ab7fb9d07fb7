using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bulwark.Models;

/// <summary>What a model takes and what it predicts: the features in the order of a raw row, and the label.</summary>
/// <remarks>
/// A raw row is <see cref="Width"/> numbers: a quantity as it is, a category as its index, NaN where the value is missing.
/// JSON is camelCase and strict: an unknown or a repeated member is refused.
/// </remarks>
public sealed record FeatureSchema
{
    /// <summary>Most features of one schema.</summary>
    public const int MostFeatures = 4096;

    /// <summary>Most encoded columns of one schema.</summary>
    public const int MostEncodedColumns = 65_536;

    /// <summary>The features, in the order of a raw row.</summary>
    public required IReadOnlyList<Feature> Features { get; init; }

    /// <summary>Name of the column that is predicted.</summary>
    public required string Label { get; init; }

    /// <summary>The label's value for which the score is the probability, for example "1" or "fraud".</summary>
    public string PositiveLabel { get; init => field = value ?? "1"; } = "1";   // generated JSON code sets an absent member to null

    /// <summary>The label's other value.</summary>
    public string NegativeLabel { get; init => field = value ?? "0"; } = "0";

    /// <summary>Numbers in a raw row.</summary>
    [JsonIgnore]
    public int Width => Features.Count;

    /// <summary>Index of the feature called <paramref name="name"/>, or -1.</summary>
    public int IndexOf(string name)
    {
        for (var index = 0; index < Features.Count; index++)
        {
            if (string.Equals(Features[index].Name, name, StringComparison.Ordinal))
                return index;
        }

        return -1;
    }

    /// <summary>Names of the features whose bounds or categories were read off the data; private training needs this to be empty.</summary>
    public IReadOnlyList<string> InferredFeatures() => [.. Features.Where(feature => feature.Inferred).Select(feature => feature.Name)];

    /// <summary>The same schema with equal bins for every number between bounds that has none yet; see <see cref="Feature.WithEqualBins"/>.</summary>
    public FeatureSchema WithEqualBins(int bins) => this with
    {
        Features = [.. Features.Select(feature => feature is { Kind: FeatureKind.Numeric or FeatureKind.Integer, Bins.Count: 0 } ? feature.WithEqualBins(bins) : feature)],
    };

    /// <summary>Every fault, so that one edit mends them all; empty when the schema is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Features.Count is 0 or > MostFeatures)
            yield return $"A schema has 1 to {MostFeatures} features, not {Features.Count}.";
        if (string.IsNullOrWhiteSpace(Label) || Label.Length > Feature.LongestName)
            yield return $"The label's name has 1 to {Feature.LongestName} characters.";
        if (string.Equals(PositiveLabel, NegativeLabel, StringComparison.Ordinal))
            yield return $"Positive and negative label are both '{PositiveLabel}'.";
        if (Features.Any(feature => feature is null))
        {
            yield return "A feature is null.";
            yield break;
        }

        foreach (var twice in Features.GroupBy(feature => feature.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
            yield return $"Feature '{twice.Key}' is declared {twice.Count()} times.";
        if (IndexOf(Label) >= 0)
            yield return $"The label '{Label}' is also a feature.";
        foreach (var fault in Features.SelectMany(feature => feature.Faults()))
            yield return fault;
        if (Features.Sum(feature => (long)feature.Categories.Count + feature.Bins.Count + 2) > MostEncodedColumns)
            yield return $"The features make more than {MostEncodedColumns} encoded columns.";
    }

    /// <summary>The schema as JSON text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ModelsJson.Default.FeatureSchema);

    /// <summary>Reads what <see cref="ToJson"/> wrote, or a declaration written by hand.</summary>
    /// <exception cref="InvalidDataException">The text is no JSON, has an unknown, repeated or missing member, or <see cref="Faults"/> is not empty.</exception>
    public static FeatureSchema Parse(string json)
    {
        var schema = Deserialize(json);
        Require(schema);
        return schema;
    }

    /// <summary>Reads a declaration whose numeric features may lack both bounds, which somebody has yet to find: it is no schema to encode by.</summary>
    /// <exception cref="InvalidDataException">As <see cref="Parse"/>, absent bounds excepted.</exception>
    public static FeatureSchema ParseWithoutBounds(string json)
    {
        var schema = Deserialize(json);
        Require(schema.Features is null ? schema : schema with
        {
            Features = [.. schema.Features.Select(feature => feature is { Kind: FeatureKind.Numeric or FeatureKind.Integer, Minimum: null, Maximum: null } ? feature with { Minimum = 0, Maximum = 1 } : feature)],
        });
        return schema;
    }

    private static FeatureSchema Deserialize(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            return JsonSerializer.Deserialize(json, ModelsJson.Default.FeatureSchema) ?? throw new InvalidDataException("The feature schema is null.");
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)   // the latter for text with half a character
        {
            throw new InvalidDataException($"The feature schema is not valid: {fault.Message}", fault);
        }
    }

    private static void Require(FeatureSchema schema)
    {
        var faults = schema.Faults().ToList();
        if (faults.Count > 0)
            throw new InvalidDataException($"The feature schema is not valid: {string.Join(" ", faults)}");
    }
}
