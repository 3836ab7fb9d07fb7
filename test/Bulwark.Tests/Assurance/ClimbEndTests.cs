using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

/// <summary>A climb for the verdict alone ends early and finds what a whole one finds.</summary>
public class ClimbEndTests
{
    [Theory]
    [InlineData(PerturbationNorm.Linf, 0.04)]
    [InlineData(PerturbationNorm.L2, 0.15)]
    [InlineData(PerturbationNorm.L1, 0.6)]
    public void The_same_rows_fall_for_fewer_questions(PerturbationNorm norm, double epsilon)
    {
        var attack = new AutoProjectedGradientDescent { Norm = norm, Epsilon = epsilon, Steps = 60, Loss = Loss.Margin };
        var (whole, asked) = Broken(attack);
        var (verdict, askedAgain) = Broken(attack with { VerdictOnly = true });
        Assert.Equal(whole, verdict);
        Assert.Contains(true, whole);
        Assert.Contains(false, whole);
        Assert.True(askedAgain < asked, $"{askedAgain} of {asked}");
    }

    [Theory]
    [InlineData(PerturbationNorm.Linf, 0.04)]
    [InlineData(PerturbationNorm.L2, 0.15)]
    public void Targets_that_are_ruled_out_are_out_of_reach(PerturbationNorm norm, double epsilon)
    {
        var attack = new AutoProjectedGradientDescent { Norm = norm, Epsilon = epsilon, Steps = 100, RandomStart = true };
        var (whole, asked) = Targeted(attack);
        var (verdict, askedAgain) = Targeted(attack with { VerdictOnly = true });
        Assert.Equal(whole, verdict);
        Assert.True(askedAgain < asked * 2 / 3, $"{askedAgain} of {asked}");
    }

    [Fact]
    public void Only_a_clear_lead_ends_a_climb()
    {
        Assert.False(ClimbEnds.ClearlyWrong<float>([1, 1.0005f, 0], 0));
        Assert.True(ClimbEnds.ClearlyWrong<float>([1, 1.01f, 0], 0));
        Assert.False(ClimbEnds.ClearlyWrong<float>([100, 100.01f], 0));
        Assert.True(ClimbEnds.ClearlyWrong<float>([-0.1f], 1));
        Assert.False(ClimbEnds.ClearlyWrong<float>([-0.1f], 0));
    }

    [Fact]
    public void A_target_that_a_plateau_hides_is_climbed_again_and_F3_is_raised()
    {
        var (rows, labels) = (Plateau.Rows(), new int[Plateau.Count]);
        var options = new SuiteOptions { Attacks = ["apgd-t"], Strengths = [0.1] };
        var target = new PointTarget(new QueriedNetwork(new Plateau()), new Plateau());
        var unseen = AttackSuite.Run(target, rows, labels, options with { Checks = false }, cancel: TestContext.Current.CancellationToken);
        Assert.True(unseen.RuledOut is { OnRowsThatHeld: > 10, ClimbedAgain: 0 }, $"{unseen.RuledOut}");
        var report = AttackSuite.Run(target, rows, labels, options, cancel: TestContext.Current.CancellationToken);
        Assert.Contains(report.Flags, flag => flag.Id == "F3" && flag.Finding.Contains("ended early", StringComparison.Ordinal));
        Assert.True(report.RuledOut is { Fell: > 0 } && report.RuledOut.ClimbedAgain == report.RuledOut.OnRowsThatHeld, $"{report.RuledOut}");   // one falls: all are climbed again
        Assert.Equal(unseen.Curve[0].Robust.Count - report.RuledOut!.Fell, report.Curve[0].Robust.Count);
        Assert.Contains($"{report.RuledOut.Ended} climbs ended early", report.RuledOut.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_ended_early_is_known_to_a_run_that_is_taken_up_again_and_to_the_merged_report()
    {
        var path = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        try
        {
            var options = new SuiteOptions { Attacks = ["apgd-t"], Strengths = [0.04], Checks = false };
            SuiteReport Run(SuiteOptions options, SuiteState? state) => AttackSuite.Run(PlantedModels.Target(), PlantedModels.Inputs, PlantedModels.Labels, options, state, cancel: TestContext.Current.CancellationToken);
            var first = Run(options, new(path, options, "planted")).RuledOut;
            Assert.True(first is { Ended: > 0 });
            Assert.Equal(first, Run(options, new(path, options, "planted")).RuledOut);
            Assert.Equal(first, AttackSuite.Merge([Run(options with { Shards = 2 }, null), Run(options with { Shards = 2, Shard = 1 }, null)]).RuledOut);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static (bool[] Broken, long Asked) Broken(AutoProjectedGradientDescent attack)
    {
        var model = new CountedGradients(new DifferentiableNetwork<float>(PlantedModels.Network));
        var broken = new bool[PlantedModels.Rows];
        attack.Run(model, PlantedModels.Inputs, PlantedModels.Labels, [], [], new float[PlantedModels.Inputs.Length], [], broken);
        return (broken, model.Asked);
    }

    private static (bool[] Broken, long Asked) Targeted(AutoProjectedGradientDescent attack)
    {
        var model = new CountedGradients(new DifferentiableNetwork<float>(PlantedModels.Network));
        var broken = new bool[PlantedModels.Rows];
        TargetedEnsemble.Climb(attack, model, PlantedModels.Inputs, PlantedModels.Labels, [], new float[PlantedModels.Inputs.Length], broken);
        return (broken, model.Asked);
    }

    /// <summary>Two classes; the wrong one leads only in a narrow place whose surroundings are almost flat.</summary>
    private sealed class Plateau : IDifferentiableModel<float>
    {
        internal const int Count = 60;
        private const float Centre = 0.53f;
        private const float Half = 0.004f;
        private float[] _points = [];

        public int Inputs => 2;

        public int Outputs => 2;

        public int MaxRows => 64;

        internal static float[] Rows()
        {
            var draws = new SeededDraws(8);
            return [.. Enumerable.Range(0, Count).SelectMany(_ => (float[])[(float)(0.47 + (0.04 * draws.Uniform())), (float)draws.Uniform()])];
        }

        public ReadOnlySpan<float> Forward(ReadOnlySpan<float> points, int rows)
        {
            _points = points[..(rows * 2)].ToArray();
            return Enumerable.Range(0, rows).SelectMany(row => (float[])[0, Math.Abs(_points[row * 2] - Centre) < Half ? 1 : -1 - (0.001f * Math.Abs(_points[row * 2] - Centre))]).ToArray();
        }

        public void Backward(ReadOnlySpan<float> outputGradient, Span<float> inputGradient)
        {
            inputGradient.Clear();
            for (var row = 0; row < _points.Length / 2; row++)
                inputGradient[row * 2] = outputGradient[(row * 2) + 1] * 0.001f * Math.Sign(Centre - _points[row * 2]);
        }
    }

    private sealed class CountedGradients(IDifferentiableModel<float> inner) : IDifferentiableModel<float>
    {
        internal long Asked { get; private set; }

        public int Inputs => inner.Inputs;

        public int Outputs => inner.Outputs;

        public int MaxRows => inner.MaxRows;

        public ReadOnlySpan<float> Forward(ReadOnlySpan<float> points, int rows)
        {
            Asked += rows;
            return inner.Forward(points, rows);
        }

        public void Backward(ReadOnlySpan<float> outputGradient, Span<float> inputGradient) => inner.Backward(outputGradient, inputGradient);
    }
}
