namespace Bulwark.Assurance;

/// <summary>A model that answers with one score a class: what attacks without gradients ask.</summary>
public interface IQueriedModel
{
    /// <summary>Numbers in a row.</summary>
    int Inputs { get; }

    /// <summary>Classes, at least 2.</summary>
    int Classes { get; }

    /// <summary>Scores rows.</summary>
    /// <param name="points">Shape (rows, <see cref="Inputs"/>), values in [0, 1].</param>
    /// <param name="rows">How many.</param>
    /// <param name="scores">Shape (rows, <see cref="Classes"/>); overwritten: logits or probabilities, the largest is the class.</param>
    void Score(ReadOnlySpan<float> points, int rows, Span<float> scores);
}

/// <summary>A differentiable model, asked for its scores only; one logit z becomes the scores 0 and z.</summary>
internal sealed class QueriedNetwork(IDifferentiableModel<float> model) : IQueriedModel
{
    public int Inputs => model.Inputs;

    public int Classes => int.Max(2, model.Outputs);

    public void Score(ReadOnlySpan<float> points, int rows, Span<float> scores)
    {
        for (var at = 0; at < rows; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, rows - at);
            var logits = model.Forward(points.Slice(at * Inputs, count * Inputs), count);
            if (model.Outputs > 1)
            {
                logits.CopyTo(scores[(at * Classes)..]);
                continue;
            }

            for (var row = 0; row < count; row++)
                (scores[(at + row) * 2], scores[((at + row) * 2) + 1]) = (0, logits[row]);
        }
    }
}

/// <summary>What a row of scores says.</summary>
internal static class Scores
{
    /// <summary>Best wrong score minus the right one: above 0 when misclassified; a score that is no number counts as misclassified.</summary>
    internal static float Margin(ReadOnlySpan<float> scores, int label)
    {
        var rival = float.NegativeInfinity;
        for (var k = 0; k < scores.Length; k++)
        {
            if (float.IsNaN(scores[k]))
                return float.PositiveInfinity;
            if (k != label)
                rival = float.Max(rival, scores[k]);
        }

        return rival - scores[label];
    }

    /// <summary>The class: the first of the largest.</summary>
    internal static int Class(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var k = 1; k < scores.Length; k++)
            best = scores[k] > scores[best] ? k : best;
        return best;
    }
}
