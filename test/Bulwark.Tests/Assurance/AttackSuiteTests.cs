using System.Text.Json;
using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

public class AttackSuiteTests
{
    private static readonly SuiteOptions s_options = new() { Attacks = ["apgd-ce", "apgd-t", "hopskipjump", "random", "transfer"], Strengths = [0.03, 0.06], Steps = 20, Queries = 200, Checks = false };

    [Fact]
    public void Shards_together_are_the_whole()
    {
        // Transfer learns from the rows that it is given: it alone depends on the shard.
        var options = s_options with { Attacks = ["apgd-ce", "apgd-t", "hopskipjump", "random"] };
        var whole = Run(options);
        var parts = Enumerable.Range(0, 3).Select(shard => Run(options with { Shard = shard, Shards = 3 })).ToArray();
        Assert.Equal(Text(whole.Rows), Text(AttackSuite.Merge(parts).Rows));
        Assert.Contains("one report of each", Assert.Throws<ArgumentException>(() => AttackSuite.Merge(parts[..2])).Message, StringComparison.Ordinal);
        Assert.Contains("other options", Assert.Throws<ArgumentException>(() => AttackSuite.Merge([parts[0], parts[1] with { Options = parts[1].Options with { Seed = 9 } }])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stopped_run_goes_on_where_it_was_and_asks_nothing_twice()
    {
        using var folder = new TemporaryFolder();
        var whole = Run(s_options);
        var file = folder["state"];
        Run(s_options, new SuiteState(file, s_options, "model data"));
        string[] lines = File.ReadAllLines(file);
        // As after a crash: three finished blocks and half a line.
        File.WriteAllText(file, string.Join('\n', lines[..4]) + "\n" + lines[4][..10]);
        Assert.Equal(Text(whole.Rows), Text(Run(s_options, new SuiteState(file, s_options, "model data")).Rows));
        Assert.Equal(lines, File.ReadAllLines(file));
        Assert.Contains("another model", Assert.Throws<InvalidDataException>(() => new SuiteState(file, s_options, "other")).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => new SuiteState(file, s_options with { Seed = 3 }, "model data"));
    }

    [Fact]
    public void A_success_that_could_not_be_sent_does_not_count()
    {
        var target = PlantedModels.Target();
        var task = new SuiteTask(target, s_options, new(PerturbationNorm.Linf, 0.05), PlantedModels.Inputs, PlantedModels.Labels);
        float[] far = [.. PlantedModels.Inputs.Select(value => 1 - value)];
        Assert.Contains(true, target.Wrong(far, PlantedModels.Labels));
        Assert.DoesNotContain(true, SuiteRun.Judge(task, far));
    }

    [Fact]
    public void Questions_alone_break_rows_within_their_budget()
    {
        var target = new PointTarget(new QueriedNetwork(new DifferentiableNetwork<float>(PlantedModels.Network)), null);
        var report = AttackSuite.Run(target, PlantedModels.Inputs, PlantedModels.Labels, new() { Strengths = [0.1], Queries = 400, Attacks = ["hopskipjump"], Checks = false }, cancel: TestContext.Current.CancellationToken);
        Assert.False(report.WhiteBox);
        Assert.InRange(report.Curve[0].AttackSuccess.Rate, 0.3, 1);
        Assert.All(report.Rows, row => Assert.InRange(row.Queries, 0, 400));
    }

    [Fact]
    public void Random_and_shattered_stages_are_seen_through()
    {
        var inner = new DifferentiableNetwork<float>(PlantedModels.Network);
        var noisy = new StagedModel<float>(inner, new Noise(), draws: 20);
        var shattered = new StagedModel<float>(inner, new Steps());
        foreach (var model in (IDifferentiableModel<float>[])[noisy, shattered])
        {
            var target = new PointTarget(new QueriedNetwork(model), model);
            var report = AttackSuite.Run(target, PlantedModels.Inputs, PlantedModels.Labels, new() { Strengths = [0.1], Attacks = ["apgd-margin"], Steps = 40, Checks = false }, cancel: TestContext.Current.CancellationToken);
            Assert.InRange(report.Curve[0].AttackSuccess.Rate, 0.5, 1);
        }
    }

    [Fact]
    public void Options_that_make_no_run_are_refused_with_all_reasons()
    {
        var fault = Assert.Throws<ArgumentException>(() => Run(new() { Strengths = [0], Steps = 0, Attacks = ["nothing"], Shard = 2 }));
        foreach (var part in (string[])["Strengths", "Steps", "nothing", "Shard 2"])
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
        Assert.Contains("does not fit", Assert.Throws<ArgumentException>(() => Run(s_options with { Attacks = ["capgd"] })).Message, StringComparison.Ordinal);
    }

    private static SuiteReport Run(SuiteOptions options, SuiteState? state = null) => AttackSuite.Run(PlantedModels.Target(), PlantedModels.Inputs, PlantedModels.Labels, options, state, cancel: TestContext.Current.CancellationToken);

    private static string Text(IReadOnlyList<SuiteRow> rows) => JsonSerializer.Serialize(rows);

    private sealed class Noise : IInputStage<float>
    {
        public void Forward(ReadOnlySpan<float> points, ulong draw, Span<float> output)
        {
            var draws = new SeededDraws(draw);
            for (var i = 0; i < points.Length; i++)
                output[i] = points[i] + (float)(0.05 * draws.Normal());
        }
    }

    /// <summary>Eight levels: no derivative anywhere.</summary>
    private sealed class Steps : IInputStage<float>
    {
        public void Forward(ReadOnlySpan<float> points, ulong draw, Span<float> output)
        {
            for (var i = 0; i < points.Length; i++)
                output[i] = MathF.Round(points[i] * 7) / 7;
        }
    }
}
