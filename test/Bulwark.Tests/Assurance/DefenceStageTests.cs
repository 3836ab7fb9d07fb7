using Bulwark.Assurance;
using Bulwark.Models;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

/// <summary>Defences that are random or break gradients: a naive evaluation of them raises flags, one that sees through them breaks rows.</summary>
public class DefenceStageTests
{
    private static readonly FeatureSchema s_schema = new() { Label = "y", Features = [.. Enumerable.Range(0, 8).Select(i => new Feature { Name = $"x{i}", Minimum = 0, Maximum = 1, Mutable = true })] };

    [Fact]
    public void Broken_gradients_are_reported_and_a_stand_in_sees_through_them()
    {
        var naive = Run(new LevelStage(9, standIn: false), 1);
        Assert.Contains("F4", naive.Flags.Select(flag => flag.Id));
        Assert.Contains("F8", naive.Flags.Select(flag => flag.Id));   // masking: questions find what gradients do not
        Assert.Equal(0, naive.Curve[0].ByAttack["apgd-margin"]);
        var seen = Run(new LevelStage(9, standIn: true), 1);
        Assert.InRange(seen.Curve[0].ByAttack["apgd-margin"], 20, 60);
        Assert.DoesNotContain("F4", seen.Flags.Select(flag => flag.Id));
    }

    [Fact]
    public void Broken_gradients_are_reported_beside_whole_numbers_that_may_move_too()
    {
        var schema = s_schema with { Features = [.. s_schema.Features.Select((feature, i) => i < 2 ? feature with { Kind = FeatureKind.Integer, Maximum = 9 } : feature)] };
        string[] attacks = ["apgd-margin", "search"];
        Assert.Contains("F8", Run(new LevelStage(9, standIn: false), 1, schema, attacks).Flags.Select(flag => flag.Id));
        Assert.DoesNotContain("F8", Run(new LevelStage(100_001, standIn: true), 1, schema, attacks).Flags.Select(flag => flag.Id));
        var led = Run(new LevelStage(9, standIn: false), 1, schema, attacks, weights: 2);   // only whole numbers lead to the other side: there a search rightly finds more
        Assert.InRange(led.Curve[0].ByAttack["search"], 2, 60);
        Assert.DoesNotContain("F8", led.Flags.Select(flag => flag.Id));
    }

    [Fact]
    public void Random_answers_are_reported_and_the_mean_of_draws_is_attacked()
    {
        var naive = Run(new NoiseStage(8, 0.05), 1);
        Assert.Contains("F6", naive.Flags.Select(flag => flag.Id));
        var mean = Run(new NoiseStage(8, 0.05), 20);
        Assert.DoesNotContain(mean.Flags, flag => flag.Id is "F1" or "F6" or "F12" or "F13");
        Assert.InRange(mean.Curve[0].ByAttack["apgd-margin"], 20, 60);
    }

    private static SuiteReport Run(IInputStage<float> stage, int draws, FeatureSchema? schema = null, string[]? attacks = null, int weights = 8)
    {
        schema ??= s_schema;
        var network = new DenseNetwork<float>(new(8, [], 1));
        for (var i = 0; i < weights; i++)
            network.Weights(0)[i] = i % 2 == 0 ? 4 : -4;
        var random = new SeededDraws(9);
        float[] rows = [.. Enumerable.Range(0, 60 * 8).Select(_ => (float)random.Uniform())];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = schema.Features[i % 8].Kind == FeatureKind.Integer ? MathF.Floor(rows[i] * 10) : rows[i];
        var encoder = new FeatureEncoder(schema);
        var staged = new StagedScorer(encoder, new DifferentiableNetwork<float>(network), stage, draws);
        var scores = new float[60];
        new NetworkScorer(schema, network).Score(rows, 60, scores);
        var target = new TabularTarget(staged, new(encoder, TabularConstraints.None.Compile(schema)), staged.Gradients);
        return AttackSuite.Run(target, rows, [.. scores.Select(score => score >= 0.5 ? 1 : 0)], new() { Attacks = attacks ?? ["apgd-margin", "hopskipjump"], Strengths = [0.2], Steps = 30, Queries = 200 }, cancel: TestContext.Current.CancellationToken);
    }
}
