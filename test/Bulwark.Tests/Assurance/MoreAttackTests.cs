using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

public class MoreAttackTests
{
    [Fact]
    public void Carlini_and_Wagner_find_the_nearest_point_across_a_plane()
    {
        var network = new DenseNetwork<float>(new(3, [], 1));
        (network.Weights(0)[0], network.Weights(0)[1], network.Weights(0)[2], network.Biases(0)[0]) = (3, 4, 0, -3.5f);
        float[] inputs = [0.3f, 0.4f, 0.5f, 0.7f, 0.6f, 0.5f];
        var points = new float[6];
        new CarliniWagner { Steps = 300, Weights = 8, Rate = 0.02f }.Run(new DifferentiableNetwork<float>(network), inputs, [0, 1], [], points);
        for (var row = 0; row < 2; row++)
        {
            var (x, y) = (inputs[row * 3], inputs[(row * 3) + 1]);
            var nearest = Math.Abs((3 * x) + (4 * y) - 3.5) / 5;
            Assert.InRange(PerturbationBall<float>.Distance(PerturbationNorm.L2, points.AsSpan(row * 3, 3), inputs.AsSpan(row * 3, 3)), nearest, nearest * 1.06);
        }

        // What may not move does not, and the row stays where nothing can be reached.
        new CarliniWagner().Run(new DifferentiableNetwork<float>(network), inputs, [0, 1], [false, false, true], points);
        Assert.Equal(inputs, points);
    }

    [Theory]
    [InlineData("boundary", 600, 0.4)]
    [InlineData("cw", 0, 0.5)]
    [InlineData("random", 60, 0.01)]
    public void An_attack_breaks_rows_within_its_questions(string attack, int most, double least)
    {
        var target = attack == "cw" ? PlantedModels.Target() : new PointTarget(new QueriedNetwork(new DifferentiableNetwork<float>(PlantedModels.Network)), null);
        var report = AttackSuite.Run(target, PlantedModels.Inputs, PlantedModels.Labels, new() { Norm = PerturbationNorm.L2, Strengths = [0.6], Queries = Math.Max(1, most), Attacks = [attack], Checks = false }, cancel: TestContext.Current.CancellationToken);
        Assert.InRange(report.Curve[0].AttackSuccess.Rate, least, 1);
        Assert.All(report.Rows, row => Assert.InRange(row.Queries, 0, most));
    }

    [Fact]
    public void Evolution_breaks_rows_under_constraints_and_sends_only_what_can_be_sent()
    {
        var (raw, labels) = Victims.Rows(60);
        var constraints = (TabularConstraints.None with { Relations = [new() { Name = "few for little", Rule = "count <= amount / 20 + 10" }] }).Compile(Victims.Schema);
        using var scorer = Victims.Scorer();
        var target = new TabularTarget(scorer, new(Victims.Encoder, constraints), null);
        var options = new SuiteOptions { Strengths = [0.2], Queries = 400, Attacks = ["evolve"], Checks = false };
        var report = AttackSuite.Run(target, raw, labels, options, cancel: TestContext.Current.CancellationToken);
        Assert.InRange(report.Curve[0].AttackSuccess.Rate, 0.2, 1);
        Assert.All(report.Rows, row => Assert.InRange(row.Queries, 0, 400));

        var (sent, spent) = (new float[raw.Length], new int[labels.Length]);
        new EvolutionarySearch { Reach = new(PerturbationNorm.Linf, 0.2), Queries = 200 }.Run(target.Rows, target.Space, raw, labels, sent, spent);
        for (var row = 0; row < labels.Length; row++)
        {
            Assert.Equal(raw[(row * 3) + 2], sent[(row * 3) + 2]);
            Assert.Null(target.Reject(new(PerturbationNorm.Linf, 0.2), sent.AsSpan(row * 3, 3), raw.AsSpan(row * 3, 3)));
        }
    }

    [Fact]
    public void Draws_belong_to_the_row()
    {
        var whole = Run(["boundary"], 2, [0, 1]);
        Assert.Equal(whole, [.. Run(["boundary"], 1, [0]), .. Run(["boundary"], 1, [1])]);
    }

    private static IEnumerable<string?> Run(string[] attacks, int rows, int[] chosen)
    {
        var target = new PointTarget(new QueriedNetwork(new DifferentiableNetwork<float>(PlantedModels.Network)), null);
        var report = AttackSuite.Run(target, AttackSuite.Pick(PlantedModels.Inputs, PlantedModels.Width, chosen), [.. chosen.Select(row => PlantedModels.Labels[row])], new() { Norm = PerturbationNorm.L2, Strengths = [0.6], Queries = 300, Attacks = attacks, Checks = false });
        Assert.Equal(rows, report.Rows.Count);
        return [.. report.Rows.Select(row => $"{row.BrokenBy[0]} {row.Queries}")];
    }
}
