using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>The changes of one feature that an attacker can send and pay for: whole numbers by powers of two, quantities by halves of their range, categories to each other.</summary>
internal sealed class SingleChanges(TabularSpace space, TabularReach reach, float[] original)
{
    private const int Halvings = 6;
    private readonly float[] _encodedOriginal = space.Encoder.Encode(original);
    private readonly float[] _encoded = new float[space.Encoder.EncodedWidth];

    /// <summary>Rows that differ from the given one in one feature and what its definitions carry along, each with the price of all changes since the original.</summary>
    internal IEnumerable<(float[] Row, double Price)> Of(float[] current)
    {
        for (var feature = 0; feature < original.Length; feature++)
        {
            if (!space.Constraints.Mutable[feature] || float.IsNaN(original[feature]))
                continue;
            foreach (var value in Values(feature, current[feature]))
            {
                float[] candidate = [.. current];
                candidate[feature] = (float)Math.Clamp(value, space.Constraints.Lowest(feature), space.Constraints.Highest(feature));
                if (candidate[feature].Equals(current[feature]))
                    continue;
                space.Constraints.Repair(candidate, original);
                space.Encoder.Encode(candidate, 1, _encoded);
                if (reach.Reject(space, candidate, original, _encoded, _encodedOriginal) is null)
                    yield return (candidate, space.Constraints.Cost(candidate, original));
            }
        }
    }

    private IEnumerable<float> Values(int feature, float now)
    {
        var (low, high) = (space.Constraints.Lowest(feature), space.Constraints.Highest(feature));
        switch (space.Encoder.Schema.Features[feature].Kind)
        {
            case FeatureKind.Categorical:
                for (var category = low; category <= high; category++)
                    yield return (float)category;
                break;
            case FeatureKind.Binary:
                yield return 1 - now;
                break;
            case FeatureKind.Integer:
                for (var step = 1.0; step <= high - low; step *= 2)
                {
                    yield return (float)(now + step);
                    yield return (float)(now - step);
                }

                break;
            default:
                for (var (halving, step) = (0, high - low); halving < Halvings; halving++, step /= 2)
                {
                    yield return (float)(now + step);
                    yield return (float)(now - step);
                }

                break;
        }
    }
}
