using System.Text.Json.Serialization;

namespace Bulwark.Monitoring;

/// <summary>What kind of number a raw column holds.</summary>
[JsonConverter(typeof(NamesOnlyConverter<ScreenFieldKind>))]
public enum ScreenFieldKind
{
    /// <summary>Any number inside the bounds.</summary>
    [JsonStringEnumMemberName("numeric")] Numeric = 0,
    /// <summary>A whole number inside the bounds.</summary>
    [JsonStringEnumMemberName("integer")] Integer,
    /// <summary>0 or 1.</summary>
    [JsonStringEnumMemberName("binary")] Binary,
    /// <summary>The index of a category: a whole number from 0 to below <see cref="ScreenField.Categories"/>.</summary>
    [JsonStringEnumMemberName("categorical")] Categorical,
}

/// <summary>What one column of a raw row must be.</summary>
public sealed record ScreenField
{
    /// <summary>The column's name, for messages; never empty.</summary>
    public required string Name { get; init; }

    /// <summary>What kind of number it holds.</summary>
    public required ScreenFieldKind Kind { get; init; }

    /// <summary>The least value allowed, in raw units; null when there is none. Numeric and integer columns only.</summary>
    public double? Minimum { get; init; }

    /// <summary>The largest value allowed, in raw units; null when there is none. Numeric and integer columns only.</summary>
    public double? Maximum { get; init; }

    /// <summary>How many categories there are; categorical columns only, 0 elsewhere.</summary>
    public int Categories { get; init; }

    /// <summary>True when the model was trained with a value for "missing" or "unknown": then NaN, and -1 in a categorical column, are let through.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>Every fault of this description; empty when it is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(Name)) yield return "A field has no name.";
        if (!Enum.IsDefined(Kind)) yield return $"Field {Name}: {Kind} is no kind of field.";
        if (Minimum is { } low && !double.IsFinite(low)) yield return $"Field {Name}: the minimum must be finite.";
        if (Maximum is { } high && !double.IsFinite(high)) yield return $"Field {Name}: the maximum must be finite.";
        if (Minimum > Maximum) yield return $"Field {Name}: the minimum {Minimum} is above the maximum {Maximum}.";
        if (Kind is ScreenFieldKind.Categorical && Categories <= 0) yield return $"Field {Name}: a categorical field needs at least one category.";
        if (Kind is not ScreenFieldKind.Categorical && Categories != 0) yield return $"Field {Name}: only a categorical field has categories.";
    }
}
