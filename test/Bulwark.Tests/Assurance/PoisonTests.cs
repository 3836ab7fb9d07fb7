using Bulwark.Assurance;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Tests.Assurance;

public class PoisonTests
{
    private static readonly FeatureSchema s_schema = new()
    {
        Label = "fraud",
        Features = [.. Enumerable.Range(0, 8).Select(j => new Feature { Name = $"f{j}", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 1 })],
    };

    private static readonly TrainingOptions s_recipe = new() { Hidden = [32, 16], Epochs = 40, BatchSize = 32, KeepBest = false };

    [Fact]
    public void A_planted_backdoor_works_and_is_found_and_clean_rows_are_not_suspected()
    {
        var task = Task();
        var (trigger, outcomes) = PoisonTrial.Run(task, [PoisonKind.Backdoor, PoisonKind.LabelFlip], cancel: TestContext.Current.CancellationToken);
        Assert.Equal(3, trigger.Columns.Count);
        var (clean, backdoor, flips) = (outcomes[0], outcomes[1], outcomes[2]);

        Assert.Null(clean.Kind);
        Assert.All(clean.Screens, screen => Assert.False(screen.Suspicious, screen.Screen + ": " + screen.Finding));
        Assert.All(clean.Screens, screen => Assert.InRange(screen.FalsePositives.Rate, 0, 0.03));

        Assert.Equal(96, backdoor.Planted);
        Assert.True(backdoor.Success.Rate > backdoor.SuccessBefore.Rate + 0.4, $"success {backdoor.Success.Rate}, without poison {backdoor.SuccessBefore.Rate}");
        Assert.True(backdoor.Accuracy.Rate > clean.Accuracy.Rate - 0.1);
        var found = backdoor.Screens.Single(screen => screen.Screen == "trigger search");
        Assert.True(found is { Suspicious: true, Detected.Rate: > 0.9, FalsePositives.Rate: < 0.02 }, $"{found.Finding} {found.Detected.Rate} {found.FalsePositives.Rate}");

        var influence = flips.Screens.Single(screen => screen.Screen == "holdout influence");
        Assert.True(influence is { Suspicious: true, Detected.Rate: > 0.6, FalsePositives.Rate: < 0.05 }, $"{influence.Finding} {influence.Detected.Rate} {influence.FalsePositives.Rate}");
    }

    [Fact]
    public void Planters_change_what_they_say_and_nothing_else()
    {
        var rows = Rows(400, 5);
        var trigger = new Trigger([1, 3], [0.9f, 0.8f]);
        var flipped = Poison.Plant(PoisonKind.LabelFlip, rows.Rows, 8, rows.Labels, 0, 0.1, null, null, 1);
        Assert.Equal(40, flipped.Planted.Count);
        Assert.Equal(rows.Rows, flipped.Rows);
        Assert.All(flipped.Planted, row => Assert.Equal((1, 0), (rows.Labels[row], flipped.Labels[row])));

        var backdoor = Poison.Plant(PoisonKind.Backdoor, rows.Rows, 8, rows.Labels, 0, 0.1, trigger, null, 1);
        Assert.All(backdoor.Planted, row => Assert.Equal((0.9f, 0.8f, 0), (backdoor.Rows[(row * 8) + 1], backdoor.Rows[(row * 8) + 3], backdoor.Labels[row])));
        int[] others = [.. Enumerable.Range(0, 400).Except(backdoor.Planted)];
        Assert.All(others, row => Assert.Equal(rows.Rows[(row * 8)..((row + 1) * 8)], backdoor.Rows[(row * 8)..((row + 1) * 8)]));

        var clean = Poison.Plant(PoisonKind.CleanLabel, rows.Rows, 8, rows.Labels, 0, 0.1, trigger, (hard, _) => [.. hard.Select(value => value / 2)], 1);
        Assert.Equal(rows.Labels, clean.Labels);
        Assert.All(clean.Planted, row => Assert.Equal(0, clean.Labels[row]));
        Assert.All(clean.Planted, row => Assert.Equal((rows.Rows[row * 8] / 2, 0.9f), (clean.Rows[row * 8], clean.Rows[(row * 8) + 1])));
    }

    [Fact]
    public void What_cannot_be_planted_or_screened_is_refused()
    {
        var rows = Rows(100, 5);
        Assert.Contains("trigger", Assert.Throws<ArgumentException>(() => Poison.Plant(PoisonKind.Backdoor, rows.Rows, 8, rows.Labels, 0, 0.1, null, null, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("no row", Assert.Throws<ArgumentException>(() => Poison.Plant(PoisonKind.LabelFlip, rows.Rows, 8, new int[100], 0, 0.1, null, null, 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Poison.Plant(PoisonKind.LabelFlip, rows.Rows, 8, rows.Labels, 0, 1, null, null, 1));
        Assert.Contains("at least 200", Assert.Throws<ArgumentException>(() => new DataScreening(s_schema, Kind(rows), rows, s_recipe, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_bear_a_bright_corner() =>
        Assert.Equal([10, 11, 14, 15], Trigger.OfImage(1, 4, 4, 2).Columns);

    [Fact]
    public void Values_of_neighbours_add_up_to_what_all_rows_together_are_worth()
    {
        // Shapley values share out the whole: the vote's accuracy less that of no rows.
        double[] rows = [0, 1, 2, 3, 10, 11];
        var worth = NeighbourShapley.Values(rows, [0, 0, 1, 0, 1, 1], [0.4, 10.4], [0, 1], 3);
        Assert.Equal(((2 / 3.0) + (2 / 3.0)) / 2, worth.Sum(), 1e-12);
        Assert.True(worth[2] < worth[0]);
    }

    [Fact]
    public void Representations_are_the_last_hidden_layer()
    {
        var network = new DenseNetwork<float>(new(2, [2], 1));
        network.Weights(0)[0] = 1;
        network.Weights(0)[3] = -1;
        Assert.Equal([2, 0, 0, 5], Representation.Of(network, [2, 3, -1, -5]));
        Assert.Equal([2, 3], Representation.Of(new DenseNetwork<float>(new(2, [], 1)), [2, 3]));
    }

    private static PoisonTask Task() => new()
    {
        Schema = s_schema,
        Kind = Kind(Rows(10, 1)),
        Train = Rows(1200, 1),
        Trusted = Rows(500, 2),
        Test = Rows(500, 3),
        Recipe = s_recipe,
        Share = 0.08,
        TriggerSize = 3,
    };

    private static EncodedDataset Kind(LabelledRows rows) => new(rows.Rows, 8, rows.Labels);

    /// <summary>Positive when the first three values together are high; the others say nothing.</summary>
    private static LabelledRows Rows(int count, ulong seed)
    {
        var draws = new SeededDraws(seed);
        float[] rows = [.. Enumerable.Range(0, count * 8).Select(_ => (float)draws.Uniform())];
        return new(rows, [.. Enumerable.Range(0, count).Select(row => rows[row * 8] + rows[(row * 8) + 1] + rows[(row * 8) + 2] > 1.5f ? 1 : 0)]);
    }
}
