using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Models;

namespace Bulwark.Tests.Assurance;

public class EvasionEvaluationTests
{
    private static readonly EvasionOptions s_options = new() { Strengths = [0.05, 0.1, 0.3], Samples = 200, Queries = 60, Steps = 10 };

    [Fact]
    public void More_room_fools_more_rows_and_none_fools_none()
    {
        var report = Run(Victims.Scorer());
        Assert.Equal(1, report.CleanAccuracy);
        Assert.Equal([0, 0.05, 0.1, 0.3], report.WorstCase.Select(outcome => outcome.Strength));
        Assert.Equal(0, report.WorstCase[0].PositivesEvaded.Count);
        Assert.Equal(1, report.WorstCase[0].RobustAccuracy);
        for (var i = 1; i < report.WorstCase.Count; i++)
        {
            Assert.True(report.WorstCase[i].PositivesEvaded.Count > report.WorstCase[i - 1].PositivesEvaded.Count);
            Assert.True(report.WorstCase[i].NegativesRaised.Count > report.WorstCase[i - 1].NegativesRaised.Count);
            Assert.True(report.WorstCase[i].RobustAccuracy < report.WorstCase[i - 1].RobustAccuracy);
        }

        Assert.Empty(report.Flags);
        Assert.True(report.WhiteBox);
        Assert.Equal(["amount", "count"], report.MutableFeatures);
    }

    [Fact]
    public void A_linear_models_worst_case_is_what_algebra_says()
    {
        var (raw, labels) = Victims.Rows();
        var encoded = Victims.Encoder.Encode(raw);
        var reachable = Enumerable.Range(0, labels.Length).Count(row =>
        {
            // The amount moves by 0.1 of its range, the count by the whole steps within it: 0.1 is two of twenty.
            var (amount, count, age) = (encoded[row * 3], encoded[(row * 3) + 1], encoded[(row * 3) + 2]);
            var lowest = Math.Max(0, amount - 0.1) + Math.Max(0, count - 0.1) + (age / 1000) - 1;
            return labels[row] == 1 && lowest < -1e-4;
        });
        var worst = Run(Victims.Scorer()).WorstCase.Single(outcome => outcome.Strength == 0.1);
        Assert.InRange(worst.PositivesEvaded.Count, reachable - 1, reachable + 1);
    }

    [Fact]
    public void Without_a_network_queries_alone_find_evasions()
    {
        var (raw, labels) = Victims.Rows();
        var report = EvasionEvaluation.Run(new EvasionTarget(Victims.Scorer(), Victims.Encoder), raw, labels, s_options, null, TestContext.Current.CancellationToken);
        Assert.False(report.WhiteBox);
        Assert.All(report.Outcomes, outcome => Assert.Equal("query", outcome.Attack));
        Assert.True(report.WorstCase[^1].PositivesEvaded.Rate > 0.2);
        Assert.InRange(report.Outcomes[^1].MeanQueries, 1, 60);
    }

    [Fact]
    public void The_same_seed_gives_the_same_report()
    {
        var first = Run(Victims.Scorer());
        var second = Run(Victims.Scorer());
        Assert.Equal(first.Outcomes, second.Outcomes);
        Assert.Equal(first.WorstCase, second.WorstCase);
    }

    [Fact]
    public void F1_is_raised_when_a_model_answers_the_same_row_differently()
    {
        var asked = 0;
        var fickle = new BentScorer(Victims.Scorer(), (_, scores) => asked++ % 2 == 0 ? scores : [.. scores.Select((score, row) => row % 10 == 0 ? 1 - score : score)]);
        Assert.Contains("F1", Flags(fickle));
    }

    [Fact]
    public void F2_is_raised_when_more_room_helps_the_defender()
    {
        // The model recognises what left the grid of its rows by more than 0.08 and says the opposite: a wide step is caught, a short one is not.
        var (raw, labels) = Victims.Rows();
        float[] far = [.. raw];
        for (var row = 0; row < labels.Length; row++)
            far[(row * 3) + 2] = 10 + (row * 0.25f);   // ages that name the row: an attack cannot change them
        var answers = new BentScorer(Victims.Scorer(), (rows, scores) => [.. scores.Select((score, i) =>
        {
            var row = (int)Math.Round((rows[(i * 3) + 2] - 10) / 0.25f);
            return Math.Abs(rows[i * 3] - far[row * 3]) > 80 ? labels[row] : score;
        })]);
        var target = new EvasionTarget(answers, Victims.Encoder, Victims.Network());
        var report = EvasionEvaluation.Run(target, far, labels, s_options, null, TestContext.Current.CancellationToken);
        Assert.Contains("F2", report.Flags.Select(flag => flag.Id));
    }

    [Fact]
    public void F4_and_F8_are_raised_when_gradients_vanish_though_queries_succeed()
    {
        var (raw, labels) = Victims.Rows();
        var numbers = Victims.Schema with { Features = [.. Victims.Schema.Features.Select(feature => feature with { Mutable = feature.Name == "amount" })] };
        var report = EvasionEvaluation.Run(new(Victims.Scorer(steepness: 1e6f), new(numbers), Victims.Network(1e6f)), raw, labels, s_options, null, TestContext.Current.CancellationToken);
        Assert.Equal(["F4", "F8"], report.Flags.Select(flag => flag.Id).Distinct().Order());
        Assert.False(EvasionGate.Of(report, 1)!.Passed);   // whatever was allowed
        Assert.True(EvasionGate.Of(report with { Flags = [] }, 1)!.Passed);
        Assert.Contains("F8", Flags(Victims.Scorer(steepness: 1e6f), steepness: 1e6f));   // whole numbers may move, too; finds that leave them alone count
        var counting = Victims.Network(1e6f);
        counting.Weights(0)[0] = 0;   // only whole numbers lead to the other side: there a search rightly finds more
        using var scorer = new NetworkScorer(Victims.Schema, counting);
        var scores = new float[labels.Length];
        counting.Biases(0)[0] = -0.5e6f;
        scorer.Score(raw, labels.Length, scores);
        var whole = EvasionEvaluation.Run(new(scorer, Victims.Encoder, counting), raw, [.. scores.Select(score => score >= 0.5f ? 1 : 0)], s_options, null, TestContext.Current.CancellationToken);
        Assert.Equal(["F4"], whole.Flags.Select(flag => flag.Id).Distinct());
        Assert.Contains(whole.WorstCase, worst => worst.PositivesEvaded.Count > 0);
    }

    [Fact]
    public void What_cannot_be_attacked_is_refused()
    {
        var frozen = Victims.Schema with { Features = [.. Victims.Schema.Features.Select(feature => feature with { Mutable = false })] };
        Assert.Contains("mutable", Assert.Throws<ArgumentException>(() => new EvasionTarget(Victims.Scorer(), new FeatureEncoder(frozen))).Message);
        var target = new EvasionTarget(Victims.Scorer(), Victims.Encoder);
        Assert.Contains("both classes", Assert.Throws<ArgumentException>(() => EvasionEvaluation.Run(target, [1, 1, 1], [0], s_options, null, TestContext.Current.CancellationToken)).Message);
        Assert.Throws<ArgumentException>(() => EvasionEvaluation.Run(target, [1, 1], [0], s_options, null, TestContext.Current.CancellationToken));
        Assert.Throws<ArgumentException>(() => EvasionEvaluation.Run(target, new float[6], [0, 1], new() { Strengths = [-1], Steps = 0 }, null, TestContext.Current.CancellationToken));
    }

    private static EvasionReport Run(IScorer scorer, float steepness = 20)
    {
        var (raw, labels) = Victims.Rows();
        return EvasionEvaluation.Run(new EvasionTarget(scorer, Victims.Encoder, Victims.Network(steepness)), raw, labels, s_options, null, TestContext.Current.CancellationToken);
    }

    private static IEnumerable<string> Flags(IScorer scorer, float steepness = 20) => Run(scorer, steepness).Flags.Select(flag => flag.Id);
}
