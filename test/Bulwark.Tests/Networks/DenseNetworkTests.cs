using Bulwark.Networks;

namespace Bulwark.Tests.Networks;

public class DenseNetworkTests
{
    [Theory]
    [MemberData(nameof(Samples.ShapesAndRows), MemberType = typeof(Samples))]
    public void Logits_are_the_textbook_sums(int shapeIndex, int rows)
    {
        var shape = Samples.Shapes[shapeIndex];
        var network = Samples.Network(shape);
        var inputs = Samples.Inputs(shape, rows);
        var logits = Samples.Logits(network, inputs);
        for (var row = 0; row < rows; row++)
        {
            var expected = Samples.PlainLogits(network, inputs.AsSpan(row * shape.Inputs, shape.Inputs));
            Assert.Equal(expected, logits[(row * shape.Outputs)..((row + 1) * shape.Outputs)], (a, b) => Math.Abs(a - b) < 1e-12 * (1 + Math.Abs(a)));
        }
    }

    [Fact]
    public void A_row_has_the_same_bits_alone_and_in_any_batch()
    {
        foreach (var shape in Samples.Shapes)
        {
            var network = Samples.Network(shape).ToSingle();
            float[] inputs = [.. Samples.Inputs(shape, 500).Select(value => (float)value)];
            var together = new float[500 * shape.Outputs];
            network.Forward(inputs, 500, together);
            var alone = new float[shape.Outputs];
            for (var row = 0; row < 500; row++)
            {
                network.Forward(inputs.AsSpan(row * shape.Inputs, shape.Inputs), 1, alone);
                Assert.Equal(together[(row * shape.Outputs)..((row + 1) * shape.Outputs)], alone);
            }
        }
    }

    [Fact]
    public void Threads_share_a_network()
    {
        var shape = new NetworkShape(30, [64], 2);
        var network = Samples.Network(shape).ToSingle();
        float[] inputs = [.. Samples.Inputs(shape, 64).Select(value => (float)value)];
        var expected = new float[128];
        network.Forward(inputs, 64, expected);
        Parallel.For(0, 64, _ =>
        {
            var logits = new float[128];
            network.Forward(inputs, 64, logits);
            Assert.Equal(expected, logits);
        });
    }

    [Fact]
    public void A_seed_names_one_network_and_float_is_its_rounding()
    {
        var shape = new NetworkShape(4, [3], 2);
        var first = DenseNetwork<double>.Create(shape, 42);
        Assert.Equal(first.Parameters.ToArray(), DenseNetwork<double>.Create(shape, 42).Parameters.ToArray());
        Assert.NotEqual(first.Parameters.ToArray(), DenseNetwork<double>.Create(shape, 43).Parameters.ToArray());
        Assert.Equal(first.ToSingle().Parameters.ToArray(), DenseNetwork<float>.Create(shape, 42).Parameters.ToArray());
    }

    [Fact]
    public void Weights_have_the_variance_of_their_source()
    {
        var network = DenseNetwork<double>.Create(new(200, [200], 1), 5);
        var variance = network.Weights(0).ToArray().Average(weight => weight * weight);
        Assert.InRange(variance, 0.0095, 0.0105);
    }

    [Fact]
    public void A_copy_shares_nothing()
    {
        var network = Samples.Network(new(3, [4], 2));
        var copy = network.Clone();
        copy.Parameters.Clear();
        Assert.NotEqual(copy.Parameters.ToArray(), network.Parameters.ToArray());
    }

    [Fact]
    public void Not_a_number_stays_not_a_number()
    {
        var network = Samples.Network(new(3, [4], 2));
        var logits = new double[16];
        network.Forward([double.NaN, 0, 0, .. new double[21]], 8, logits);
        Assert.True(double.IsNaN(logits[0]));
        Assert.False(double.IsNaN(logits[2]));
        network.Forward([double.NaN, 0, 0], 1, logits.AsSpan(0, 2));
        Assert.True(double.IsNaN(logits[0]));
    }

    [Fact]
    public void A_shape_lists_all_its_faults()
    {
        var failure = Assert.Throws<ArgumentException>(() => new DenseNetwork<float>(new(0, [0], 0)));
        Assert.Contains("Inputs is 0", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Hidden layer 0", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Outputs is 0", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_that_do_not_fit_are_refused()
    {
        var network = Samples.Network(new(3, [4], 2));
        Assert.Throws<ArgumentException>(() => network.Forward(new double[7], 2, new double[4]));
        Assert.Throws<ArgumentException>(() => network.Forward(new double[6], 2, new double[5]));
    }
}
