using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>A network of our own, trained on a model's answers; attacks on it are tried on the model.</summary>
/// <remarks>Source: Papernot et al., "Practical Black-Box Attacks against Machine Learning", ASIA CCS 2017 (arXiv:1602.02697).</remarks>
internal static class Surrogate
{
    private const int Copies = 3;
    private const int Epochs = 15;
    private const int BatchRows = 64;

    /// <summary>Points that fool the surrogate, for each row of the task.</summary>
    internal static float[] Attack(SuiteTask task, bool robust = false)
    {
        var network = Train(task, robust);
        var points = new float[task.Points.Length];
        new AutoProjectedGradientDescent { Norm = task.Reach.Norm, Epsilon = task.Reach.Epsilon, Steps = int.Min(task.Options.Steps, 50), Loss = Loss.Margin, Seed = task.Options.Seed }
            .Run(network, task.Points, task.Labels, task.Target.Mutable, points);
        return points;
    }

    /// <summary>Trained on the answers to the task's points and to copies with noise.</summary>
    internal static DenseNetwork<float> Train(SuiteTask task, bool robust)
    {
        var (target, inputs, rows) = (task.Target, task.Target.Inputs, task.Labels.Length);
        var points = new float[rows * (Copies + 1) * inputs];
        var labels = new int[rows * (Copies + 1)];
        for (var copy = 0; copy <= Copies; copy++)
        {
            var slice = points.AsSpan(copy * rows * inputs, rows * inputs);
            task.Points.CopyTo(slice);
            if (copy > 0)
                RandomStarts.Scatter(new PerturbationBall<float>(task.Reach.Norm, (float)task.Reach.Epsilon, target.Mutable), task.Points, slice, inputs, task.Options.Seed + (ulong)copy);
            var scores = new float[rows * target.Classes];
            target.Score(target.Send(slice.ToArray(), task.Rows), rows, scores);
            for (var row = 0; row < rows; row++)
                labels[(copy * rows) + row] = Scores.Class(scores.AsSpan(row * target.Classes, target.Classes));
        }

        var network = DenseNetwork<float>.Create(new(inputs, [64, 32], target.Classes), task.Options.Seed);
        var (optimizer, gradients, gradient) = (new AdamOptimizer<float>(network.Parameters.Length), new NetworkGradients<float>(network, BatchRows), new float[network.Parameters.Length]);
        var draws = new SeededDraws(task.Options.Seed);
        int[] order = [.. Enumerable.Range(0, labels.Length)];
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            for (var k = 0; k < order.Length; k++)
            {
                var swap = k + draws.Below(order.Length - k);
                (order[k], order[swap]) = (order[swap], order[k]);
            }

            for (var at = 0; at < order.Length; at += BatchRows)
            {
                int[] batch = order[at..int.Min(order.Length, at + BatchRows)];
                float[] x = [.. batch.SelectMany(row => points[(row * inputs)..((row + 1) * inputs)])];
                int[] y = [.. batch.Select(row => labels[row])];
                if (robust)
                    new ProjectedGradientDescent { Norm = task.Reach.Norm, Epsilon = task.Reach.Epsilon, Steps = 2, RandomStart = true, Seed = (ulong)epoch }.Run(network, [.. x], y, target.Mutable, x);
                gradients.Backward(x, y, Loss.SoftmaxCrossEntropy, gradient);
                optimizer.Step(network.Parameters, gradient, 2e-3f);
            }
        }

        return network;
    }
}
