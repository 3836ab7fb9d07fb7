using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Tests.Models;

/// <summary>Schemas, networks and rows that use every kind of feature.</summary>
internal static class ModelSamples
{
    internal static readonly FeatureSchema Schema = new()
    {
        Label = "fraud",
        PositiveLabel = "yes",
        NegativeLabel = "no",
        Features =
        [
            new Feature { Name = "country", Kind = FeatureKind.Categorical, Categories = ["DE", "FR", "IT"], Missing = MissingPolicy.Indicator },
            new Feature { Name = "amount", Minimum = 0, Maximum = 5000, Scaling = Scaling.Log, Mutable = true, Missing = MissingPolicy.Indicator },
            new Feature { Name = "hour", Kind = FeatureKind.Integer, Minimum = 0, Maximum = 23, Mutable = true },
            new Feature { Name = "night", Kind = FeatureKind.Binary, Missing = MissingPolicy.Indicator },
            new Feature { Name = "balance", Minimum = -1e5, Maximum = 1e5, Scaling = Scaling.Log },
            new Feature { Name = "share", Minimum = 0.1, Maximum = 0.9, Scaling = Scaling.None },
            new Feature { Name = "age", Kind = FeatureKind.Integer, Minimum = 17, Maximum = 90, Bins = [24.5, 40.5, 65.5], Missing = MissingPolicy.Indicator },
            new Feature { Name = "device", Kind = FeatureKind.Categorical, Categories = ["phone", "web"] },
        ],
    };

    internal static DenseNetwork<float> Network(FeatureSchema schema, int outputs, params int[] hidden) =>
        DenseNetwork<float>.Create(new NetworkShape(new FeatureEncoder(schema).EncodedWidth, hidden, outputs), seed: 11);

    /// <summary>Rows within bounds, out of bounds, unknown, missing and infinite.</summary>
    internal static float[] Rows(FeatureSchema schema, int rows, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).SelectMany(_ => schema.Features.Select(feature => Value(feature, random)))];
    }

    private static float Value(Feature feature, Random random)
    {
        switch (random.Next(12))
        {
            case 0: return float.NaN;
            case 1: return random.Next(2) == 0 ? float.PositiveInfinity : float.NegativeInfinity;
            case 2: return (random.NextSingle() - 0.5f) * 1e7f;
            case 3: return -1;
        }

        return feature.Kind switch
        {
            FeatureKind.Categorical => random.Next(feature.Categories.Count + 1),
            FeatureKind.Binary => random.Next(2),
            FeatureKind.Integer => random.Next((int)feature.Minimum!, (int)feature.Maximum! + 1),
            _ => (float)(feature.Minimum!.Value + (random.NextDouble() * (feature.Maximum!.Value - feature.Minimum.Value))),
        };
    }
}
