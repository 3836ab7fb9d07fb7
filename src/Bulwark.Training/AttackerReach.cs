using Bulwark.Models;

namespace Bulwark.Training;

/// <summary>What an attacker within a radius can move at all: training against more than that pays accuracy for nothing.</summary>
internal static class AttackerReach
{
    /// <summary>The same options with <see cref="RobustOptions.Mutable"/> cut to values whose smallest possible change lies within <see cref="RobustOptions.Epsilon"/>.</summary>
    /// <param name="options">The options; an empty mask means that every value that holds a quantity or a category may move.</param>
    /// <param name="encoder">Says which values stand for whole numbers, flags and categories.</param>
    /// <returns>The options as they were when nothing at all could move.</returns>
    internal static RobustOptions Within(RobustOptions options, FeatureEncoder encoder)
    {
        bool[] reached = [.. encoder.Columns.Select((column, at) =>
            (options.Mutable.Count == 0 || options.Mutable[at])
            && column.Role is EncodedRole.Value or EncodedRole.Category
            && SmallestChange(options, encoder.Schema.Features[column.Feature], column.Role, at) <= options.Epsilon * (1 + 1e-6))];
        if (!reached.Contains(true))
            return options;
        double[] units = options.Norm == RobustNorm.Length ? [.. encoder.Columns.Select((column, at) => reached[at] ? Unit(encoder.Schema.Features[column.Feature], column.Role) : 0)] : [];
        return options with { Mutable = reached, Units = units };
    }

    /// <summary>How far apart the values are that can be sent; 0 for what moves freely. Categories are two values each, which no unit of one describes.</summary>
    private static double Unit(Feature feature, EncodedRole role) => role == EncodedRole.Category ? 0 : feature.Kind switch
    {
        FeatureKind.Binary => 1,
        FeatureKind.Integer when feature.Scaling == Scaling.Linear && feature.Minimum is { } low && feature.Maximum is { } high => 1 / (high - low),
        _ => 0,
    };

    private static double SmallestChange(RobustOptions options, Feature feature, EncodedRole role, int column)
    {
        var price = options.Costs.Count > 0 ? options.Costs[column] : 1;
        if (role == EncodedRole.Category)   // one value falls by 1, another rises by 1
            return options.Norm switch { RobustNorm.LargestChange => 1, RobustNorm.Length => Math.Sqrt(2), _ => 2 * price };
        return price * Unit(feature, role);
    }
}
