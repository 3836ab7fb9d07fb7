using Bulwark.Networks;

namespace Bulwark.Tests.Networks;

public class ConvolutionTests
{
    /// <summary>Strides that divide the kernel and do not, with and without padding, channels on both sides of a vector, images that the windows do not cover.</summary>
    private static readonly ConvolutionStack[] s_stacks =
    [
        new(new(1, 8, 8), [new(8, 4, 2, 1), new(8, 4, 2, 1)]),
        new(new(1, 5, 6), [new(3, 3)]),
        new(new(3, 7, 5), [new(17, 3, 1, 1), new(5, 2, 2)]),
        new(new(2, 9, 8), [new(4, 3, 2, 2), new(16, 3, 1, 1), new(2, 1)]),
        new(new(1, 10, 10), [new(33, 5, 3, 0)]),
    ];

    public static TheoryData<int, int> StacksAndRows()
    {
        var data = new TheoryData<int, int>();
        for (var stack = 0; stack < s_stacks.Length; stack++)
        {
            foreach (var rows in (int[])[1, 5, 6, 8])
                data.Add(stack, rows);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(StacksAndRows))]
    public void Logits_are_those_of_the_definition(int stack, int rows)
    {
        var network = Network(stack);
        var inputs = Samples.Inputs(network.Shape, rows);
        var logits = Samples.Logits(network, inputs);
        var kept = new NetworkGradients<double>(network, rows + 2).Forward(inputs, rows).ToArray();
        Assert.Equal(logits, kept);
        for (var row = 0; row < rows; row++)
        {
            var expected = Definition(network, inputs.AsSpan(row * network.Shape.Inputs, network.Shape.Inputs));
            for (var k = 0; k < expected.Length; k++)
                Assert.Equal(expected[k], logits[(row * expected.Length) + k], 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(StacksAndRows))]
    public void Gradients_are_difference_quotients(int stack, int rows)
    {
        var network = Network(stack);
        var (inputs, labels) = (Samples.Inputs(network.Shape, rows), Samples.Labels(network.Shape, rows));
        var gradients = new NetworkGradients<double>(network, rows);
        var (byInputs, byParameters) = (new double[inputs.Length], new double[network.Parameters.Length]);
        gradients.InputGradient(inputs, labels, Loss.SoftmaxCrossEntropy, byInputs);
        gradients.Backward(inputs, labels, Loss.SoftmaxCrossEntropy, byParameters);
        var random = new Random(4);
        for (var probe = 0; probe < 40; probe++)
        {
            var (input, parameter) = (random.Next(inputs.Length), probe < 20 ? random.Next(network.Shape.Convolutions!.ParameterCount) : random.Next(byParameters.Length));
            Assert.Equal(Quotient(network, inputs, labels, inputs, input) * rows, byInputs[input], 1e-6);
            Assert.Equal(Quotient(network, inputs, labels, network.Parameters, parameter), byParameters[parameter], 1e-6);
        }
    }

    [Fact]
    public void Parameters_gradient_after_a_forward_pass_is_that_of_the_loss()
    {
        var network = Network(2);
        var (inputs, labels) = (Samples.Inputs(network.Shape, 7), Samples.Labels(network.Shape, 7));
        var gradients = new NetworkGradients<double>(network, 7);
        var expected = new double[network.Parameters.Length];
        gradients.Backward(inputs, labels, Loss.SoftmaxCrossEntropy, expected);
        var logits = gradients.Forward(inputs, 7);
        var slopes = new double[logits.Length];
        LossFunction.Evaluate(Loss.SoftmaxCrossEntropy, logits, labels, network.Shape.Outputs, [], slopes);
        var sum = new double[expected.Length];
        gradients.BackwardToParameters(slopes, sum);
        for (var i = 0; i < sum.Length; i++)
            Assert.Equal(expected[i], sum[i] / 7, 1e-12);
    }

    [Fact]
    public void A_row_has_the_same_logits_in_every_batch()
    {
        var network = Network(3).ToSingle();
        float[] inputs = [.. Samples.Inputs(network.Shape, 250).Select(value => (float)value)];
        var outputs = network.Shape.Outputs;
        var together = new float[250 * outputs];
        network.Forward(inputs, 250, together);
        foreach (var row in (int[])[0, 5, 6, 131, 132, 239, 249])
        {
            var alone = new float[outputs];
            network.Forward(inputs.AsSpan(row * network.Shape.Inputs, network.Shape.Inputs), 1, alone);
            Assert.Equal(together.AsSpan(row * outputs, outputs).ToArray(), alone);
        }
    }

    [Fact]
    public void Batches_beyond_one_slice_sum_up()
    {
        var network = Network(0);
        const int Rows = 140;
        var (inputs, labels) = (Samples.Inputs(network.Shape, Rows), Samples.Labels(network.Shape, Rows));
        var (whole, sum, part) = (new double[network.Parameters.Length], new double[network.Parameters.Length], new double[network.Parameters.Length]);
        var gradients = new NetworkGradients<double>(network, Rows);
        gradients.Backward(inputs, labels, Loss.SoftmaxCrossEntropy, whole);
        for (var at = 0; at < Rows; at += 35)
        {
            gradients.Backward(inputs.AsSpan(at * network.Shape.Inputs, 35 * network.Shape.Inputs), labels.AsSpan(at, 35), Loss.SoftmaxCrossEntropy, part);
            for (var i = 0; i < sum.Length; i++)
                sum[i] += part[i] / 4;
        }

        for (var i = 0; i < sum.Length; i++)
            Assert.Equal(sum[i], whole[i], 1e-12);
    }

    [Fact]
    public void Clipping_of_rows_is_refused()
    {
        var network = Network(0);
        var gradients = new NetworkGradients<double>(network, 1);
        Assert.Throws<NotSupportedException>(() => gradients.ClippedSum(new double[64], [0], Loss.SoftmaxCrossEntropy, 1, new double[network.Parameters.Length]));
        Assert.Throws<NotSupportedException>(() => gradients.RowNorms(new double[64], [0], Loss.SoftmaxCrossEntropy, new double[1]));
    }

    [Theory]
    [InlineData(5, 2, 0, 65, "leaves nothing")]
    [InlineData(4, 5, 1, 64, "stride")]
    [InlineData(4, 2, 4, 64, "padding")]
    [InlineData(4, 2, 1, 63, "64 values")]
    public void A_shape_lists_what_is_wrong(int kernel, int stride, int padding, int inputs, string reason)
    {
        var image = kernel == 5 ? new ImageShape(1, 4, 4) : new ImageShape(1, 8, 8);
        var shape = new NetworkShape(inputs, [3], 2) { Convolutions = new(image, [new(2, kernel, stride, padding)]) };
        Assert.Contains(reason, string.Join(' ', shape.Faults()), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new DenseNetwork<float>(shape));
    }

    [Fact]
    public void Shapes_compare_and_print_by_their_convolutions()
    {
        var shape = NetworkShape.OfImages(s_stacks[0], [9], 3);
        Assert.Equal(shape, NetworkShape.OfImages(new(new(1, 8, 8), [new(8, 4, 2, 1), new(8, 4, 2, 1)]), [9], 3));
        Assert.NotEqual(shape, NetworkShape.OfImages(new(new(1, 8, 8), [new(8, 4, 2, 1), new(8, 4, 2, 0)]), [9], 3));
        Assert.Equal("1x8x8-c8k4s2p1-c8k4s2p1-9-3", shape.ToString());
    }

    private static DenseNetwork<double> Network(int stack)
    {
        var network = Samples.Network(NetworkShape.OfImages(s_stacks[stack], [9], 3));
        var random = new Random(6);
        for (var layer = 0; layer < s_stacks[stack].Layers.Count; layer++)
        {
            foreach (ref var bias in network.ConvolutionBiases(layer))
                bias = (random.NextDouble() - 0.5) / 2;
        }

        return network;
    }

    private static double Quotient(DenseNetwork<double> network, double[] inputs, int[] labels, Span<double> values, int index)
    {
        const double Step = 1e-6;
        var kept = values[index];
        values[index] = kept + Step;
        var above = MeanLoss(network, inputs, labels);
        values[index] = kept - Step;
        var below = MeanLoss(network, inputs, labels);
        values[index] = kept;
        return (above - below) / (2 * Step);
    }

    private static double MeanLoss(DenseNetwork<double> network, double[] inputs, int[] labels)
    {
        var losses = new double[labels.Length];
        LossFunction.Evaluate<double>(Loss.SoftmaxCrossEntropy, Samples.Logits(network, inputs), labels, network.Shape.Outputs, losses, []);
        return losses.Average();
    }

    private static double[] Definition(DenseNetwork<double> network, ReadOnlySpan<double> row)
    {
        var stack = network.Shape.Convolutions!;
        var values = row.ToArray();
        for (var layer = 0; layer < stack.Layers.Count; layer++)
            values = Convolve(stack.LayerImage(layer), stack.Layers[layer], values, network.ConvolutionWeights(layer), network.ConvolutionBiases(layer));
        var dense = new DenseNetwork<double>(new(stack.Features, network.Shape.Hidden, network.Shape.Outputs));
        network.Parameters[stack.ParameterCount..].CopyTo(dense.Parameters);
        return Samples.PlainLogits(dense, values);
    }

    private static double[] Convolve(ImageShape reads, Convolution layer, double[] values, ReadOnlySpan<double> weights, ReadOnlySpan<double> biases)
    {
        var writes = layer.Of(reads);
        var result = new double[writes.Values];
        for (var i = 0; i < result.Length; i++)
        {
            var (channel, y, x) = (i / (writes.Height * writes.Width), i / writes.Width % writes.Height, i % writes.Width);
            var sum = biases[channel];
            for (var w = 0; w < weights.Length / layer.Channels; w++)
            {
                var (from, ky, kx) = (w / (layer.Kernel * layer.Kernel), w / layer.Kernel % layer.Kernel, w % layer.Kernel);
                var (u, v) = ((y * layer.Stride) + ky - layer.Padding, (x * layer.Stride) + kx - layer.Padding);
                if (u >= 0 && v >= 0 && u < reads.Height && v < reads.Width)
                    sum += weights[(channel * (weights.Length / layer.Channels)) + w] * values[(((from * reads.Height) + u) * reads.Width) + v];
            }

            result[i] = Math.Max(0, sum);
        }

        return result;
    }
}
