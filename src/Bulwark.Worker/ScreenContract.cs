using Bulwark.Models;
using Bulwark.Monitoring;

namespace Bulwark.Worker;

/// <summary>The input screen's contract of a feature schema: the one translation, used when a screen is fitted and when a package brings none.</summary>
public static class ScreenContract
{
    /// <summary>One field a feature. A missing value is let through only where the model was trained to know one (<see cref="MissingPolicy.Indicator"/>).</summary>
    public static IReadOnlyList<ScreenField> Of(FeatureSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return [.. schema.Features.Select(feature => new ScreenField
        {
            Name = feature.Name,
            Kind = feature.Kind switch
            {
                FeatureKind.Integer => ScreenFieldKind.Integer,
                FeatureKind.Binary => ScreenFieldKind.Binary,
                FeatureKind.Categorical => ScreenFieldKind.Categorical,
                _ => ScreenFieldKind.Numeric,
            },
            Minimum = feature.Minimum,
            Maximum = feature.Maximum,
            Categories = feature.Categories.Count,
            AllowMissing = feature.Missing is MissingPolicy.Indicator,
        })];
    }
}
