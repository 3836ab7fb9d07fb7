using System.Diagnostics;
using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Benchmarks.Robust;

/// <summary>What an adversarial epoch costs over its parts: steps of attack times the price of one, plus the training steps, all in one run on one thread.</summary>
internal static class EpochTable
{
    private const int Batch = 128;
    private const int Repeats = 3;
    private const double Limit = 1.05;

    internal static int Run()
    {
        var convolutional = Random(FashionImages.Shape, 40 * Batch);
        var table = Random(new(63, [128, 64, 32], 3), 320 * Batch);
        Console.WriteLine($"Adversarial epochs beside their parts, batch {Batch}, processor milliseconds, least of {Repeats}, one thread");
        Console.WriteLine();
        Console.WriteLine("| network | steps | images or rows | an attack step of all | a training step of all | steps × attack + training | the epoch | over it | limit |");
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
        var (attack, training, epoch) = (double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity);
        for (var repeat = 0; repeat <= Repeats; repeat++)   // turn by turn: what the machine's other work does to one, it does to all; the first round warms up
        {
            var (oneAttack, oneTraining, oneEpoch) = (Attack(shape, rows), TrainingSteps(shape, rows), Epoch(shape, rows, robust));
            if (repeat > 0)
                (attack, training, epoch) = (Math.Min(attack, oneAttack), Math.Min(training, oneTraining), Math.Min(epoch, oneEpoch));
        }

        var parts = (steps * attack) + training;
        Console.WriteLine(FormattableString.Invariant(
            $"| {name} | {steps} | {rows.Rows} | {attack:F1} | {training:F1} | {parts:F1} | {epoch:F1} | {epoch / parts:F3} | {Limit} ({(epoch <= Limit * parts ? "held" : "MISSED")}) |"));
    }

    /// <summary>One step of ascent for every row: slopes, step, projection; the network's weights are at hand.</summary>
    private static double Attack(NetworkShape shape, EncodedDataset rows)
    {
        var gradients = new NetworkGradients<float>(DenseNetwork<float>.Create(shape, 1), Batch) { ParametersAreFixed = true };
        var slopes = new float[Batch * shape.Inputs];
        var moved = rows.Features.ToArray();
        return Clocked(() =>
        {
            for (var at = 0; at < rows.Rows; at += Batch)
            {
                var place = at * shape.Inputs;
                gradients.InputGradient(moved.AsSpan(place, slopes.Length), rows.Labels.AsSpan(at, Batch), Loss.SoftmaxCrossEntropy, slopes);
                for (var row = 0; row < Batch; row++)
                    AttackStep.Sign(moved.AsSpan(place + (row * shape.Inputs), shape.Inputs), slopes.AsSpan(row * shape.Inputs, shape.Inputs), rows.Row(at + row), 0.01f, 0.1f);
            }
        });
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
