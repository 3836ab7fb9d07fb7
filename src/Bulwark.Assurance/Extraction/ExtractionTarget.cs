using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>A model that can be asked, and what an attacker knows of its inputs.</summary>
internal abstract class ExtractionTarget
{
    /// <summary>Numbers in a point, which the copy reads.</summary>
    internal abstract int Inputs { get; }

    internal abstract int Classes { get; }

    /// <summary>Rows of the same kind, unlabelled, that the attacker holds: shape (rows, Inputs).</summary>
    internal float[] Pool { get; init; } = [];

    /// <summary>A point of which the attacker knows nothing but the inputs' types and bounds.</summary>
    internal abstract void Blind(SeededDraws draws, Span<float> point);

    /// <summary>Asks about points; each is replaced by that of the row that was really sent.</summary>
    /// <param name="points">Shape (rows, Inputs).</param>
    /// <returns>Shape (rows, Classes): probabilities.</returns>
    internal abstract float[] Ask(float[] points);
}

/// <summary>A model of tabular rows: what is asked are rows that its schema allows, every value the attacker's to choose. A missing value is asked as what it is encoded to.</summary>
internal sealed class TabularExtraction : ExtractionTarget
{
    private const int BatchRows = 1024;
    private readonly IScorer _scorer;
    private readonly FeatureSchema _schema;
    private readonly TabularSpace _space;

    internal TabularExtraction(IScorer scorer, FeatureSchema schema)
    {
        // Numbers without bins: the copy has an encoding of its own, which can be taken back.
        _schema = schema with { Features = [.. schema.Features.Select(feature => feature with { Mutable = true, Bins = [] })] };
        (_scorer, _space) = (scorer, new(new(_schema), TabularConstraints.None.Compile(_schema)));
    }

    internal override int Inputs => _space.Encoder.EncodedWidth;

    internal override int Classes => int.Max(2, _scorer.Classes);

    /// <summary>Points of raw rows, for the pool and for held-out rows.</summary>
    internal float[] Points(ReadOnlySpan<float> raw) => _space.Encoder.Encode(raw);

    internal override void Blind(SeededDraws draws, Span<float> point)
    {
        var raw = new float[_schema.Width];
        for (var j = 0; j < raw.Length; j++)
            raw[j] = Blind(draws, _schema.Features[j]);
        _space.Encoder.Encode(raw, 1, point);
    }

    internal override float[] Ask(float[] points)
    {
        var (rows, width) = (points.Length / Inputs, _schema.Width);
        var raw = new float[rows * width];
        float[] blank = [.. _schema.Features.Select(feature => (float)Low(feature))];
        var encodedBlank = _space.Encoder.Encode(blank);
        for (var row = 0; row < rows; row++)
            _space.Decode(points.AsSpan(row * Inputs, Inputs), encodedBlank, blank, raw.AsSpan(row * width, width));
        _space.Encoder.Encode(raw).CopyTo(points, 0);
        var answers = new float[rows * Classes];
        for (var at = 0; at < rows; at += BatchRows)
        {
            var count = int.Min(BatchRows, rows - at);
            var scores = _scorer.Classes > 1 ? answers.AsSpan(at * Classes, count * Classes) : new float[count];
            _scorer.Score(raw.AsSpan(at * width, count * width), count, scores);
            for (var row = 0; _scorer.Classes == 1 && row < count; row++)
                (answers[(at + row) * 2], answers[((at + row) * 2) + 1]) = (1 - scores[row], scores[row]);
        }

        return answers;
    }

    private static float Blind(SeededDraws draws, Feature feature) => feature.Kind switch
    {
        FeatureKind.Categorical => draws.Below(int.Max(1, feature.Categories.Count)),
        FeatureKind.Binary => draws.Below(2),
        FeatureKind.Integer => (float)Math.Round(Low(feature) + (draws.Uniform() * (High(feature) - Low(feature)))),
        _ => (float)(Low(feature) + (draws.Uniform() * (High(feature) - Low(feature)))),
    };

    private static double Low(Feature feature) => feature.Kind is FeatureKind.Categorical or FeatureKind.Binary ? 0 : feature.Minimum ?? 0;

    private static double High(Feature feature) => feature.Kind is FeatureKind.Binary ? 1 : feature.Maximum ?? 1;
}

/// <summary>A model of numbers in [0, 1]; logits become probabilities.</summary>
internal sealed class PointExtraction(IQueriedModel model, bool logits) : ExtractionTarget
{
    internal override int Inputs => model.Inputs;

    internal override int Classes => model.Classes;

    internal override void Blind(SeededDraws draws, Span<float> point)
    {
        for (var j = 0; j < point.Length; j++)
            point[j] = (float)draws.Uniform();
    }

    internal override float[] Ask(float[] points)
    {
        var rows = points.Length / Inputs;
        for (var i = 0; i < points.Length; i++)
            points[i] = float.Clamp(points[i], 0, 1);
        var answers = new float[rows * Classes];
        model.Score(points, rows, answers);
        for (var row = 0; logits && row < rows; row++)
            Student.ToProbabilities(answers.AsSpan(row * Classes, Classes));
        return answers;
    }
}
