using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>A model under the suite: rows as they are sent, points of the space that distance is measured in, and the model's own answer to what is sent.</summary>
internal abstract class SuiteTarget
{
    /// <summary>Numbers in a row as it is sent.</summary>
    internal abstract int Width { get; }

    /// <summary>Numbers in a point.</summary>
    internal abstract int Inputs { get; }

    internal abstract int Classes { get; }

    /// <summary>Gradients at points, decision as the model's; null when only questions are possible.</summary>
    internal abstract IDifferentiableModel<float>? Gradients { get; }

    /// <summary>Columns of a point that may move; empty for all.</summary>
    internal abstract bool[] Mutable { get; }

    /// <summary>What in the model's file makes an evaluation doubtful: operators of randomness, training mode or inner optimisation.</summary>
    internal IReadOnlyList<SuspectOperator> Suspects { get; init; } = [];

    /// <summary>For squares: planes, lines, pixels in a line; null when rows are no images.</summary>
    internal (int Channels, int Height, int Width)? Image { get; init; }

    /// <summary>The points of rows.</summary>
    internal abstract float[] Points(float[] rows);

    /// <summary>Rows that would be sent for moved points of the given rows.</summary>
    internal abstract float[] Send(float[] points, float[] rows);

    /// <summary>Null when a row can be sent in place of another at that distance, else why not.</summary>
    internal abstract string? Reject(TabularReach reach, ReadOnlySpan<float> sent, ReadOnlySpan<float> row);

    /// <summary>The model's own answer: one score a class.</summary>
    internal abstract void Score(ReadOnlySpan<float> sent, int rows, Span<float> scores);

    /// <summary>Which rows the model, asked now, gets wrong.</summary>
    internal bool[] Wrong(ReadOnlySpan<float> sent, ReadOnlySpan<int> labels)
    {
        var scores = new float[labels.Length * Classes];
        Score(sent, labels.Length, scores);
        var wrong = new bool[labels.Length];
        for (var row = 0; row < wrong.Length; row++)
        {
            var one = scores.AsSpan(row * Classes, Classes);
            wrong[row] = Scores.Class(one) != labels[row] || float.IsPositiveInfinity(Scores.Margin(one, labels[row]));
        }

        return wrong;
    }
}

/// <summary>An operator of a model's file that makes an evaluation doubtful.</summary>
/// <param name="Flag">F6 for randomness, F7 for inner optimisation, F12 for training mode.</param>
/// <param name="Operator">Its name.</param>
internal sealed record SuspectOperator(string Flag, string Operator);

/// <summary>A binary model of tabular rows: schema, constraints, a scorer, and the network inside where there is one.</summary>
internal sealed class TabularTarget : SuiteTarget
{
    private readonly ScoredRows _rows;

    internal TabularTarget(IScorer scorer, TabularSpace space, IDifferentiableModel<float>? network, double threshold = 0.5)
    {
        if (scorer.Classes != 1)
            throw new ArgumentException($"Tabular attacks are for binary models; this one has {scorer.Classes} classes.", nameof(scorer));
        Space = space;
        _rows = new(scorer, threshold);
        Gradients = network is null ? null : new ThresholdModel(network, threshold);
        Mutable = space.MutableColumns.ToArray();
    }

    private TabularTarget(TabularTarget other, TabularSpace space) =>
        (Space, _rows, Gradients, Donors, Mutable) = (space, other._rows, other.Gradients, other.Donors, space.MutableColumns.ToArray());

    internal TabularSpace Space { get; }

    internal RowModel Rows => _rows;

    /// <summary>Rows of class 0 and of class 1 whose values the search tries.</summary>
    internal (float[] Negative, float[] Positive) Donors { get; init; } = ([], []);

    /// <summary>The same model where only numbers move that gradients can follow.</summary>
    internal TabularTarget Smooth() => new(this, new TabularSpace(Space.Encoder, Space.Constraints.Smooth()));

    internal override int Width => Space.Encoder.Width;

    internal override int Inputs => Space.Encoder.EncodedWidth;

    internal override int Classes => 2;

    internal override IDifferentiableModel<float>? Gradients { get; }

    internal override bool[] Mutable { get; }

    internal override float[] Points(float[] rows) => Space.Encoder.Encode(rows);

    internal override float[] Send(float[] points, float[] rows)
    {
        var (sent, encoded) = (new float[rows.Length], Points(rows));
        for (var row = 0; row < rows.Length / Width; row++)
            Space.Decode(points.AsSpan(row * Inputs, Inputs), encoded.AsSpan(row * Inputs, Inputs), rows.AsSpan(row * Width, Width), sent.AsSpan(row * Width, Width));
        return sent;
    }

    internal override string? Reject(TabularReach reach, ReadOnlySpan<float> sent, ReadOnlySpan<float> row) =>
        reach.Reject(Space, sent, row, Space.Encoder.Encode(sent), Space.Encoder.Encode(row));

    internal override void Score(ReadOnlySpan<float> sent, int rows, Span<float> scores)
    {
        var leads = new float[rows];
        _rows.Lead(sent, rows, leads);
        for (var row = 0; row < rows; row++)
            (scores[row * 2], scores[(row * 2) + 1]) = leads[row] >= 0 ? (-1e-30f, leads[row]) : (0, leads[row]);
    }
}

/// <summary>A model of numbers in [0, 1], images above all, of any number of classes.</summary>
internal sealed class PointTarget(IQueriedModel answers, IDifferentiableModel<float>? gradients) : SuiteTarget
{
    internal override int Width => answers.Inputs;

    internal override int Inputs => answers.Inputs;

    internal override int Classes => answers.Classes;

    internal override IDifferentiableModel<float>? Gradients => gradients;

    internal override bool[] Mutable => [];

    internal override float[] Points(float[] rows) => rows;

    internal override float[] Send(float[] points, float[] rows) => points;

    internal override string? Reject(TabularReach reach, ReadOnlySpan<float> sent, ReadOnlySpan<float> row)
    {
        foreach (var value in sent)
        {
            if (!(value is >= 0 and <= 1))
                return $"{value} is outside 0 to 1";
        }

        var distance = PerturbationBall<float>.Distance(reach.Norm, sent, row);
        return distance <= reach.Epsilon + TabularReach.Tolerance ? null : $"{reach.Norm} distance {distance} is above {reach.Epsilon}";
    }

    internal override void Score(ReadOnlySpan<float> sent, int rows, Span<float> scores) => answers.Score(sent, rows, scores);
}
