using System.Numerics.Tensors;
using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

public class WeightPerturbationTests
{
    [Fact]
    public void Each_layer_moves_by_its_share_along_the_gradient_and_comes_back()
    {
        var network = DenseNetwork<float>.Create(NetworkShape.OfImages(new(new(1, 4, 4), [new(2, 3, 1, 1)]), [5], 3), 7);
        var before = network.Parameters.ToArray();
        float[] gradient = [.. Enumerable.Range(0, before.Length).Select(i => MathF.Sin(i + 1))];
        var push = new WeightPerturbation(network, 0.01);
        push.Push(gradient);
        var at = 0;
        foreach (var (weights, biases) in new[] { (18, 2), (160, 5), (15, 3) })
        {
            float[] change = [.. Enumerable.Range(at, weights).Select(i => network.Parameters[i] - before[i])];
            Assert.Equal(0.01 * TensorPrimitives.Norm<float>(before.AsSpan(at, weights)), TensorPrimitives.Norm<float>(change), 1e-4);
            Assert.Equal(1, TensorPrimitives.CosineSimilarity<float>(change, gradient.AsSpan(at, weights)), 1e-3);
            at += weights;
            Assert.Equal(before.AsSpan(at, biases), network.Parameters.Slice(at, biases));
            at += biases;
        }

        push.Restore();
        Assert.Equal(before, network.Parameters.ToArray());
    }

    [Fact]
    public void A_gradient_of_nothing_or_of_infinities_moves_nothing()
    {
        var network = DenseNetwork<float>.Create(new(3, [4], 1), 1);
        var before = network.Parameters.ToArray();
        var push = new WeightPerturbation(network, 0.1);
        push.Push(new float[before.Length]);
        Assert.Equal(before, network.Parameters.ToArray());
        push.Push([.. Enumerable.Repeat(float.PositiveInfinity, before.Length)]);
        Assert.Equal(before, network.Parameters.ToArray());
    }

    [Fact]
    public void It_is_refused_where_it_cannot_be()
    {
        Assert.Contains("Free", string.Join(' ', new RobustOptions { Method = RobustMethod.Free, WeightPerturbation = 0.01 }.Faults()), StringComparison.Ordinal);
        Assert.Contains("between 0 and 1", string.Join(' ', new RobustOptions { WeightPerturbation = double.NaN }.Faults()), StringComparison.Ordinal);
        Assert.Contains("noisy gradients", string.Join(' ', new TrainingOptions { Private = new(), Robust = new() { WeightPerturbation = 0.01 } }.Faults()), StringComparison.Ordinal);
        Assert.Contains("plain networks", string.Join(' ', new TrainingOptions { Private = new(), InputNoise = 0.1 }.Faults()), StringComparison.Ordinal);
        Assert.Contains("finite", string.Join(' ', new TrainingOptions { InputNoise = double.PositiveInfinity }.Faults()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_that_learnt_with_noise_is_right_on_more_noisy_rows()
    {
        // The first value says the class finely, the four others coarsely: noise hides the first.
        EncodedDataset Rows(int count, int seed)
        {
            var random = new Random(seed);
            int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(2))];
            return new([.. labels.SelectMany(label => new[] { 0.49f + (0.02f * label) }.Concat(Enumerable.Range(0, 4).Select(_ => random.NextSingle() < 0.8 ? 0.3f + (0.4f * label) : random.NextSingle())))], 5, labels);
        }

        var (train, noisy) = (Rows(1500, 1), new GaussianNoise(9, 0.15).On(Rows(1000, 2)));
        double Right(double noise)
        {
            var network = Trainer.Train(train, null, new() { Hidden = [16], Epochs = 60, LearningRate = 0.02, WeightDecay = 0, InputNoise = noise }, cancel: TestContext.Current.CancellationToken).Network;
            var scores = Trainer.Score(network, noisy);
            return scores.Zip(noisy.Labels).Count(pair => pair.First > 0.5f == (pair.Second == 1)) / (double)noisy.Rows;
        }

        var (plain, hardened) = (Right(0), Right(0.15));
        Assert.True(hardened > plain + 0.01, $"right on noisy rows: {plain} plain, {hardened} with noise");
    }

    [Fact]
    public void Noise_has_its_deviation()
    {
        var values = new float[20_001];
        new GaussianNoise(3, 0.25).Add(values);
        Assert.InRange(values.Average(), -0.01, 0.01);
        Assert.InRange(Math.Sqrt(values.Average(value => value * value)), 0.24, 0.26);
    }
}
