using Bulwark.Networks;

namespace Bulwark.Tests.Networks;

public class OptimizerTests
{
    [Fact]
    public void Adam_follows_its_paper()
    {
        const int Size = 19;
        var random = new Random(4);
        var adam = new AdamOptimizer<double>(Size);
        var parameters = new double[Size];
        var expected = new double[Size];
        var (m, v) = (new double[Size], new double[Size]);
        for (var step = 1; step <= 20; step++)
        {
            double[] gradient = [.. Enumerable.Range(0, Size).Select(_ => random.NextDouble() - 0.3)];
            adam.Step(parameters, gradient, 0.01);
            for (var i = 0; i < Size; i++)
            {
                m[i] = (0.9 * m[i]) + (0.1 * gradient[i]);
                v[i] = (0.999 * v[i]) + (0.001 * gradient[i] * gradient[i]);
                expected[i] -= 0.01 * (m[i] / (1 - Math.Pow(0.9, step))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999, step))) + 1e-8);
            }
        }

        Assert.Equal(expected, parameters, (a, b) => Math.Abs(a - b) < 1e-13);
    }

    [Fact]
    public void Momentum_keeps_what_it_had()
    {
        var sgd = new SgdOptimizer<double>(1, momentum: 0.5);
        double[] parameter = [1];
        sgd.Step(parameter, [2], 0.1);
        Assert.Equal(0.8, parameter[0], 1e-15);
        sgd.Step(parameter, [2], 0.1);
        Assert.Equal(0.5, parameter[0], 1e-15);
    }

    [Fact]
    public void A_network_learns_what_a_linear_model_cannot()
    {
        float[] inputs = [0, 0, 0, 1, 1, 0, 1, 1];
        int[] labels = [0, 1, 1, 0];
        var network = DenseNetwork<float>.Create(new(2, [16], 1), 1);
        var gradients = new NetworkGradients<float>(network, 4);
        var gradient = new float[network.Parameters.Length];
        var adam = new AdamOptimizer<float>(gradient.Length);
        for (var step = 0; step < 300; step++)
        {
            gradients.Backward(inputs, labels, Loss.Logistic, gradient);
            adam.Step(network.Parameters, gradient, 0.05f);
        }

        var logits = new float[4];
        network.Forward(inputs, 4, logits);
        Assert.Equal(labels, logits.Select(logit => logit > 0 ? 1 : 0));
    }

    [Fact]
    public void Settings_outside_their_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptimizer<float>(1, beta1: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamOptimizer<float>(1, epsilon: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SgdOptimizer<float>(1, momentum: -0.1));
        Assert.Throws<ArgumentException>(() => new AdamOptimizer<float>(2).Step(new float[2], new float[1], 1));
    }
}
