using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

public class WeightAverageTests
{
    private static readonly TrainingOptions s_options = new() { Hidden = [8], Epochs = 6, BatchSize = 32, Seed = 3, LearningRate = 0.05 };

    [Fact]
    public void The_average_forgets_by_its_share_and_starts_with_plain_means()
    {
        var network = DenseNetwork<float>.Create(new(1, [], 1), 1);
        var average = new AveragedNetwork(network, 0.75);
        double expected = 0;
        for (var step = 1; step <= 10; step++)
        {
            network.Parameters[0] = step * step;
            average.Add();
            expected += (Math.Max(0.25, 1.0 / step) * ((step * step) - expected));
            Assert.Equal(expected, average.Network.Parameters[0], 1e-4);
        }

        Assert.Equal(100, network.Parameters[0]);
    }

    [Fact]
    public void Begun_anew_it_is_where_the_network_is()
    {
        var network = DenseNetwork<float>.Create(new(2, [], 1), 1);
        var average = new AveragedNetwork(network, 0.9);
        average.Add();
        network.Parameters.Fill(5);
        var anew = average.Anew();
        Assert.Same(average.Network, anew.Network);
        Assert.Equal(network.Parameters.ToArray(), anew.Network.Parameters.ToArray());
        network.Parameters.Fill(7);
        anew.Add();
        Assert.Equal(network.Parameters.ToArray(), anew.Network.Parameters.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_returned_network_is_the_average_and_the_judged_one(bool keepBest)
    {
        var (train, validation) = (Rows(400, 1), Rows(200, 2));
        var plain = s_options with { KeepBest = keepBest, Robust = new() { Epsilon = 0.05 } };
        var last = Trainer.Train(train, validation, plain, cancel: TestContext.Current.CancellationToken);
        var averaged = Trainer.Train(train, validation, plain with { WeightAverage = 0.9 }, cancel: TestContext.Current.CancellationToken);
        Assert.NotEqual(last.Network.Parameters.ToArray(), averaged.Network.Parameters.ToArray());
        Assert.Equal(averaged.Network.Parameters.ToArray(), Trainer.Train(train, validation, plain with { WeightAverage = 0.9 }, cancel: TestContext.Current.CancellationToken).Network.Parameters.ToArray());
        if (keepBest)
            Assert.Equal(Evaluation.AveragePrecision(Trainer.Score(averaged.Network, validation), validation.Labels), averaged.Epochs[averaged.BestEpoch!.Value - 1].ValidationPrAuc, 1e-12);
    }

    [Fact]
    public void After_a_fall_the_average_begins_at_the_weights_that_came_back()
    {
        // A guard that any fall trips: one-step training with rows moved far.
        var options = s_options with { WeightAverage = 0.999, Epochs = 12, Robust = new() { Method = RobustMethod.RandomStartFgsm, Epsilon = 0.3, GuardPoints = 0.01 } };
        var trained = Trainer.Train(Rows(400, 1), Rows(200, 2), options, cancel: TestContext.Current.CancellationToken);
        Assert.Contains(trained.Epochs, epoch => epoch.GuardTripped);
        Assert.All(trained.Network.Parameters.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [InlineData(RobustMethod.RandomStartFgsm)]      // watched by the guard, which looks at the raw network
    [InlineData(RobustMethod.ProjectedGradient)]
    public void An_epoch_reports_the_robustness_of_the_average(RobustMethod method)
    {
        var (train, validation) = (Rows(400, 1), Rows(200, 2));
        var options = s_options with { KeepBest = false, WeightAverage = 0.99, Robust = new() { Method = method, Epsilon = 0.1, GuardPoints = 50 } };
        var trained = Trainer.Train(train, validation, options, cancel: TestContext.Current.CancellationToken);
        if (method == RobustMethod.ProjectedGradient)
            Assert.Null(trained.Epochs[^1].RobustAccuracy);
        else
            Assert.Equal(new ValidationScore(trained.Network, options, validation).Guarded(options.Robust), trained.Epochs[^1].RobustAccuracy);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Shares_outside_are_refused(double share) =>
        Assert.Contains("below 1", string.Join(' ', new TrainingOptions { WeightAverage = share }.Faults()), StringComparison.Ordinal);

    [Fact]
    public void A_private_run_averages_by_its_own_option() =>
        Assert.Contains("PrivacyOptions.Average", string.Join(' ', new TrainingOptions { WeightAverage = 0.9, Private = new() }.Faults()), StringComparison.Ordinal);

    private static EncodedDataset Rows(int count, int seed)
    {
        var random = new Random(seed);
        var (features, labels) = (new float[count * 4], new int[count]);
        for (var row = 0; row < count; row++)
        {
            for (var i = 0; i < 4; i++)
                features[(row * 4) + i] = random.NextSingle();
            labels[row] = features[row * 4] + (0.3 * random.NextSingle()) > features[(row * 4) + 1] ? 1 : 0;
        }

        return new(features, 4, labels);
    }
}
