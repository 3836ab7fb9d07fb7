using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

/// <summary>Every red flag is raised by a defect planted for it, and a sound evaluation raises none.</summary>
public class RedFlagTests
{
    private static readonly SuiteOptions s_options = new() { Attacks = ["apgd-ce"], Strengths = [0.02, 0.05], Steps = 20, Queries = 300 };

    [Fact]
    public void A_sound_evaluation_raises_none()
    {
        var report = AttackSuite.Run(PlantedModels.Target(), PlantedModels.Inputs, PlantedModels.Labels, s_options with { Attacks = ["apgd-ce", "apgd-t", "fab-t", "hopskipjump"], Steps = 100 }, cancel: TestContext.Current.CancellationToken);
        Assert.Empty(report.Flags);
        Assert.True(Gate(report).Passed);
        Assert.Equal(1, report.Clean.Rate);
        Assert.InRange(report.Curve[1].AttackSuccess.Rate, 0.1, 0.9);
        Assert.True(report.Curve[1].Robust.Count <= report.Curve[0].Robust.Count);
    }

    [Fact]
    public void F1_answers_that_change_at_distance_zero()
    {
        var asked = 0;
        var target = PlantedModels.Target(answers: inner => new BentAnswers(inner, (_, scores) => asked++ == 0 ? scores : [.. scores.Select(score => -score)]));
        AssertRaised("F1", target);
    }

    [Fact]
    public void F2_an_attack_that_fails_with_the_whole_range() => AssertRaised("F2", PlantedModels.Target(Reversed));

    [Fact]
    public void F2_a_model_that_holds_better_the_further_a_row_goes()
    {
        var target = PlantedModels.Target(answers: inner => new BentAnswers(inner, (points, scores) => [.. points.Chunk(PlantedModels.Width).SelectMany((point, i) =>
        {
            var row = Enumerable.Range(0, PlantedModels.Rows).MinBy(row => Distance(point, row));
            var far = Enumerable.Range(0, PlantedModels.Width).Max(j => Math.Abs(point[j] - PlantedModels.Inputs[(row * PlantedModels.Width) + j])) > 0.045;
            return Enumerable.Range(0, 3).Select(k => far ? (k == PlantedModels.Labels[row] ? 1f : 0f) : scores[(i * 3) + k]);
        })]));
        AssertRaised("F2", target, s_options with { Strengths = [0.04, 0.06] });
    }

    [Fact]
    public void F3_steps_that_are_too_few() =>
        AssertRaised("F3", PlantedModels.Target(inner => new BentGradients(inner)), s_options with { Attacks = ["apgd-ce"], Steps = 1, Strengths = [0.05] }, weak: true);

    [Fact]
    public void F4_a_loss_without_a_gradient() => AssertRaised("F4", PlantedModels.Target(inner => new BentGradients(inner, logits => [.. logits.Select(logit => logit * 1e6f)])));

    [Fact]
    public void F5_probabilities_in_place_of_logits() => AssertRaised("F5", PlantedModels.Target(inner => new BentGradients(inner, logits => [.. logits.Chunk(3).SelectMany(Softmax)])));

    [Fact]
    public void F6_answers_at_random()
    {
        var draws = new SeededDraws(4);
        AssertRaised("F6", PlantedModels.Target(answers: inner => new BentAnswers(inner, (_, scores) => [.. scores.Select(score => score + (float)(0.01 * draws.Normal()))])));
    }

    [Fact]
    public void F7_a_model_that_may_optimise_while_it_answers() =>
        AssertRaised("F7", Suspect("F7", "Loop"));

    [Fact]
    public void F8_questions_that_beat_misleading_gradients() => AssertRaised("F8", PlantedModels.Target(Reversed), s_options with { Attacks = ["apgd-ce", "hopskipjump"], Strengths = [0.1], Queries = 1000 });

    [Fact]
    public void F9_transfer_that_beats_misleading_gradients() => AssertRaised("F9", PlantedModels.Target(Reversed), s_options with { Strengths = [0.1] });

    [Fact]
    public void F10_random_points_that_beat_every_attack() => AssertRaised("F10", PlantedModels.Target(Reversed), s_options with { Strengths = [0.15] });

    [Fact]
    public void F11_an_attack_that_ends_where_it_began() => AssertRaised("F11", PlantedModels.Target(inner => new BentGradients(inner, null, gradient => new float[gradient.Length])));

    [Fact]
    public void F12_answers_that_depend_on_the_batch() => AssertRaised("F12", PlantedModels.Target(answers: inner => new BentAnswers(inner, (points, scores) => [.. scores.Select(score => score + points.Average())])));

    [Fact]
    public void F6_and_F12_operators_in_the_file_that_make_answers_random_or_train()
    {
        AssertRaised("F6", Suspect("F6", "RandomNormal"));
        AssertRaised("F12", Suspect("F12", "Dropout"));
    }

    [Fact]
    public void F13_preprocessing_inside_that_is_not_outside() =>
        AssertRaised("F13", PlantedModels.Target(answers: inner => new BentAnswers(inner, (_, scores) => scores, points => [.. points.Select(value => value / 3)])));

    [Fact]
    public void What_is_left_unbroken_is_a_share_of_the_rows_tried_and_not_of_a_large_run()
    {
        // A run of 40,000 rows, of which 60 are right and attacked: 0.2 % of the run would be more than all that can be found.
        var defects = new Dictionary<string, (SuiteTarget Target, SuiteOptions Options)>
        {
            ["F3"] = (PlantedModels.Target(), s_options with { Steps = 1, Strengths = [0.05] }),
            ["F9"] = (PlantedModels.Target(Reversed), s_options with { Strengths = [0.1] }),
            ["F10"] = (PlantedModels.Target(Reversed), s_options with { Strengths = [0.15] }),
        };
        const int Copies = 667;
        float[] rows = [.. Enumerable.Repeat(PlantedModels.Inputs, Copies).SelectMany(copy => copy)];
        int[] labels = [.. PlantedModels.Labels, .. Enumerable.Repeat(PlantedModels.Labels, Copies - 1).SelectMany(copy => copy).Select(label => (label + 1) % 3)];
        foreach (var (flag, (target, options)) in defects)
        {
            var report = AttackSuite.Run(target, rows, labels, options, cancel: TestContext.Current.CancellationToken);
            Assert.Contains(flag, report.Flags.Select(raised => raised.Id));
        }
    }

    [Fact]
    public void F8_among_the_values_that_gradients_can_follow_counts_the_rows_tried()
    {
        // Whole numbers stay; the amount's gradient points the wrong way, and questions about amounts alone find what it misses.
        var (raw, labels) = Victims.Rows(100);
        const int Copies = 300;
        float[] rows = [.. Enumerable.Repeat(raw, Copies).SelectMany(copy => copy)];
        int[] all = [.. labels, .. Enumerable.Repeat(labels, Copies - 1).SelectMany(copy => copy).Select(label => 1 - label)];
        var space = new TabularSpace(Victims.Encoder, TabularConstraints.None.Compile(Victims.Schema));
        var target = new TabularTarget(Victims.Scorer(), space, Reversed(new DifferentiableNetwork<float>(Victims.Network())));
        foreach (var (some, named) in ((float[], int[])[])[(raw, labels), (rows, all)])
        {
            var report = AttackSuite.Run(target, some, named, s_options with { Attacks = ["apgd-ce", "search"], Strengths = [0.2] }, cancel: TestContext.Current.CancellationToken);
            Assert.Contains("F8", report.Flags.Select(raised => raised.Id));
        }
    }

    [Fact]
    public void F14_robustness_that_features_give_which_cannot_move()
    {
        var draws = new SeededDraws(6);
        float[] raw = [.. Enumerable.Range(0, 300).SelectMany(_ => (float[])[(float)(draws.Uniform() * 1000), draws.Below(21), draws.Below(100)])];
        int[] labels = [.. Enumerable.Range(0, 300).Select(row => raw[(row * 3) + 2] > 50 ? 1 : 0)];
        var network = new DenseNetwork<float>(new(3, [], 1));
        (network.Weights(0)[2], network.Biases(0)[0]) = (10, -6.5f);   // says yes from 65 on, and looks at nothing that moves
        var space = new TabularSpace(Victims.Encoder, TabularConstraints.None.Compile(Victims.Schema));
        var target = new TabularTarget(new NetworkScorer(Victims.Schema, network), space, new DifferentiableNetwork<float>(network));
        var report = AttackSuite.Run(target, raw, labels, new() { Attacks = ["search"], Strengths = [0.1], Queries = 20 }, cancel: TestContext.Current.CancellationToken);
        Assert.Contains("F14", report.Flags.Select(flag => flag.Id));
        Assert.False(Gate(report).Passed);
    }

    private static IDifferentiableModel<float> Reversed(IDifferentiableModel<float> inner) => new BentGradients(inner, null, gradient => [.. gradient.Select(value => -value)]);

    private static PointTarget Suspect(string flag, string found) =>
        new(new QueriedNetwork(new DifferentiableNetwork<float>(PlantedModels.Network)), new DifferentiableNetwork<float>(PlantedModels.Network)) { Suspects = [new(flag, found)] };

    private static void AssertRaised(string flag, SuiteTarget target, SuiteOptions? options = null, bool weak = false)
    {
        // A weak attack needs rows that only a strong one breaks: the larger network's.
        var report = AttackSuite.Run(target, PlantedModels.Inputs, PlantedModels.Labels, options ?? s_options, cancel: TestContext.Current.CancellationToken);
        Assert.Contains(flag, report.Flags.Select(raised => raised.Id));
        Assert.False(Gate(report).Passed);   // whatever share was asked for
        Assert.True(!weak || report.Flags.All(raised => raised.Id is "F3" or "F9" or "F10"));
    }

    private static SuiteGate Gate(SuiteReport report) => SuiteAnswer.Of("model", Digest.Of([]), "rows", Digest.Of([]), report, 0).Gate!;

    private static double Distance(float[] point, int row) => Enumerable.Range(0, PlantedModels.Width).Sum(j => Math.Abs(point[j] - PlantedModels.Inputs[(row * PlantedModels.Width) + j]));

    private static float[] Softmax(float[] logits)
    {
        var exponentials = logits.Select(logit => Math.Exp(logit - logits.Max())).ToArray();
        return [.. exponentials.Select(value => (float)(value / exponentials.Sum()))];
    }
}
