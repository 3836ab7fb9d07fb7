using Bulwark.Models;

namespace Bulwark.Assurance.Audit;

/// <summary>Rows that a schema allows, each value uniform over what is declared: nothing private is in them.</summary>
internal static class MadeUpRows
{
    internal static (float[] Raw, int[] Labels) Of(FeatureSchema schema, int rows, int seed, double positives)
    {
        var random = new Random(seed);
        var (raw, labels) = (new float[rows * schema.Width], new int[rows]);
        for (var row = 0; row < rows; row++)
        {
            labels[row] = random.NextDouble() < positives ? 1 : 0;
            for (var index = 0; index < schema.Width; index++)
                raw[(row * schema.Width) + index] = Value(schema.Features[index], random);
        }

        return (raw, labels);
    }

    private static float Value(Feature feature, Random random) => feature.Kind switch
    {
        FeatureKind.Categorical => random.Next(feature.Categories.Count),
        FeatureKind.Binary => random.Next(2),
        _ => (float)(feature.Minimum!.Value + (random.NextDouble() * (feature.Maximum!.Value - feature.Minimum.Value))),
    };
}
