using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

/// <summary>Squares in L2: within the distance, by questions alone, and better than chance.</summary>
public class SquareLengthTests
{
    private const int Side = 12;

    [Fact]
    public void Windows_stay_within_the_distance_and_find_what_random_points_do_not()
    {
        // The class is told by how much brighter one patch is than another: a local change tips it, noise of the same length does not.
        var network = new DenseNetwork<float>(new(Side * Side, [], 1));
        for (var i = 0; i < 9; i++)
        {
            network.Weights(0)[(((2 + (i / 3)) * Side) + 2 + (i % 3))] = 1;
            network.Weights(0)[(((7 + (i / 3)) * Side) + 7 + (i % 3))] = -1;
        }

        network.Biases(0)[0] = 1.2f;
        var draws = new SeededDraws(3);
        const int Rows = 40;
        float[] rows = [.. Enumerable.Range(0, Rows * Side * Side).Select(_ => 0.5f + (float)(0.02 * draws.Uniform()))];
        int[] labels = [.. Enumerable.Repeat(1, Rows)];
        var model = new DifferentiableNetwork<float>(network);
        var target = new PointTarget(new QueriedNetwork(model), null) { Image = (1, Side, Side) };
        SuiteReport Run(string attack) => AttackSuite.Run(target, rows, labels, new() { Attacks = [attack], Norm = PerturbationNorm.L2, Strengths = [0.6], Queries = 400, Checks = false }, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(Rows, Run("random").Curve[0].Robust.Count);
        Assert.InRange(Run("square").Curve[0].Robust.Count, 0, Rows / 4);   // the suite checks each distance before it counts a success

        var moved = new float[rows.Length];
        new SquareAttack { Norm = PerturbationNorm.L2, Epsilon = 0.3, Height = Side, Width = Side, Queries = 200 }.Run(new QueriedNetwork(model), rows, labels, moved);
        for (var row = 0; row < Rows; row++)
            Assert.InRange(PerturbationBall<float>.Distance(PerturbationNorm.L2, moved.AsSpan(row * Side * Side, Side * Side), rows.AsSpan(row * Side * Side, Side * Side)), 0.25, 0.3 + 1e-5);
    }

    [Fact]
    public void There_are_no_squares_in_L1() =>
        Assert.Contains("L2", Assert.Throws<ArgumentException>(() => new SquareAttack { Norm = PerturbationNorm.L1, Epsilon = 1, Height = 1, Width = 20 }
            .Run(new QueriedNetwork(new DifferentiableNetwork<float>(PlantedModels.Network)), PlantedModels.Inputs, PlantedModels.Labels, new float[PlantedModels.Inputs.Length])).Message, StringComparison.Ordinal);
}
