using System.Security.Cryptography;

namespace Bulwark.Models;

/// <summary>Whether two models give the same scores.</summary>
public static class ModelEquality
{
    /// <summary>The largest difference between the two models' probabilities on <paramref name="rows"/> rows.</summary>
    /// <param name="one">A model.</param>
    /// <param name="other">A model of the same width and classes.</param>
    /// <param name="rawRows">Shape (rows, width), row-major.</param>
    /// <param name="rows">How many rows, at least 1.</param>
    /// <exception cref="ArgumentException">The models have other widths or classes.</exception>
    public static double LargestDifference(IScorer one, IScorer other, ReadOnlySpan<float> rawRows, int rows)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        if (one.Width != other.Width || one.Classes != other.Classes)
            throw new ArgumentException($"The models take {one.Width} and {other.Width} features and give {one.Classes} and {other.Classes} scores.", nameof(other));
        float[] left = new float[rows * one.Classes], right = new float[rows * one.Classes];
        one.Score(rawRows, rows, left);
        other.Score(rawRows, rows, right);
        return left.Zip(right, (a, b) => Math.Abs((double)a - b)).Max();
    }

    /// <summary>Made-up rows: within the schema's bounds and categories, a hundredth of the values missing; without a schema between -4 and 4.</summary>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="schema">What the numbers are; null where that is not known.</param>
    /// <param name="rows">How many.</param>
    public static float[] MadeUpRows(int width, FeatureSchema? schema, int rows)
    {
        var random = new Random(RandomNumberGenerator.GetInt32(int.MaxValue));
        var values = new float[width * rows];
        for (var i = 0; i < values.Length; i++)
            values[i] = Value(schema?.Features[i % width], random);
        return values;
    }

    private static float Value(Feature? feature, Random random)
    {
        if (feature is not null && random.Next(100) == 0)
            return float.NaN;
        return feature switch
        {
            null => (float)((random.NextDouble() * 8) - 4),
            { Kind: FeatureKind.Binary } => random.Next(2),
            { Kind: FeatureKind.Categorical } => random.Next(feature.Categories.Count),
            { Kind: FeatureKind.Integer } => MathF.Round((float)(feature.Minimum!.Value + (random.NextDouble() * (feature.Maximum!.Value - feature.Minimum.Value)))),
            _ => (float)(feature.Minimum!.Value + (random.NextDouble() * (feature.Maximum!.Value - feature.Minimum.Value))),
        };
    }
}
