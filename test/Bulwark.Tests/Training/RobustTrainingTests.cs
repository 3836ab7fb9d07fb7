using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

/// <summary>Small images whose class shows twice: in a strong corner, and in a weak pattern that an attacker can turn round.</summary>
public class RobustTrainingTests
{
    private const int Side = 6;
    private const double Epsilon = 0.15;
    private static readonly EncodedDataset s_train = Images(1200, 1), s_test = Images(400, 2);

    public static TheoryData<RobustMethod> Methods() => [.. Enum.GetValues<RobustMethod>()];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Every_method_withstands_more_than_plain_training(RobustMethod method)
    {
        var plain = Train(null);
        var robust = Train(new() { Method = method, Epsilon = Epsilon, OnlyPositives = false, CleanWeight = 0, AdversarialWeight = method is RobustMethod.Trades or RobustMethod.Mart ? 4 : 1, Steps = 3 });
        var (before, after) = (Withstood(plain.Network), Withstood(robust.Network));
        Assert.True(after > before + 0.1, $"{method}: accuracy under attack {before} plain, {after} robust");
        Assert.All(robust.Epochs, epoch => Assert.NotNull(epoch.RobustAccuracy));
    }

    [Fact]
    public void The_best_epoch_under_attack_is_kept()
    {
        var run = Train(new() { Epsilon = Epsilon, OnlyPositives = false });
        var best = run.Epochs.MaxBy(epoch => epoch.RobustAccuracy)!;
        Assert.Equal(best.Epoch, run.BestEpoch);
    }

    [Fact]
    public void The_same_seed_trains_the_same_network()
    {
        var robust = new RobustOptions { Epsilon = Epsilon, OnlyPositives = false, Method = RobustMethod.NoisyFgsm };
        Assert.Equal(Train(robust).Network.Parameters.ToArray(), Train(robust).Network.Parameters.ToArray());
    }

    [Fact]
    public void A_fall_of_robustness_brings_the_best_parameters_back_and_two_steps()
    {
        var robust = new RobustOptions { Epsilon = Epsilon, OnlyPositives = false, Method = RobustMethod.NoisyFgsm };
        var network = Train(robust).Network;
        var options = Options(robust);
        var guard = new OverfittingGuard(network, options, new ValidationScore(network, options, s_test));
        Assert.False(guard.Trips());
        var good = network.Parameters.ToArray();
        network.Weights(network.Shape.Layers - 1).Negate();
        Assert.True(guard.Trips());
        Assert.Equal(good, network.Parameters.ToArray());
        Assert.Equal((RobustMethod.ProjectedGradient, 2), (guard.Safer.Robust!.Method, guard.Safer.Robust.Steps));
        network.Weights(network.Shape.Layers - 1).Negate();
        Assert.False(guard.Trips(), "the guard trips once");
    }

    [Fact]
    public void A_small_fall_is_let_pass()
    {
        var robust = new RobustOptions { Epsilon = Epsilon, OnlyPositives = false, Method = RobustMethod.NoisyFgsm, GuardPoints = 100 };
        var network = Train(robust).Network;
        var guard = new OverfittingGuard(network, Options(robust), new ValidationScore(network, Options(robust), s_test));
        Assert.False(guard.Trips());
        network.Weights(network.Shape.Layers - 1).Negate();
        Assert.False(guard.Trips());
    }

    [Fact]
    public void Moved_rows_of_a_cost_attack_stay_within_the_budget()
    {
        double[] costs = [0.5, double.PositiveInfinity, 2, 1];
        var rows = new EncodedDataset([0.2f, 0.4f, 0.6f, 0.8f, 0.9f, 0.1f, 0.5f, 0.3f], 4, [1, 1]);
        var network = DenseNetwork<float>.Create(new(4, [8], 1), 3);
        var attack = new TrainingAttack(new() { Norm = RobustNorm.Cost, Costs = costs, Epsilon = 0.3, Steps = 5 }, network, 1);
        var batch = new Batch(2, 4);
        batch.Load(rows, [0, 1]);
        var moved = attack.Move(batch).ToArray();
        for (var row = 0; row < 2; row++)
        {
            var spent = Enumerable.Range(0, 4).Where(i => i != 1).Sum(i => costs[i] * Math.Abs(moved[(row * 4) + i] - rows.Features[(row * 4) + i]));
            Assert.InRange(spent, 1e-3, 0.3 + 1e-6);
            Assert.Equal(rows.Features[(row * 4) + 1], moved[(row * 4) + 1]);
        }
    }

    [Fact]
    public void Options_that_cannot_be_are_refused_with_the_reason()
    {
        Assert.Contains("cost", Fault(new() { Norm = RobustNorm.Cost }), StringComparison.Ordinal);
        Assert.Contains("cost", Fault(new() { Costs = [1, 2] }), StringComparison.Ordinal);
        Assert.Contains("largest change", Fault(new() { Norm = RobustNorm.Length, Method = RobustMethod.Free }), StringComparison.Ordinal);
        Assert.Contains("every row is attacked", Fault(new()), StringComparison.Ordinal);
        Assert.Contains("not built", string.Join(' ', new TrainingOptions { Private = new(), Robust = new() { Method = RobustMethod.Trades } }.Faults()), StringComparison.Ordinal);
        Assert.Contains("privately", string.Join(' ', new TrainingOptions { Private = new(), Classes = 3 }.Faults()), StringComparison.Ordinal);
        var labels = Assert.Throws<ArgumentException>(() => Trainer.Train(s_train, null, new() { Classes = 2 }, cancel: TestContext.Current.CancellationToken));
        Assert.Contains("names none of 2 classes", labels.Message, StringComparison.Ordinal);

        static string Fault(RobustOptions robust) => string.Join(' ', Options(robust).Faults());
    }

    private static TrainedNetwork Train(RobustOptions? robust) => Trainer.Train(s_train, s_test, Options(robust), cancel: TestContext.Current.CancellationToken);

    private static TrainingOptions Options(RobustOptions? robust) => new()
    {
        Convolutions = new(new(1, Side, Side), [new(4, 3, 1, 1)]),
        Hidden = [8],
        Classes = 3,
        Epochs = 6,
        BatchSize = 50,
        LearningRate = 1e-2,
        Robust = robust,
    };

    private static double Withstood(DenseNetwork<float> network) =>
        new ValidationScore(network, Options(null), s_test).Guarded(new() { Epsilon = Epsilon, OnlyPositives = false });

    private static EncodedDataset Images(int count, int seed)
    {
        var random = new Random(seed);
        var (features, labels) = (new float[count * Side * Side], new int[count]);
        for (var row = 0; row < count; row++)
        {
            labels[row] = random.Next(3);
            for (var i = 0; i < Side * Side; i++)
            {
                var weak = i % 3 == labels[row] ? 0.12f : 0;
                var strong = i / 12 == labels[row] && i % 6 < 2 ? 0.45f * random.NextSingle() : 0;
                features[(row * Side * Side) + i] = 0.25f + (0.1f * random.NextSingle()) + weak + strong;
            }
        }

        return new(features, Side * Side, labels);
    }
}

internal static class SpanSigns
{
    internal static void Negate(this Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = -values[i];
    }
}
