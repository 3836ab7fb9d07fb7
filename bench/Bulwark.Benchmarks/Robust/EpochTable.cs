using System.Diagnostics;
using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Benchmarks.Robust;

/// <summary>What an adversarial epoch costs over its parts: steps of attack times the price of one, plus the training steps, all in one run on one thread.</summary>
internal static class EpochTable
{
    private const int Batch = 128;
    private const int Rounds = 5;
    private const double Limit = 1.05;

    internal static int Run()
    {
        var convolutional = Random(FashionImages.Shape, 40 * Batch);
        var table = Random(new(63, [128, 64, 32], 3), 320 * Batch);
        Console.WriteLine($"Adversarial epochs beside their parts, batch {Batch}, processor milliseconds, the middle of {Rounds} rounds by what the epoch costs over its parts, one thread");
        Console.WriteLine();
        Console.WriteLine("| network | steps | images or rows | the attack steps of all | a training step of all | both | the epoch | over it | limit |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var (name, shape, rows) in ((string, NetworkShape, EncodedDataset)[])[("small CNN", FashionImages.Shape, convolutional), ("table 63-128-64-32-3", new(63, [128, 64, 32], 3), table)])
        {
            foreach (var steps in (int[])[2, 7])
                Print(name, shape, rows, steps);
        }

        return 0;
    }

    private static void Print(string name, NetworkShape shape, EncodedDataset rows, int steps)
    {
        var robust = new RobustOptions { Epsilon = 0.1, Steps = steps, CleanWeight = 0, OnlyPositives = false };
        var rounds = new List<(double Attack, double Training, double Epoch)>();
        for (var round = 0; round <= Rounds; round++)
        {
            var one = (Attack(shape, rows, steps), TrainingSteps(shape, rows), Epoch(shape, rows, robust));
            if (round > 0)   // the first one warms up
                rounds.Add(one);
        }

        // Round by round, and the middle one: a busy machine slows what is measured together alike, while the least of a short stretch and of a long one are not alike.
        var (attack, training, epoch) = rounds.OrderBy(one => one.Epoch / (one.Attack + one.Training)).ElementAt(Rounds / 2);
        var over = epoch / (attack + training);
        Console.WriteLine(FormattableString.Invariant(
            $"| {name} | {steps} | {rows.Rows} | {attack:F1} | {training:F1} | {attack + training:F1} | {epoch:F1} | {over:F3} | {Limit} ({(over <= Limit ? "held" : "MISSED")}) |"));
    }

    /// <summary>All steps of ascent for every row, batch by batch: slopes, step, projection; the network's weights are at hand.</summary>
    private static double Attack(NetworkShape shape, EncodedDataset rows, int steps)
    {
        var gradients = new NetworkGradients<float>(DenseNetwork<float>.Create(shape, 1), Batch) { ParametersAreFixed = true };
        var slopes = new float[Batch * shape.Inputs];
        var moved = rows.Features.ToArray();
        return Clocked(() =>
        {
            for (var at = 0; at < rows.Rows; at += Batch)
            {
                for (var step = 0; step < steps; step++)
                    Ascend(gradients, rows, at, moved.AsSpan(at * shape.Inputs, slopes.Length), slopes);
            }
        });
    }

    private static void Ascend(NetworkGradients<float> gradients, EncodedDataset rows, int at, Span<float> moved, float[] slopes)
    {
        gradients.InputGradient(moved, rows.Labels.AsSpan(at, Batch), Loss.SoftmaxCrossEntropy, slopes);
        for (var row = 0; row < Batch; row++)
            AttackStep.Sign(moved.Slice(row * rows.Width, rows.Width), slopes.AsSpan(row * rows.Width, rows.Width), rows.Row(at + row), 0.01f, 0.1f);
    }

    /// <summary>One gradient by the parameters and one optimiser step for each batch.</summary>
    private static double TrainingSteps(NetworkShape shape, EncodedDataset rows)
    {
        var network = DenseNetwork<float>.Create(shape, 1);
        var (gradients, optimizer, gradient) = (new NetworkGradients<float>(network, Batch), new AdamOptimizer<float>(network.Parameters.Length), new float[network.Parameters.Length]);
        return Clocked(() =>
        {
            for (var at = 0; at < rows.Rows; at += Batch)
            {
                gradients.Backward(rows.Features.AsSpan(at * shape.Inputs, Batch * shape.Inputs), rows.Labels.AsSpan(at, Batch), Loss.SoftmaxCrossEntropy, gradient);
                optimizer.Step(network.Parameters, gradient, 1e-4f);
            }
        });
    }

    private static double Epoch(NetworkShape shape, EncodedDataset rows, RobustOptions robust)
    {
        var options = new TrainingOptions { Convolutions = shape.Convolutions, Hidden = shape.Hidden, Classes = shape.Outputs, Epochs = 1, BatchSize = Batch, KeepBest = false, LearningRate = 1e-4, WeightDecay = 0, Robust = robust };
        return Clocked(() => Trainer.Train(rows, null, options));
    }

    private static double Clocked(Action work)
    {
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        work();
        return (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds;
    }

    /// <summary>Values do not matter to what a step costs.</summary>
    private static EncodedDataset Random(NetworkShape shape, int rows)
    {
        var random = new Random(2);
        return new([.. Enumerable.Range(0, rows * shape.Inputs).Select(_ => random.NextSingle())], shape.Inputs, [.. Enumerable.Range(0, rows).Select(_ => random.Next(shape.Outputs))]);
    }
}
