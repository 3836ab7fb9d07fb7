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
