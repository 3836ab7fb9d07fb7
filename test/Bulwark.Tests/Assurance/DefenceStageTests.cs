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
    public void Random_answers_are_reported_and_the_mean_of_draws_is_attacked()
    {
        var naive = Run(new NoiseStage(8, 0.05), 1);
        Assert.Contains("F6", naive.Flags.Select(flag => flag.Id));
        var mean = Run(new NoiseStage(8, 0.05), 20);
        Assert.DoesNotContain(mean.Flags, flag => flag.Id is "F1" or "F6" or "F12" or "F13");
        Assert.InRange(mean.Curve[0].ByAttack["apgd-margin"], 20, 60);
    }

    private static SuiteReport Run(IInputStage<float> stage, int draws)
    {
        var network = new DenseNetwork<float>(new(8, [], 1));
        for (var i = 0; i < 8; i++)
            network.Weights(0)[i] = i % 2 == 0 ? 4 : -4;
        var random = new SeededDraws(9);
        float[] rows = [.. Enumerable.Range(0, 60 * 8).Select(_ => (float)random.Uniform())];
        var encoder = new FeatureEncoder(s_schema);
        var staged = new StagedScorer(encoder, new DifferentiableNetwork<float>(network), stage, draws);
        var scores = new float[60];
        new NetworkScorer(s_schema, network).Score(rows, 60, scores);
        var target = new TabularTarget(staged, new(encoder, TabularConstraints.None.Compile(s_schema)), staged.Gradients);
        return AttackSuite.Run(target, rows, [.. scores.Select(score => score >= 0.5 ? 1 : 0)], new() { Attacks = ["apgd-margin", "hopskipjump"], Strengths = [0.2], Steps = 30, Queries = 200 }, cancel: TestContext.Current.CancellationToken);
    }
}
