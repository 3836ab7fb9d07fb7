using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Prices of raw changes as prices of moving encoded values by 1: what training within an attacker's budget asks for. Never dearer than the real price, so that the ball holds all that he can pay.</summary>
/// <remarks>After Kireev et al., NDSS 2023 (arXiv:2208.13058), section 5: the price's largest linear lower bound, value by value; a price of any change at all is spread over the whole range.</remarks>
internal static class RelaxedPrices
{
    /// <returns>Shape (EncodedWidth): above 0, infinite where nothing can move.</returns>
    /// <exception cref="InvalidDataException">A feature that can move costs nothing: no budget bounds it.</exception>
    internal static double[] Of(TabularSpace space)
    {
        var (constraints, columns) = (space.Constraints, space.Encoder.Columns);
        var prices = new double[columns.Count];
        for (var column = 0; column < prices.Length; column++)
        {
            var (feature, role) = (columns[column].Feature, columns[column].Role);
            prices[column] = space.MutableColumns[column] ? Price(constraints.Rule(feature), space.Encoder.Schema.Features[feature], role) : double.PositiveInfinity;
            if (prices[column] <= 0)
                throw new InvalidDataException($"Feature '{space.Encoder.Schema.Features[feature].Name}' can be moved for nothing: give it a price, or declare it immutable.");
        }

        return prices;
    }

    private static double Price(FeatureRule rule, Feature feature, EncodedRole role)
    {
        if (role == EncodedRole.Category)
            return rule.Change / 2;   // two values move by 1 each
        var unit = rule.Direction switch { ChangeDirection.Up => rule.Up, ChangeDirection.Down => rule.Down, _ => Math.Min(rule.Up, rule.Down) };
        return rule.Change + (unit * LeastRawChange(feature));
    }

    /// <summary>How much the raw value changes at least when the encoded one moves by 1, at the slowest place of its scale.</summary>
    private static double LeastRawChange(Feature feature)
    {
        var (low, high) = (feature.Minimum ?? 0, feature.Maximum ?? 1);
        if (feature.Scaling == Scaling.None)
            return 1;
        if (feature.Scaling != Scaling.Log)
            return high - low;
        double Signed(double value) => Math.Sign(value) * Math.Log(1 + Math.Abs(value));
        var nearest = low <= 0 && high >= 0 ? 0 : Math.Min(Math.Abs(low), Math.Abs(high));
        return (1 + nearest) * (Signed(high) - Signed(low));
    }
}
