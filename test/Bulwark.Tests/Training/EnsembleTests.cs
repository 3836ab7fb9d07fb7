using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

public class EnsembleTests
{
    private static readonly FeatureSchema s_schema = new()
    {
        Label = "fraud",
        Features = [.. Enumerable.Range(0, 3).Select(i => new Feature { Name = $"f{i}", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 1 })],
    };

    [Theory]
    [InlineData(new int[0], 1)]
    [InlineData(new[] { 5 }, 1)]
    [InlineData(new[] { 6, 4 }, 3)]
    public void Joined_networks_have_the_mean_of_their_logits(int[] hidden, int outputs)
    {
        DenseNetwork<float>[] members = [.. Enumerable.Range(1, 3).Select(seed => Network(hidden, outputs, (ulong)seed))];
        var joint = JointNetwork.MeanOf(members);
        var rows = Rows(50).Features;
        var (expected, logits, joined) = (new float[50 * outputs], new float[50 * outputs], new float[50 * outputs]);
        foreach (var member in members)
        {
            member.Forward(rows, 50, logits);
            for (var i = 0; i < logits.Length; i++)
                expected[i] += logits[i] / 3;
        }

        joint.Forward(rows, 50, joined);
        Assert.All(expected.Zip(joined), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void Networks_of_different_shapes_are_not_joined() =>
        Assert.Throws<ArgumentException>(() => JointNetwork.MeanOf([Network([4], 1, 1), Network([5], 1, 2)]));

    [Fact]
    public void Members_are_trained_apart_and_joined_and_their_seed_repeats_them()
    {
        var options = new TrainingOptions { Hidden = [6], Epochs = 3, Members = 3, Seed = 4 };
        var cancel = TestContext.Current.CancellationToken;
        var (one, other) = (Trainer.Train(Rows(900), null, options, cancel: cancel), Trainer.Train(Rows(900), null, options, cancel: cancel));
        Assert.Equal([18], one.Network.Shape.Hidden);
        Assert.Equal(one.Network.Parameters.ToArray(), other.Network.Parameters.ToArray());
        Assert.Equal(9, one.Epochs.Count);
        var weights = one.Network.Weights(0);
        Assert.NotEqual(weights[..6].ToArray(), weights[6..12].ToArray());
    }

    [Fact]
    public void A_private_run_has_no_members() =>
        Assert.Contains(new TrainingOptions { Members = 3, Private = new() }.Faults(), fault => fault.Contains("pay for each", StringComparison.Ordinal));

    [Fact]
    public void A_runtime_counts_the_votes_that_the_members_cast()
    {
        DenseNetwork<float>[] members = [.. Enumerable.Range(1, 5).Select(seed => Network(seed % 2 == 0 ? [4] : [], 1, (ulong)seed))];
        var rows = Rows(40);
        using var scorer = OnnxModel.OpenScorer(OnnxModel.ExportVotes(s_schema, members));
        var scored = new float[40];
        scorer.Score(rows.Features, 40, scored);
        var votes = new float[40];
        foreach (var member in members)
        {
            var scores = Trainer.Score(member, rows);
            for (var row = 0; row < 40; row++)
                votes[row] += scores[row] >= 0.5f ? 0.2f : 0;
        }

        Assert.All(votes.Zip(scored), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Contains(votes, vote => vote is > 0.1f and < 0.9f);
    }

    [Fact]
    public void A_vote_that_may_tie_is_refused() =>
        Assert.Contains("odd", Assert.Throws<ArgumentException>(() => OnnxModel.ExportVotes(s_schema, [Network([], 1, 1), Network([], 1, 2)])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_vote_is_no_chain_of_layers() =>
        Assert.Throws<NotSupportedException>(() => OnnxModel.Import(OnnxModel.ExportVotes(s_schema, [Network([], 1, 1)])));

    private static DenseNetwork<float> Network(int[] hidden, int outputs, ulong seed)
    {
        var network = DenseNetwork<float>.Create(new(3, hidden, outputs), seed);
        network.Biases(network.Shape.Layers - 1)[0] = 0.1f * seed;
        return network;
    }

    private static EncodedDataset Rows(int count)
    {
        var random = new Random(3);
        float[] values = [.. Enumerable.Range(0, count * 3).Select(_ => random.NextSingle())];
        return new(values, 3, [.. Enumerable.Range(0, count).Select(row => values[row * 3] + values[(row * 3) + 1] > 1 ? 1 : 0)]);
    }
}
