using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>A small network trained on a model's answers, given as one probability a class.</summary>
internal static class Student
{
    private const int BatchRows = 64;
    private const int FewestSteps = 800;
    private const int MostSteps = 4000;
    private const int Epochs = 30;
    private const float Rate = 2e-3f;

    /// <summary>Trains on soft answers: the log loss against the answered probabilities.</summary>
    /// <param name="points">Shape (rows, inputs).</param>
    /// <param name="answers">Shape (rows, classes): probabilities; for labels 0 and 1.</param>
    /// <param name="inputs">Numbers in a point.</param>
    /// <param name="classes">At least 2.</param>
    /// <param name="hidden">Widths.</param>
    /// <param name="seed">Names weights and batches.</param>
    internal static DenseNetwork<float> Train(float[] points, float[] answers, int inputs, int classes, IReadOnlyList<int> hidden, ulong seed)
    {
        var rows = answers.Length / classes;
        var network = DenseNetwork<float>.Create(new(inputs, hidden, classes), seed);
        if (rows == 0)
            return network;
        var (gradients, gradient) = (new NetworkGradients<float>(network, BatchRows), new float[network.Parameters.Length]);
        var (optimizer, draws) = (new AdamOptimizer<float>(gradient.Length), new SeededDraws(seed));
        int[] order = [.. Enumerable.Range(0, rows)];
        var perEpoch = (rows + BatchRows - 1) / BatchRows;
        var steps = int.Clamp(perEpoch * Epochs, FewestSteps, MostSteps);
        var (batch, slopes) = (new float[BatchRows * inputs], new float[BatchRows * classes]);
        for (var (step, at) = (0, rows); step < steps; step++)
        {
            if (at >= rows)
            {
                Shuffle(order, draws);
                at = 0;
            }

            var count = int.Min(BatchRows, rows - at);
            for (var i = 0; i < count; i++)
                points.AsSpan(order[at + i] * inputs, inputs).CopyTo(batch.AsSpan(i * inputs));
            var logits = gradients.Forward(batch.AsSpan(0, count * inputs), count);
            for (var i = 0; i < count; i++)
                Slope(logits.Slice(i * classes, classes), answers.AsSpan(order[at + i] * classes, classes), slopes.AsSpan(i * classes, classes), 1f / count);
            gradient.AsSpan().Clear();
            gradients.BackwardToParameters(slopes.AsSpan(0, count * classes), gradient);
            optimizer.Step(network.Parameters, gradient, Rate * (1 - ((float)step / steps)));
            at += count;
        }

        return network;
    }

    /// <summary>The class of each point.</summary>
    internal static int[] Classes(DenseNetwork<float> network, float[] points)
    {
        var (rows, outputs) = (points.Length / network.Shape.Inputs, network.Shape.Outputs);
        var logits = new float[rows * outputs];
        network.Forward(points, rows, logits);
        return [.. Enumerable.Range(0, rows).Select(row => Scores.Class(logits.AsSpan(row * outputs, outputs)))];
    }

    /// <summary>Softmax in place.</summary>
    internal static void ToProbabilities(Span<float> logits)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in logits)
            largest = float.Max(largest, logit);
        var sum = 0f;
        for (var k = 0; k < logits.Length; k++)
            sum += logits[k] = MathF.Exp(logits[k] - largest);
        for (var k = 0; k < logits.Length; k++)
            logits[k] /= sum;
    }

    internal static void Shuffle(int[] order, SeededDraws draws)
    {
        for (var k = 0; k < order.Length; k++)
        {
            var swap = k + draws.Below(order.Length - k);
            (order[k], order[swap]) = (order[swap], order[k]);
        }
    }

    private static void Slope(ReadOnlySpan<float> logits, ReadOnlySpan<float> answer, Span<float> slope, float weight)
    {
        logits.CopyTo(slope);
        ToProbabilities(slope);
        for (var k = 0; k < slope.Length; k++)
            slope[k] = (slope[k] - answer[k]) * weight;
    }
}
