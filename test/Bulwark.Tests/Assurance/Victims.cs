using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

/// <summary>Small models to attack: positive when amount and count together are high.</summary>
internal static class Victims
{
    internal static readonly FeatureSchema Schema = new()
    {
        Label = "fraud",
        Features =
        [
            new() { Name = "amount", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 1000, Mutable = true },
            new() { Name = "count", Kind = FeatureKind.Integer, Minimum = 0, Maximum = 20, Mutable = true },
            new() { Name = "age", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 100 },
        ],
    };

    internal static FeatureEncoder Encoder => new(Schema);

    /// <summary>One logit: steepness · (amount + count - 1 + age / 1000), in encoded values.</summary>
    internal static DenseNetwork<float> Network(float steepness = 20)
    {
        var network = new DenseNetwork<float>(new(3, [], 1));
        network.Weights(0)[0] = steepness;
        network.Weights(0)[1] = steepness;
        network.Weights(0)[2] = steepness / 1000;
        network.Biases(0)[0] = -steepness;
        return network;
    }

    internal static NetworkScorer Scorer(float steepness = 20) => new(Schema, Network(steepness));

    /// <summary>Rows around the boundary, labelled by the model itself: clean accuracy is 1.</summary>
    internal static (float[] Raw, int[] Labels) Rows(int rows = 200, int seed = 5)
    {
        var random = new Random(seed);
        float[] raw = [.. Enumerable.Range(0, rows).SelectMany(_ => new[] { random.NextSingle() * 1000, random.Next(0, 21), random.Next(18, 90) })];
        var scores = new float[rows];
        using var scorer = Scorer();
        scorer.Score(raw, rows, scores);
        return (raw, [.. scores.Select(score => score >= 0.5 ? 1 : 0)]);
    }
}

/// <summary>A scorer with a planted defect.</summary>
internal sealed class BentScorer(IScorer inner, Func<float[], float[], float[]> bend) : IScorer
{
    public int Width => inner.Width;

    public int Classes => inner.Classes;

    public void Score(ReadOnlySpan<float> rawRows, int rows, Span<float> probabilities)
    {
        inner.Score(rawRows, rows, probabilities);
        bend(rawRows.ToArray(), probabilities.ToArray()).CopyTo(probabilities);
    }

    public void Dispose() => inner.Dispose();
}
