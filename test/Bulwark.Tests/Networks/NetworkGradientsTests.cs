using Bulwark.Networks;

namespace Bulwark.Tests.Networks;

public class NetworkGradientsTests
{
    [Theory]
    [MemberData(nameof(Samples.ShapesAndRows), MemberType = typeof(Samples))]
    public void Parameters_gradient_is_the_difference_quotient(int shapeIndex, int rows)
    {
        var shape = Samples.Shapes[shapeIndex];
        var network = Samples.Network(shape);
        var inputs = Samples.Inputs(shape, rows);
        var labels = Samples.Labels(shape, rows);
        double[] weights = [.. Enumerable.Range(1, rows).Select(row => row / 2.0)];
        var loss = LossFunction.LogLoss(shape.Outputs);
        var gradients = new NetworkGradients<double>(network, rows);
        var gradient = new double[network.Parameters.Length];
        var value = gradients.Backward(inputs, labels, loss, gradient, weights);
        Assert.Equal(MeanLoss(network, inputs, labels, loss, weights), value, 1e-12);

        const double Step = 1e-6;
        var random = new Random(9);
        for (var probe = 0; probe < 60; probe++)
        {
            var i = random.Next(gradient.Length);
            var kept = network.Parameters[i];
            network.Parameters[i] = kept + Step;
            var above = MeanLoss(network, inputs, labels, loss, weights);
            network.Parameters[i] = kept - Step;
            var below = MeanLoss(network, inputs, labels, loss, weights);
            network.Parameters[i] = kept;
            Assert.Equal((above - below) / (2 * Step), gradient[i], 1e-7);
        }
    }

    [Theory]
    [MemberData(nameof(Samples.ShapesAndRows), MemberType = typeof(Samples))]
    public void Inputs_gradient_is_the_difference_quotient(int shapeIndex, int rows)
    {
        var shape = Samples.Shapes[shapeIndex];
        var network = Samples.Network(shape);
        var inputs = Samples.Inputs(shape, rows);
        var labels = Samples.Labels(shape, rows);
        foreach (var loss in Enum.GetValues<Loss>().Where(loss => LossFunction.Supports(loss, shape.Outputs)))
        {
            var gradient = new double[inputs.Length];
            var losses = new double[rows];
            new NetworkGradients<double>(network, rows + 3).InputGradient(inputs, labels, loss, gradient, losses);
            for (var i = 0; i < inputs.Length; i++)
            {
                const double Step = 1e-6;
                var kept = inputs[i];
                inputs[i] = kept + Step;
                var above = MeanLoss(network, inputs, labels, loss, []) * rows;
                inputs[i] = kept - Step;
                var below = MeanLoss(network, inputs, labels, loss, []) * rows;
                inputs[i] = kept;
                Assert.Equal((above - below) / (2 * Step), gradient[i], 1e-6);
            }

            Assert.Equal(MeanLoss(network, inputs, labels, loss, []) * rows, losses.Sum(), 1e-10);
        }
    }

    [Theory]
    [MemberData(nameof(Samples.ShapesAndRows), MemberType = typeof(Samples))]
    public void A_clipped_sum_is_the_sum_of_rows_clipped_one_by_one(int shapeIndex, int rows)
    {
        var shape = Samples.Shapes[shapeIndex];
        var network = Samples.Network(shape);
        var inputs = Samples.Inputs(shape, rows);
        var labels = Samples.Labels(shape, rows);
        var loss = LossFunction.LogLoss(shape.Outputs);
        var gradients = new NetworkGradients<double>(network, rows);
        var (perRow, norms) = RowByRow(network, inputs, labels, loss);
        var clippingNorm = norms.Order().ElementAt(rows / 2) * 0.9;

        var sum = new double[network.Parameters.Length];
        sum[0] = 5;
        var measured = new double[rows];
        var count = gradients.ClippedSum(inputs, labels, loss, clippingNorm, sum, measured);

        var expected = new double[sum.Length];
        expected[0] = 5;
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < expected.Length; i++)
                expected[i] += perRow[row][i] * Math.Min(1, clippingNorm / norms[row]);
        }

        Assert.Equal(norms, measured, (a, b) => Math.Abs(a - b) <= 1e-12 * a);
        Assert.Equal(expected, sum, (a, b) => Math.Abs(a - b) <= 1e-11);
        Assert.Equal(norms.Count(norm => norm > clippingNorm), count.ClippedRows);

        gradients.RowNorms(inputs, labels, loss, measured);
        Assert.Equal(norms, measured, (a, b) => Math.Abs(a - b) <= 1e-12 * a);
    }

    [Fact]
    public void A_gradient_does_not_depend_on_what_was_computed_before()
    {
        foreach (var shape in Samples.Shapes)
        {
            var network = Samples.Network(shape);
            var (inputs, labels, loss) = (Samples.Inputs(shape, 40), Samples.Labels(shape, 40), LossFunction.LogLoss(shape.Outputs));
            var used = new NetworkGradients<double>(network, 40);
            foreach (var before in (int[])[1, 2, 3, 5, 7])
            {
                foreach (var rows in (int[])[1, 7, 12, 40])
                {
                    var (again, fresh) = (new double[network.Parameters.Length], new double[network.Parameters.Length]);
                    used.Backward(inputs.AsSpan(0, before * shape.Inputs), labels.AsSpan(0, before), loss, again);
                    Array.Clear(again);
                    used.ClippedSum(inputs.AsSpan(0, rows * shape.Inputs), labels.AsSpan(0, rows), loss, 0.5, again);
                    new NetworkGradients<double>(network, 40).ClippedSum(inputs.AsSpan(0, rows * shape.Inputs), labels.AsSpan(0, rows), loss, 0.5, fresh);
                    Assert.Equal(fresh, again);
                }
            }
        }
    }

    [Theory]
    [InlineData(ClippingStyle.PerLayer)]
    [InlineData(ClippingStyle.Automatic)]
    public void Every_clipping_style_equals_a_loop_over_single_rows(ClippingStyle style)
    {
        foreach (var shape in Samples.Shapes)
        {
            var network = Samples.Network(shape);
            var (inputs, labels, loss) = (Samples.Inputs(shape, 40), Samples.Labels(shape, 40), LossFunction.LogLoss(shape.Outputs));
            var gradients = new NetworkGradients<double>(network, 40);
            const double Norm = 0.7;
            var expected = new double[network.Parameters.Length];
            for (var row = 0; row < 40; row++)
            {
                var one = new double[expected.Length];
                gradients.Backward(inputs.AsSpan(row * shape.Inputs, shape.Inputs), labels.AsSpan(row, 1), loss, one);
                for (int layer = 0, at = 0; layer < shape.Layers; layer++)
                {
                    var size = (shape.LayerInputs(layer) + 1) * shape.LayerOutputs(layer);
                    var part = style == ClippingStyle.Automatic ? one : one[at..(at + size)];
                    var length = Math.Sqrt(part.Sum(value => value * value));
                    var factor = style == ClippingStyle.Automatic ? Norm / (length + 0.01) : Math.Min(1, Norm / Math.Sqrt(shape.Layers) / length);
                    for (var i = at; i < at + size; i++)
                        expected[i] += one[i] * factor;
                    at += size;
                }
            }

            var sum = new double[expected.Length];
            gradients.ClippedSum(inputs, labels, loss, Norm, sum, style: style);
            Assert.Equal(expected, sum, (a, b) => Math.Abs(a - b) < 1e-11);
        }
    }

    [Theory]
    [InlineData(ClippingStyle.Flat)]
    [InlineData(ClippingStyle.PerLayer)]
    [InlineData(ClippingStyle.Automatic)]
    public void One_row_never_moves_the_float_sum_by_more_than_the_norm(ClippingStyle style)
    {
        var shape = new NetworkShape(30, [128, 128], 2);
        var network = Samples.Network(shape).ToSingle();
        var gradients = new NetworkGradients<float>(network, 1);
        for (var row = 0; row < 200; row++)
        {
            float[] inputs = [.. Samples.Inputs(shape, 1, row).Select(value => (float)value * 3)];
            var sum = new float[network.Parameters.Length];
            gradients.ClippedSum(inputs, Samples.Labels(shape, 1, row), Loss.SoftmaxCrossEntropy, 0.01f, sum, style: style);
            Assert.True(Math.Sqrt(sum.Sum(value => (double)value * value)) <= 0.01f);
        }
    }

    [Fact]
    public void A_row_whose_gradient_is_not_finite_adds_nothing()
    {
        foreach (var shape in (NetworkShape[])[new(5, [6, 16], 2), new(3, [], 1)])
        {
            var network = Samples.Network(shape).ToSingle();
            float[] good = [.. Samples.Inputs(shape, 1).Select(value => (float)value)];
            float[] both = [.. good, .. Enumerable.Repeat(float.PositiveInfinity, shape.Inputs)];
            var loss = LossFunction.LogLoss(shape.Outputs);
            var gradients = new NetworkGradients<float>(network, 2);
            var alone = new float[network.Parameters.Length];
            var sum = new float[network.Parameters.Length];
            gradients.ClippedSum(good, [1], loss, 0.5f, alone);
            var count = gradients.ClippedSum(both, [1, 0], loss, 0.5f, sum);
            Assert.Equal(alone, sum);
            Assert.InRange(count.ClippedRows, 1, 2);

            sum.AsSpan().Clear();
            gradients.ClippedSum(good, [1], loss, 0.5f, sum);   // and leaves no trace in the working memory
            Assert.Equal(alone, sum);
        }
    }

    [Fact]
    public void A_row_has_the_same_gradient_alone_and_in_any_batch()
    {
        foreach (var shape in Samples.Shapes)
        {
            var network = Samples.Network(shape).ToSingle();
            float[] inputs = [.. Samples.Inputs(shape, 300).Select(value => (float)value)];
            var labels = Samples.Labels(shape, 300);
            var together = new float[inputs.Length];
            var gradients = new NetworkGradients<float>(network, 300);
            gradients.InputGradient(inputs, labels, LossFunction.LogLoss(shape.Outputs), together);
            var alone = new float[shape.Inputs];
            for (var row = 0; row < 300; row++)
            {
                gradients.InputGradient(inputs.AsSpan(row * shape.Inputs, shape.Inputs), labels.AsSpan(row, 1), LossFunction.LogLoss(shape.Outputs), alone);
                Assert.Equal(together[(row * shape.Inputs)..((row + 1) * shape.Inputs)], alone);
            }
        }
    }

    [Fact]
    public void A_batch_of_several_slices_sums_all_its_rows()
    {
        var shape = new NetworkShape(6, [9], 3);
        var network = Samples.Network(shape);
        var inputs = Samples.Inputs(shape, 400);
        var labels = Samples.Labels(shape, 400);
        var gradients = new NetworkGradients<double>(network, 400);
        var gradient = new double[network.Parameters.Length];
        var mean = gradients.Backward(inputs, labels, Loss.SoftmaxCrossEntropy, gradient);
        Assert.Equal(MeanLoss(network, inputs, labels, Loss.SoftmaxCrossEntropy, []), mean, 1e-12);
        var (perRow, norms) = RowByRow(network, inputs, labels, Loss.SoftmaxCrossEntropy);
        double[] expected = [.. Enumerable.Range(0, gradient.Length).Select(i => perRow.Average(row => row[i]))];
        Assert.Equal(expected, gradient, (a, b) => Math.Abs(a - b) < 1e-13);

        var sum = new double[gradient.Length];
        var measured = new double[400];
        var count = gradients.ClippedSum(inputs, labels, Loss.SoftmaxCrossEntropy, 0.8, sum, measured);
        Assert.Equal(norms, measured, (a, b) => Math.Abs(a - b) <= 1e-12 * a);
        Assert.Equal(norms.Count(norm => norm > 0.8), count.ClippedRows);
        expected = [.. Enumerable.Range(0, gradient.Length).Select(i => perRow.Select((row, r) => row[i] * Math.Min(1, 0.8 / norms[r])).Sum())];
        Assert.Equal(expected, sum, (a, b) => Math.Abs(a - b) < 1e-11);
    }

    [Fact]
    public void An_empty_batch_adds_nothing_and_has_no_mean()
    {
        var network = Samples.Network(new(3, [4], 2));
        var gradients = new NetworkGradients<double>(network, 4);
        var sum = new double[network.Parameters.Length];
        Assert.Equal(default, gradients.ClippedSum([], [], Loss.SoftmaxCrossEntropy, 1, sum));
        Assert.All(sum, value => Assert.Equal(0, value));
        Assert.Throws<ArgumentException>(() => gradients.Backward([], [], Loss.SoftmaxCrossEntropy, sum));
    }

    [Fact]
    public void Any_loss_can_be_carried_back_from_the_logits()
    {
        var shape = new NetworkShape(6, [9], 3);
        var network = Samples.Network(shape);
        var inputs = Samples.Inputs(shape, 8);
        var labels = Samples.Labels(shape, 8);
        var gradients = new NetworkGradients<double>(network, 8);
        var expected = new double[network.Parameters.Length];
        gradients.Backward(inputs, labels, Loss.SoftmaxCrossEntropy, expected);
        var expectedInput = new double[inputs.Length];
        gradients.InputGradient(inputs, labels, Loss.SoftmaxCrossEntropy, expectedInput);

        var logits = gradients.Forward(inputs, 8).ToArray();
        var outputGradient = new double[logits.Length];
        LossFunction.Evaluate(Loss.SoftmaxCrossEntropy, logits, labels, 3, [], outputGradient);
        var inputGradient = new double[inputs.Length];
        gradients.BackwardToInputs(outputGradient, inputGradient);
        Assert.Equal(expectedInput, inputGradient);
        var sum = new double[expected.Length];
        gradients.BackwardToParameters(outputGradient, sum);
        Assert.Equal(expected, sum, (a, b) => Math.Abs((8 * a) - b) < 1e-12);
    }

    [Fact]
    public void What_cannot_be_differentiated_is_refused()
    {
        var network = Samples.Network(new(3, [4], 2));
        var gradients = new NetworkGradients<double>(network, 4);
        var gradient = new double[network.Parameters.Length];
        Assert.Throws<InvalidOperationException>(() => gradients.BackwardToInputs(new double[2], new double[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => gradients.Backward(new double[15], new int[5], Loss.SoftmaxCrossEntropy, gradient));
        Assert.Throws<ArgumentException>(() => gradients.Backward(new double[3], [2], Loss.SoftmaxCrossEntropy, gradient));
        Assert.Throws<ArgumentException>(() => gradients.Backward(new double[3], [-1], Loss.SoftmaxCrossEntropy, gradient));
        Assert.Throws<ArgumentException>(() => gradients.Backward(new double[3], [1], Loss.Logistic, gradient));
        Assert.Throws<ArgumentException>(() => gradients.Backward(new double[3], [1], Loss.Dlr, gradient));
        Assert.Throws<ArgumentOutOfRangeException>(() => gradients.ClippedSum(new double[3], [1], Loss.SoftmaxCrossEntropy, double.NaN, gradient));
        Assert.Throws<ArgumentOutOfRangeException>(() => gradients.ClippedSum(new double[3], [1], Loss.SoftmaxCrossEntropy, 0, gradient));
    }

    private static double MeanLoss(DenseNetwork<double> network, double[] inputs, int[] labels, Loss loss, double[] weights)
    {
        var losses = new double[labels.Length];
        LossFunction.Evaluate(loss, Samples.Logits(network, inputs), labels, network.Shape.Outputs, losses, []);
        return losses.Select((value, row) => value * (weights.Length == 0 ? 1 : weights[row])).Average();
    }

    private static (double[][] Gradients, double[] Norms) RowByRow(DenseNetwork<double> network, double[] inputs, int[] labels, Loss loss)
    {
        var one = new NetworkGradients<double>(network, 1);
        var width = network.Shape.Inputs;
        double[][] perRow = [.. labels.Select((label, row) =>
        {
            var gradient = new double[network.Parameters.Length];
            one.Backward(inputs.AsSpan(row * width, width), [label], loss, gradient);
            return gradient;
        })];
        return (perRow, [.. perRow.Select(gradient => Math.Sqrt(gradient.Sum(value => value * value)))]);
    }
}
