using Bulwark.Networks;
using Bulwark.Networks.Kernels;
using Bulwark.Privacy;

namespace Bulwark.Benchmarks;

/// <summary>The work that is timed: a 30-128-128-2 network and batches of 512.</summary>
internal static class NetworkContenders
{
    internal const int Batch = 512;
    internal static readonly NetworkShape Shape = new(30, [128, 128], 2);

    internal static Contender Peak()
    {
        const int Turns = 20_000;
        return new("multiply-add peak, registers only", Turns * MultiplyAddPeak.FlopPerTurn / 1e6, () => MultiplyAddPeak.Run(Turns));
    }

    internal static unsafe Contender Product(int rows, int depth, int columns)
    {
        PaddedMatrix<float> left = new(rows, depth), right = new(depth, columns), destination = new(rows, columns);
        var random = new Random(1);
        Fill(left, rows, random);
        Fill(right, depth, random);
        return new($"product {rows}x{depth}x{columns}", 2.0 * rows * depth * columns / 1e6, () => MatrixProduct.Multiply(new ProductArguments<float>
        {
            Left = left.Data,
            LeftRowStride = left.Stride,
            LeftDepthStride = 1,
            Right = right.Data,
            RightStride = right.Stride,
            Destination = destination.Data,
            DestinationStride = destination.Stride,
            Rows = rows,
            Depth = depth,
            Columns = columns,
        }));
    }

    internal static unsafe Contender TransposedProduct(int rows, int depth, int columns)
    {
        PaddedMatrix<float> left = new(depth, rows), right = new(depth, columns), destination = new(rows, columns);
        var random = new Random(1);
        Fill(left, depth, random);
        Fill(right, depth, random);
        return new($"product {rows}x{depth}x{columns}, left transposed", 2.0 * rows * depth * columns / 1e6, () => MatrixProduct.Multiply(new ProductArguments<float>
        {
            Left = left.Data,
            LeftRowStride = 1,
            LeftDepthStride = left.Stride,
            Right = right.Data,
            RightStride = right.Stride,
            Destination = destination.Data,
            DestinationStride = destination.Stride,
            Rows = rows,
            Depth = depth,
            Columns = columns,
        }));
    }

    internal static IEnumerable<Contender> Steps()
    {
        var network = DenseNetwork<float>.Create(Shape, 1);
        var gradients = new NetworkGradients<float>(network, Batch);
        var adam = new AdamOptimizer<float>(network.Parameters.Length);
        var (inputs, labels) = Data();
        var gradient = new float[network.Parameters.Length];
        var inputGradient = new float[inputs.Length];
        var logits = new float[Batch * Shape.Outputs];
        yield return new("training step", TrainingMegaFlop, () =>
        {
            gradients.Backward(inputs, labels, Loss.SoftmaxCrossEntropy, gradient);
            adam.Step(network.Parameters, gradient, 1e-3f);
        });
        yield return new("training step, rows clipped (no noise)", TrainingMegaFlop, () =>
        {
            gradient.AsSpan().Clear();
            gradients.ClippedSum(inputs, labels, Loss.SoftmaxCrossEntropy, 1f, gradient);
            adam.Step(network.Parameters, gradient, 1e-3f);
        });
        var noise = new SecureNoise();
        yield return new("private training step, rows clipped, noise added", TrainingMegaFlop, () =>
        {
            gradient.AsSpan().Clear();
            gradients.ClippedSum(inputs, labels, Loss.SoftmaxCrossEntropy, 1f, gradient);
            noise.AddGaussian(gradient.AsSpan(), 4f);
            adam.Step(network.Parameters, gradient, 1e-3f);
        });
        yield return new("gradient to inputs (attack step)", ForwardMegaFlop * 2, () => gradients.InputGradient(inputs, labels, Loss.SoftmaxCrossEntropy, inputGradient));
        yield return new("forward", ForwardMegaFlop, () => network.Forward(inputs, Batch, logits));
        yield return new("forward, one row", ForwardMegaFlop / Batch, () => network.Forward(inputs.AsSpan(0, Shape.Inputs), 1, logits.AsSpan(0, Shape.Outputs)));
    }

    internal static (float[] Inputs, int[] Labels) Data()
    {
        var random = new Random(2);
        return ([.. Enumerable.Range(0, Batch * Shape.Inputs).Select(_ => random.NextSingle())], [.. Enumerable.Range(0, Batch).Select(_ => random.Next(2))]);
    }

    private static double ForwardMegaFlop => 2.0 * Batch * ((30 * 128) + (128 * 128) + (128 * 2)) / 1e6;

    private static double TrainingMegaFlop => (ForwardMegaFlop * 3) - (2.0 * Batch * 30 * 128 / 1e6);

    private static void Fill(PaddedMatrix<float> matrix, int rows, Random random)
    {
        for (var row = 0; row < rows; row++)
        {
            foreach (ref var value in matrix.Row(row))
                value = random.NextSingle() - 0.5f;
        }
    }
}
