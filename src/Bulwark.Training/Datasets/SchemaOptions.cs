using Bulwark.Models;

namespace Bulwark.Training;

/// <summary>What the columns of a table mean for training: which one is predicted, which ones are features.</summary>
public sealed record SchemaOptions
{
    /// <summary>The column to predict.</summary>
    public required string Label { get; init; }

    /// <summary>The label's values that count as positive, as the file spells them.</summary>
    /// <value>"1"</value>
    public IReadOnlyList<string> Positive { get; init; } = ["1"];

    /// <summary>The label's other values. Empty: a table may hold one other value, whatever it is; a second one is an error.</summary>
    /// <value>empty</value>
    public IReadOnlyList<string> Negative { get; init; } = [];

    /// <summary>Declared features. One without bounds or categories gets them from the data and is then marked <see cref="Feature.Inferred"/>.</summary>
    /// <value>empty: every column is inferred</value>
    public IReadOnlyList<Feature> Features { get; init; } = [];

    /// <summary>Columns that are no features: identifiers, times, what is known only afterwards.</summary>
    /// <value>empty</value>
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>Names of the features that whoever sends a request can choose, beside those declared so.</summary>
    /// <value>empty</value>
    public IReadOnlyList<string> Mutable { get; init; } = [];

    /// <summary>Whether columns that are neither declared nor dropped become features with bounds and categories read off the data; else they are passed over.</summary>
    /// <value>true</value>
    public bool InferUndeclared { get; init; } = true;

    /// <summary>Most categories that inference takes from a text column; one with more is an identifier or free text.</summary>
    /// <value>100</value>
    public int MostInferredCategories { get; init; } = 100;

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(Label))
            yield return "Name the label's column.";
        if (Positive.Count == 0)
            yield return "Name at least one value of the label that counts as positive.";
        foreach (var value in Positive.Intersect(Negative, StringComparer.Ordinal))
            yield return $"The label's value '{value}' is positive and negative.";
        foreach (var name in Drop.Where(name => name == Label))
            yield return $"The label '{name}' is dropped.";
        foreach (var name in Features.Select(feature => feature.Name).Intersect(Drop, StringComparer.Ordinal))
            yield return $"Column '{name}' is declared as a feature and dropped.";
        foreach (var name in Features.GroupBy(feature => feature.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
            yield return $"Feature '{name.Key}' is declared {name.Count()} times.";
        if (Features.Any(feature => feature.Name == Label))
            yield return $"The label '{Label}' is also declared as a feature.";
        if (MostInferredCategories is < 1 or > Feature.MostCategories)
            yield return $"{nameof(MostInferredCategories)} is {MostInferredCategories}; it must be 1 to {Feature.MostCategories}.";
    }
}
