using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

/// <summary>A first value that tells the class by a hair's breadth, a second that tells most of it with room.</summary>
public class TreeTrainerTests
{
    private static readonly (float[] Rows, int[] Labels) s_train = Rows(600, 1), s_test = Rows(200, 2);

    [Fact]
    public void Trees_without_an_attacker_learn_what_tells_most()
    {
        var ensemble = Train(s_train.Rows, s_train.Labels, 2, new() { Trees = 10, Depth = 3, LearningRate = 0.5 });
        Assert.Equal(1, Right(ensemble));
        Assert.Equal(0, ensemble.Trees[0][0].Feature);
    }

    [Fact]
    public void Robust_splits_hold_where_the_others_break()
    {
        var plain = Measure(new() { Trees = 10, Depth = 3, LearningRate = 0.5 });
        var robust = Measure(new() { Trees = 10, Depth = 3, LearningRate = 0.5, Radii = [0.1, 0.1] });
        Assert.Equal(0, plain.Unbroken.Count);
        Assert.True(robust.Proven.Rate > 0.8, $"proven {robust.Proven.Rate}");
        Assert.True(robust.Unbroken.Count >= robust.Proven.Count);
    }

    [Fact]
    public void What_cannot_be_moved_may_be_split_by_a_hair()
    {
        var ensemble = Train(s_train.Rows, s_train.Labels, 2, new() { Trees = 10, Depth = 3, LearningRate = 0.5, Radii = [0, 0.1] });
        Assert.Equal(1, Right(ensemble));
    }

    [Fact]
    public void The_gain_is_the_least_of_the_four_ways()
    {
        // One feature, rows at 0, 0.4 | 0.6, 1: with a radius of 0.25 the two in the middle change sides, and exchanged nothing is gained.
        float[] rows = [0, 0.4f, 0.6f, 1];
        int[] labels = [0, 0, 1, 1];
        TreeTrainingOptions options = new() { Trees = 1, Depth = 1, LearningRate = 1, LeastChild = 0.01 };
        Assert.Equal(3, Train(rows, labels, 1, options).Trees[0].Length);
        Assert.Single(Train(rows, labels, 1, options with { Radii = [0.25] }).Trees[0]);
        Assert.Equal(3, Train(rows, labels, 1, options with { Radii = [0.05] }).Trees[0].Length);
    }

    [Fact]
    public void What_makes_no_sense_is_refused_with_the_reason()
    {
        Assert.Contains("Depth", Fault(() => Train([0, 1], [0, 1], 1, new() { Depth = 0 })), StringComparison.Ordinal);
        Assert.Contains("radii", Fault(() => Train([0, 1], [0, 1], 1, new() { Radii = [1, 2] })), StringComparison.Ordinal);
        Assert.Contains("radius", Fault(() => Train([0, 1], [0, 1], 1, new() { Radii = [double.NaN] })), StringComparison.Ordinal);
        Assert.Contains("missing", Fault(() => Train([0, float.NaN], [0, 1], 1, new())), StringComparison.Ordinal);
        Assert.Contains("labels", Fault(() => Train([0, 1], [0, 2], 1, new())), StringComparison.Ordinal);

        static string Fault(Action train) => Assert.Throws<ArgumentException>(train).Message;
    }

    [Fact]
    public void Rows_of_one_class_are_answered_with_it()
    {
        var ensemble = Train([0, 1, 2], [1, 1, 1], 1, new() { Trees = 2 });
        Assert.True(ensemble.Margin([5]) > 0);
    }

    private static TreeEnsemble Train(float[] rows, int[] labels, int width, TreeTrainingOptions options) => TreeTrainer.Train(rows, labels, width, options, cancel: TestContext.Current.CancellationToken);

    private static double Right(TreeEnsemble ensemble) => Enumerable.Range(0, s_test.Labels.Length).Count(row => ensemble.Margin(s_test.Rows.AsSpan(row * 2, 2)) > 0 == (s_test.Labels[row] == 1)) / (double)s_test.Labels.Length;

    private static TreeReport Measure(TreeTrainingOptions options) =>
        TreeReport.Measure(Train(s_train.Rows, s_train.Labels, 2, options), s_test.Rows, s_test.Labels, [1, 1], PerturbationNorm.Linf, 0.1, 100, 1000);

    private static (float[] Rows, int[] Labels) Rows(int count, int seed)
    {
        var random = new Random(seed);
        int[] labels = [.. Enumerable.Range(0, count).Select(_ => random.Next(2))];
        return ([.. labels.SelectMany(label => new[] { 0.49f + (0.02f * label), random.NextSingle() < 0.05 ? random.NextSingle() : 0.2f + (0.6f * label) })], labels);
    }
}
