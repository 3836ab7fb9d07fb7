using Bulwark.Networks;

namespace Bulwark.Tests.Networks;

/// <summary>Networks and batches for tests: widths on both sides of every padding boundary.</summary>
public static class Samples
{
    internal static readonly NetworkShape[] Shapes =
    [
        new(1, [], 1),
        new(5, [], 3),
        new(7, [1], 1),
        new(15, [16], 2),
        new(16, [17, 31], 4),
        new(30, [128, 128], 2),
        new(33, [32, 8, 24], 1),
        new(3, [7, 140, 5], 2),
    ];

    public static TheoryData<int, int> ShapesAndRows()
    {
        var data = new TheoryData<int, int>();
        for (var shape = 0; shape < Shapes.Length; shape++)
        {
            foreach (var rows in (int[])[1, 2, 5, 6, 7, 13])
                data.Add(shape, rows);
        }

        return data;
    }

    internal static double[] Inputs(NetworkShape shape, int rows, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows * shape.Inputs).Select(_ => (random.NextDouble() * 2) - 1)];
    }

    internal static int[] Labels(NetworkShape shape, int rows, int seed = 2)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, rows).Select(_ => random.Next(shape.Classes))];
    }

    /// <summary>A network whose biases are not zero either.</summary>
    internal static DenseNetwork<double> Network(NetworkShape shape, ulong seed = 3)
    {
        var network = DenseNetwork<double>.Create(shape, seed);
        var random = new Random((int)seed);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            foreach (ref var bias in network.Biases(layer))
                bias = random.NextDouble() - 0.5;
        }

        return network;
    }

    internal static double[] Logits(DenseNetwork<double> network, double[] inputs)
    {
        var rows = inputs.Length / network.Shape.Inputs;
        var logits = new double[rows * network.Shape.Outputs];
        network.Forward(inputs, rows, logits);
        return logits;
    }

    /// <summary>The definition, by loops.</summary>
    internal static double[] PlainLogits(DenseNetwork<double> network, ReadOnlySpan<double> row)
    {
        var values = row.ToArray();
        for (var layer = 0; layer < network.Shape.Layers; layer++)
        {
            var next = network.Biases(layer).ToArray();
            var weights = network.Weights(layer);
            for (var o = 0; o < next.Length; o++)
            {
                for (var i = 0; i < values.Length; i++)
                    next[o] += values[i] * weights[(i * next.Length) + o];
                if (layer < network.Shape.Layers - 1)
                    next[o] = Math.Max(0, next[o]);
            }

            values = next;
        }

        return values;
    }
}
