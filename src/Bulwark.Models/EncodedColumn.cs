using System.Globalization;

namespace Bulwark.Models;

/// <summary>What an encoded column says about its feature.</summary>
public enum EncodedRole
{
    /// <summary>The scaled quantity.</summary>
    Value = 0,

    /// <summary>1 when the feature has one certain category.</summary>
    Category,

    /// <summary>1 when the feature is missing.</summary>
    MissingIndicator,

    /// <summary>1 when the quantity lies in one certain bin.</summary>
    Bin,
}

/// <summary>One column of an encoded row.</summary>
public sealed class EncodedColumn
{
    private readonly Feature _source;

    private EncodedColumn(Feature source, int feature, EncodedRole role, int category)
    {
        _source = source;
        Feature = feature;
        Role = role;
        Category = category;
        if (role == EncodedRole.Bin)
        {
            // Not below the lower edge and not at or above the upper; no number is at or above NaN, so the last bin is open.
            Low = category == 0 ? float.NegativeInfinity : (float)source.Bins[category - 1];
            High = category == source.Bins.Count ? float.NaN : (float)source.Bins[category];
        }

        if (role != EncodedRole.Value)
            return;
        Low = (float)(source.Minimum ?? 0);
        High = (float)(source.Maximum ?? 1);
        (Offset, Scale) = source.Scaling switch
        {
            Scaling.Log => (SignedLog.Of(Low), 1 / (SignedLog.Of(High) - SignedLog.Of(Low))),
            Scaling.None => (0, 1),
            _ => (Low, 1 / (High - Low)),
        };
    }

    /// <summary>The feature's name, with the category or the word "missing" where the column is about that.</summary>
    public string Name => Role switch
    {
        EncodedRole.Category => $"{_source.Name}={_source.Categories[Category]}",
        EncodedRole.MissingIndicator => $"{_source.Name} missing",
        EncodedRole.Bin => string.Create(CultureInfo.InvariantCulture, $"{_source.Name} in [{(Category == 0 ? _source.Minimum : _source.Bins[Category - 1]):g6}, {(Category == _source.Bins.Count ? _source.Maximum : _source.Bins[Category]):g6})"),
        _ => _source.Name,
    };

    /// <summary>Index of the feature in the raw row.</summary>
    public int Feature { get; }

    /// <summary>What the column says.</summary>
    public EncodedRole Role { get; }

    /// <summary>Index of the category or of the bin; 0 for the other roles.</summary>
    public int Category { get; }

    /// <summary>Scaling of the quantity.</summary>
    internal Scaling Scaling => _source.Scaling;

    internal FeatureKind Kind => _source.Kind;

    internal int Categories => _source.Categories.Count;

    internal float Low { get; }

    internal float High { get; }

    internal float Offset { get; }

    internal float Scale { get; }

    internal static IEnumerable<EncodedColumn> Of(Feature source, int feature)
    {
        for (var bin = 0; source.Bins.Count > 0 && bin <= source.Bins.Count; bin++)
            yield return new EncodedColumn(source, feature, EncodedRole.Bin, bin);
        if (source.IsNumber && source.Bins.Count == 0)
            yield return new EncodedColumn(source, feature, EncodedRole.Value, 0);
        for (var category = 0; category < source.Categories.Count; category++)
            yield return new EncodedColumn(source, feature, EncodedRole.Category, category);
        if (source.Missing == MissingPolicy.Indicator)
            yield return new EncodedColumn(source, feature, EncodedRole.MissingIndicator, 0);
    }

    internal float Encode(float raw) => Role switch
    {
        EncodedRole.Value => EncodeValue(raw),
        EncodedRole.Category => raw == Category ? 1 : 0,
        EncodedRole.Bin => raw >= Low && !(raw >= High) ? 1 : 0,
        _ => IsMissing(raw) ? 1 : 0,
    };

    /// <summary>The raw quantity of an encoded one, within the bounds, whole where the feature is.</summary>
    internal float Decode(float encoded)
    {
        var scaled = Math.Clamp((double)encoded, 0, 1) / Scale + Offset;
        var value = Scaling == Scaling.Log ? SignedLog.Inverse(scaled) : scaled;
        if (Kind is FeatureKind.Integer or FeatureKind.Binary)
            value = Math.Round(value);
        return Math.Clamp((float)value, Low, High);
    }

    private float EncodeValue(float raw)
    {
        if (float.IsNaN(raw))
            return 0.5f;
        var clipped = Math.Clamp(raw, Low, High);
        var scaled = ((Scaling == Scaling.Log ? SignedLog.Of(clipped) : clipped) - Offset) * Scale;
        return Math.Clamp(scaled, 0, 1);
    }

    private bool IsMissing(float raw) =>
        _source.IsNumber ? float.IsNaN(raw) : !(raw >= 0 && raw < _source.Categories.Count && raw == MathF.Floor(raw));
}
