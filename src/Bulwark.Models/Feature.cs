namespace Bulwark.Models;

/// <summary>What the values of a feature are.</summary>
public enum FeatureKind
{
    /// <summary>Any number between the bounds.</summary>
    Numeric = 0,

    /// <summary>A whole number between the bounds.</summary>
    Integer,

    /// <summary>0 or 1.</summary>
    Binary,

    /// <summary>One of <see cref="Feature.Categories"/>; the raw value is its index as a number.</summary>
    Categorical,
}

/// <summary>How a number between its bounds becomes a number in [0, 1].</summary>
public enum Scaling
{
    /// <summary>(x - minimum) / (maximum - minimum).</summary>
    Linear = 0,

    /// <summary>As <see cref="Linear"/>, of s(x) = sign(x) · ln(1 + |x|): for amounts and counts with long tails.</summary>
    Log,

    /// <summary>As it is; the bounds must lie within [0, 1].</summary>
    None,
}

/// <summary>What a missing value becomes. Missing is NaN; for a category also any value that is no index of a category.</summary>
public enum MissingPolicy
{
    /// <summary>The middle of the encoded range, 0.5, for a number; all zeros for a category.</summary>
    Neutral = 0,

    /// <summary>As <see cref="Neutral"/>, and one more encoded column that is 1 where the value is missing and 0 elsewhere.</summary>
    Indicator,
}

/// <summary>One input of a model: its name, kind, bounds, and what an attacker may do to it.</summary>
/// <remarks>Immutable. <see cref="Faults"/> lists what is wrong with it; <see cref="FeatureEncoder"/> refuses a faulty one.</remarks>
public sealed record Feature
{
    /// <summary>Most characters of a feature's or a category's name.</summary>
    public const int LongestName = 256;

    /// <summary>Most categories of one feature.</summary>
    public const int MostCategories = 4096;

    /// <summary>The column's name; unique in its schema.</summary>
    public required string Name { get; init; }

    /// <summary>What the values are; a number by default.</summary>
    public FeatureKind Kind { get; init; }

    /// <summary>Lowest raw value; what lies below is clipped to it. Needed for <see cref="FeatureKind.Numeric"/> and <see cref="FeatureKind.Integer"/>, absent otherwise.</summary>
    public double? Minimum { get; init; }

    /// <summary>Highest raw value; what lies above is clipped to it. Needed for <see cref="FeatureKind.Numeric"/> and <see cref="FeatureKind.Integer"/>, absent otherwise.</summary>
    public double? Maximum { get; init; }

    /// <summary>How a number becomes one in [0, 1]; linear by default, of no meaning for the other kinds.</summary>
    public Scaling Scaling { get; init; }

    /// <summary>The categories in the order of their indices; empty unless the kind is <see cref="FeatureKind.Categorical"/>.</summary>
    public IReadOnlyList<string> Categories { get; init => field = value ?? []; } = [];   // generated JSON code sets an absent member to null

    /// <summary>True when whoever sends a request can choose this value, so that an attack may change it.</summary>
    public bool Mutable { get; init; }

    /// <summary>What a missing value becomes.</summary>
    public MissingPolicy Missing { get; init; }

    /// <summary>True when the bounds or the categories were read off the data, not declared: such a schema has itself learnt from the records, so private training refuses it.</summary>
    public bool Inferred { get; init; }

    /// <summary>True for the kinds whose value is a quantity: everything but a category.</summary>
    internal bool IsNumber => Kind != FeatureKind.Categorical;

    /// <summary>Every fault, so that one edit mends them all; empty when the feature is sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > LongestName)
            yield return $"A feature's name has 1 to {LongestName} characters.";
        if (!Enum.IsDefined(Kind) || !Enum.IsDefined(Scaling) || !Enum.IsDefined(Missing))
            yield return $"Feature '{Name}': unknown kind, scaling or missing policy.";
        var faults = Kind switch
        {
            FeatureKind.Categorical => CategoryFaults(),
            FeatureKind.Binary => Minimum is null && Maximum is null ? [] : [$"Feature '{Name}': a binary feature has no bounds; they are 0 and 1."],
            _ => BoundFaults(),
        };
        foreach (var fault in faults)
            yield return fault;
        if (IsNumber && Categories.Count > 0)
            yield return $"Feature '{Name}': only a categorical feature has categories.";
    }

    private IEnumerable<string> BoundFaults()
    {
        // The graph and the engine work in single precision: the bounds must stay apart there, too.
        if (Minimum is not { } low || Maximum is not { } high)
            yield return $"Feature '{Name}': declare minimum and maximum.";
        else if (!float.IsFinite((float)low) || !float.IsFinite((float)high) || !((float)low < (float)high) || !float.IsFinite((float)high - (float)low) || !float.IsFinite(1 / ((float)high - (float)low)))
            yield return $"Feature '{Name}': minimum {low} must be below maximum {high}, both finite and apart in single precision.";
        else if (Scaling == Scaling.None && (low < 0 || high > 1))
            yield return $"Feature '{Name}': without scaling the bounds must lie within 0 and 1.";
        else if (Scaling == Scaling.Log && !(SignedLog.Of((float)low) < SignedLog.Of((float)high)))
            yield return $"Feature '{Name}': minimum {low} and maximum {high} have the same logarithm in single precision; use linear scaling.";
    }

    private IEnumerable<string> CategoryFaults()
    {
        if (Minimum is not null || Maximum is not null)
            yield return $"Feature '{Name}': a categorical feature has no bounds.";
        if (Categories.Count is 0 or > MostCategories)
            yield return $"Feature '{Name}': a categorical feature has 1 to {MostCategories} categories, not {Categories.Count}.";
        if (Categories.Any(category => category is null || category.Length > LongestName))
            yield return $"Feature '{Name}': a category has at most {LongestName} characters.";
        if (Categories.Distinct(StringComparer.Ordinal).Count() != Categories.Count)
            yield return $"Feature '{Name}': a category is listed twice.";
    }
}
