using Bulwark.Networks;
using Bulwark.Privacy;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

/// <summary>What the proof of private training in floating point rests on; docs/privacy.md.</summary>
public sealed class RowBlockTests
{
    private static readonly NetworkShape[] s_shapes = [new(30, [128, 128], 1), new(7, [5], 1), new(177, [], 1), new(33, [64, 17], 1)];

    public static TheoryData<int> Shapes() => [.. Enumerable.Range(0, s_shapes.Length)];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_rows_gradient_has_the_same_bits_wherever_it_stands(int shape)
    {
        var network = DenseNetwork<float>.Create(s_shapes[shape], 3);
        var random = new Random(5);
        var width = s_shapes[shape].Inputs;
        float[] row = [.. Enumerable.Range(0, width).Select(_ => random.NextSingle())];
        (float[]? first, float[]? firstSlopes) = (null, null);
        foreach (var (rows, place) in new[] { (1, 0), (2, 1), (5, 0), (13, 12), (130, 77), (384, 0), (384, 383), (383, 200) })
        {
            var gradients = new NetworkGradients<float>(network, RowBlocks.Most);
            float[] inputs = [.. Enumerable.Range(0, rows * width).Select(_ => random.NextSingle())];
            row.CopyTo(inputs, place * width);
            var (weights, labels, sum) = (new float[rows], new int[rows], new float[network.Parameters.Length]);
            (weights[place], labels[place]) = (1, 1);   // the others' parts are zero, and adding zero changes no bit
            gradients.ClippedSum(inputs, labels, Loss.Logistic, 0.3f, sum, rowWeights: weights);
            Assert.Contains(sum, value => value != 0);
            first ??= sum;
            Assert.True(first.AsSpan().SequenceEqual(sum), $"row {place} of {rows}");
            var slopes = new float[inputs.Length];   // an attack in training moves rows by these
            gradients.InputGradient(inputs, labels, Loss.Logistic, slopes);
            firstSlopes ??= slopes[(place * width)..((place + 1) * width)];
            Assert.True(firstSlopes.AsSpan().SequenceEqual(slopes.AsSpan(place * width, width)), $"row {place} of {rows}");
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Rounding_in_one_block_stays_below_its_bound(int shape)
    {
        var (random, width) = (new Random(6), s_shapes[shape].Inputs);
        var network = DenseNetwork<float>.Create(s_shapes[shape], 4);
        var gradients = new NetworkGradients<float>(network, RowBlocks.Most);
        float[] one = [.. Enumerable.Range(0, width).Select(_ => random.NextSingle())];
        float[] inputs = [.. Enumerable.Range(0, RowBlocks.Most).SelectMany(_ => one)];   // one direction: sums are longest
        var (labels, all) = (Enumerable.Repeat(1, RowBlocks.Most).ToArray(), new float[network.Parameters.Length]);
        gradients.ClippedSum(inputs, labels, Loss.Logistic, 0.01f, all);
        var exact = new double[all.Length];
        for (var row = 0; row < RowBlocks.Most; row++)
        {
            var own = new float[all.Length];
            gradients.ClippedSum(one, [1], Loss.Logistic, 0.01f, own);
            for (var i = 0; i < own.Length; i++)
                exact[i] += own[i];
        }

        var error = Math.Sqrt(exact.Select((value, i) => Math.Pow(value - all[i], 2)).Sum());
        Assert.InRange(error, 0, 0.01 * Math.Pow(2, -24) * RowBlocks.Most * RowBlocks.Most / 2);
    }

    [Fact]
    public void A_batch_is_grouped_whole_and_a_row_more_changes_its_own_block_only()
    {
        var blocks = RowBlocks.Draw(5000, 5000);
        Assert.Equal(24, blocks.Count);
        var batch = Enumerable.Range(0, 5000).Where(row => row % 3 != 0).ToArray();
        blocks.Group(batch);
        var with = Enumerable.Range(0, blocks.Count).Select(block => blocks[block].ToArray()).ToArray();
        Assert.Equal(batch, with.SelectMany(block => block).Order());
        Assert.All(with, block => Assert.InRange(block.Length, 0, RowBlocks.Most));
        blocks.Group(batch.Where(row => row != 100).ToArray());
        for (var block = 0; block < blocks.Count; block++)
            Assert.Equal(with[block].Where(row => row != 100), blocks[block].ToArray());
    }

    [Fact]
    public void Sums_of_moments_are_the_same_bits_in_any_order()
    {
        var random = new Random(2);
        var rows = Enumerable.Range(0, 999).Select(_ => Enumerable.Range(0, 6).Select(_ => random.NextSingle() * 3).ToArray()).ToArray();
        var sums = PrivateMoments.Sums(rows.SelectMany(row => row).ToArray(), 6, 2.1);
        random.Shuffle(rows);
        Assert.Equal(sums, PrivateMoments.Sums(rows.SelectMany(row => row).ToArray(), 6, 2.1));
    }
}
