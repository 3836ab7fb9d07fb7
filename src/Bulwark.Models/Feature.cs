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

    /// <summary>Most inner edges of one feature's bins.</summary>
    public const int MostBins = 1024;

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

    /// <summary>
    /// Inner edges of public bins, ascending, strictly between the bounds: then the number becomes one column per bin, 1 where edge ≤ value &lt; next edge, in place of
    /// one scaled column. The first and the last bin are open. Declared, never read off the data; empty for no bins.
    /// </summary>
    public IReadOnlyList<double> Bins { get; init => field = value ?? []; } = [];

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
        if (Bins.Count > 0 && Kind is not (FeatureKind.Numeric or FeatureKind.Integer))
            yield return $"Feature '{Name}': only a number has bins.";
        else if (Bins.Count > 0)
        {
            foreach (var fault in BinFaults())
                yield return fault;
        }
    }

    /// <summary>The same feature with about <paramref name="bins"/> bins of equal width after scaling, their edges halfway between whole numbers where the values are whole.</summary>
    /// <remarks>The edges depend on the bounds alone: where those are declared, a private model may use them without paying.</remarks>
    /// <param name="bins">At least 2; narrow bins of whole numbers fall together.</param>
    /// <exception cref="ArgumentException">The feature is no number with bounds.</exception>
    public Feature WithEqualBins(int bins)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bins, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bins, MostBins);
        if (Kind is not (FeatureKind.Numeric or FeatureKind.Integer) || Minimum is not { } low || Maximum is not { } high)
            throw new ArgumentException($"Feature '{Name}' has no bounds to divide.", nameof(bins));
        var (from, to) = Scaling == Scaling.Log ? ((double)SignedLog.Of((float)low), (double)SignedLog.Of((float)high)) : (low, high);
        var edges = new List<double>();
        for (var bin = 1; bin < bins; bin++)
        {
            var scaled = from + ((to - from) * bin / bins);
            var edge = Scaling == Scaling.Log ? SignedLog.Inverse(scaled) : scaled;
            if (Kind == FeatureKind.Integer)
                edge = Math.Floor(edge) + 0.5;
            if ((float)edge > (float)low && (float)edge < (float)high && (edges.Count == 0 || (float)edge > (float)edges[^1]))
                edges.Add(edge);
        }

        return this with { Bins = edges };
    }

    private IEnumerable<string> BinFaults()
    {
        if (Bins.Count > MostBins)
            yield return $"Feature '{Name}': at most {MostBins} inner edges of bins, not {Bins.Count}.";
        for (var i = 0; i < Bins.Count; i++)
        {
            // The graph compares in single precision: edges must stay apart there, too.
            if (!((float)Bins[i] > (i == 0 ? (float)(Minimum ?? double.NaN) : (float)Bins[i - 1])) || !((float)Bins[i] < (float)(Maximum ?? double.NaN)))
            {
                yield return $"Feature '{Name}': the inner edges of bins must ascend strictly between minimum and maximum, in single precision; edge {Bins[i]} does not.";
                yield break;
            }
        }
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
