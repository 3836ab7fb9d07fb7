using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Training;

namespace Bulwark.Cli.Serving;

/// <summary>Rows to send to a gateway: one that it must score and some that it must refuse, whatever the features are.</summary>
internal sealed class ServedRows(Dataset test, InputScreen inputScreen)
{
    private readonly FeatureEncoder _encoder = new(test.Schema);

    /// <summary>The first negative test row that the model's input screen lets through: a share of them it refuses by its very calibration.</summary>
    internal float[] Ordinary()
    {
        for (var i = 0; i < test.Rows; i++)
        {
            var row = test.Row(i).ToArray();
            if (test.Labels[i] == 0 && Check(row).IsAccepted)
                return row;
        }

        throw new InvalidDataException("The input screen refuses every negative test row: there is nothing to serve.");
    }

    /// <summary>An ordinary row with one value that its feature cannot have, and the reason that must be named.</summary>
    internal (float[] Row, string Reason) OutOfBounds()
    {
        var features = test.Schema.Features.ToList();
        var index = Math.Max(0, features.FindIndex(feature => feature.Kind is FeatureKind.Numeric or FeatureKind.Integer));
        var row = Ordinary();
        row[index] = float.MaxValue;
        return (row, features[index].Kind switch { FeatureKind.Categorical => "unknown-category", FeatureKind.Binary => "not-integer", _ => "out-of-bounds" });
    }

    /// <summary>A row whose every value is allowed and whose combination nobody makes, and what it is refused as; null where even the extremes lie near the training data and keep its relations.</summary>
    internal (float[] Row, string Reason)? Outlier()
    {
        float[][] extremes =
        [
            Row((feature, i) => i % 2 == 0 ? Highest(feature) : Lowest(feature)), Row((feature, i) => i % 2 == 1 ? Highest(feature) : Lowest(feature)),
            Row((feature, _) => Highest(feature)), Row((feature, _) => Lowest(feature)), Row((_, _) => float.NaN),
        ];
        foreach (var outcome in (ScreenOutcome[])[ScreenOutcome.Outlier, ScreenOutcome.RelationBroken])
        {
            if (extremes.Where(row => Check(row).Outcome == outcome).MaxBy(row => Check(row).Distance) is { } found)
                return (found, Check(found).Reason);
        }

        return null;
    }

    private ScreenVerdict Check(float[] row) => inputScreen.Check(row, _encoder.Encode(row));

    private float[] Row(Func<Feature, int, float> value) => [.. test.Schema.Features.Select(value)];

    private static float Highest(Feature feature) => (float)(feature.Maximum ?? (feature.Kind == FeatureKind.Categorical ? feature.Categories.Count - 1 : 1));

    private static float Lowest(Feature feature) => (float)(feature.Minimum ?? 0);
}
