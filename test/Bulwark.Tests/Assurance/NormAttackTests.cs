using Bulwark.Assurance;
using Bulwark.Networks;

namespace Bulwark.Tests.Assurance;

public class NormAttackTests
{
    private const int Width = 12;
    private const int Rows = 40;
    private static readonly double[] s_inputs = [.. Draw(Rows * Width, 3).Select(value => 0.3 + (0.4 * value))];
    private static readonly double[] s_normal = [.. Draw(Width, 4).Select(value => value - 0.5)];

    [Theory]
    [InlineData(PerturbationNorm.Linf)]
    [InlineData(PerturbationNorm.L2)]
    [InlineData(PerturbationNorm.L1)]
    public void The_nearest_boundary_of_a_linear_model_is_found(PerturbationNorm norm)
    {
        var (model, labels) = Linear();
        var (points, distances) = (new double[s_inputs.Length], new double[Rows]);
        new FastAdaptiveBoundary { Norm = norm, Steps = 50 }.Run(model, s_inputs, labels, [.. labels.Select(label => 1 - label)], [], points, distances);
        for (var row = 0; row < Rows; row++)
        {
            var exact = Math.Abs(Score(row)) / DualLength(norm);
            if (exact > 0.25)
                continue;   // the box may be in the way
            Assert.InRange(distances[row], exact, (exact * 1.06) + 1e-9);
        }
    }

    [Theory]
    [InlineData(PerturbationNorm.Linf)]
    [InlineData(PerturbationNorm.L2)]
    [InlineData(PerturbationNorm.L1)]
    public void Climbing_a_linear_model_reaches_the_best_point_of_the_ball(PerturbationNorm norm)
    {
        var (model, labels) = Linear();
        var (points, losses) = (new double[s_inputs.Length], new double[Rows]);
        new AutoProjectedGradientDescent { Norm = norm, Epsilon = 0.2, Loss = Loss.Margin }.Run(model, s_inputs, labels, [], [], points, losses);
        for (var row = 0; row < Rows; row++)
        {
            var best = (0.2 * DualLength(norm)) - Math.Abs(Score(row));
            Assert.InRange(losses[row], best - (0.01 * DualLength(norm)) - 1e-3, best + 1e-9);
        }
    }

    [Fact]
    public void An_L1_projection_is_nearer_than_any_other_point_of_the_ball()
    {
        var draws = new SeededDraws(9);
        for (var trial = 0; trial < 200; trial++)
        {
            double[] original = [.. Enumerable.Range(0, 6).Select(_ => draws.Uniform())];
            double[] wish = [.. original.Select(value => value + draws.Normal())];
            double[] projected = [.. wish];
            L1Projection.Project(original, 0.7, projected);
            Assert.True(Sum(projected, original) <= 0.7 + 1e-12);
            Assert.All(projected, value => Assert.InRange(value, 0, 1));
            var nearest = Squared(projected, wish);
            for (var other = 0; other < 50; other++)
            {
                // A random point of the ball, next to the projection or anywhere.
                double[] point = [.. projected.Select((value, j) => Math.Clamp(other < 25 ? value + (0.05 * draws.Normal()) : draws.Uniform(), 0, 1))];
                var share = Math.Min(1, 0.7 / Sum(point, original));
                point = [.. point.Select((value, j) => original[j] + ((value - original[j]) * share))];
                Assert.True(Squared(point, wish) >= nearest - 1e-9);
            }
        }
    }

    [Fact]
    public void Two_classes_have_targets_and_a_saturated_model_a_gradient()
    {
        var (model, labels) = Linear(steepness: 5000);
        var broken = new bool[Rows];
        TargetedEnsemble.Climb(new() { Epsilon = 0.3 }, model, s_inputs, labels, [], new double[s_inputs.Length], broken);
        var reachable = Enumerable.Range(0, Rows).Select(row => Math.Abs(Score(row)) < 0.3 * DualLength(PerturbationNorm.Linf)).ToArray();
        Assert.Equal(reachable, broken);

        var gradient = new double[2];
        new AttackObjective(null).Evaluate<double>([0.0, 5000.0], [1], [], 2, new double[1], gradient);
        Assert.Equal(0, gradient[0]);
        new AttackObjective(null, Rescaled: true).Evaluate<double>([0.0, 5000.0], [1], [], 2, new double[1], gradient);
        Assert.True(gradient[0] > 0);
    }

    [Fact]
    public void A_rows_random_start_does_not_depend_on_its_neighbours()
    {
        var (model, labels) = Linear();
        var attack = new ProjectedGradientDescent { Epsilon = 0.1, RandomStart = true, Steps = 1, StepSize = 0.01, Seed = 5 };
        var (all, alone) = (new double[s_inputs.Length], new double[Width]);
        attack.Run(model, s_inputs, labels, [], all);
        attack.Run(model, s_inputs.AsSpan(7 * Width, Width), labels.AsSpan(7, 1), [], alone);
        Assert.Equal(all[(7 * Width)..(8 * Width)], alone);
    }

    [Fact]
    public void Squares_stay_in_reach_and_in_budget_and_find_what_there_is()
    {
        var network = new DenseNetwork<float>(new(36, [], 2));
        for (var i = 0; i < 36; i++)
            network.Weights(0)[(i * 2) + 1] = 1;
        network.Biases(0)[1] = -18;
        var draws = new SeededDraws(2);
        float[] inputs = [.. Enumerable.Range(0, 20 * 36).Select(_ => (float)draws.Uniform())];
        int[] labels = [.. inputs.Chunk(36).Select(row => row.Sum() > 18 ? 1 : 0)];
        var adversarial = new float[inputs.Length];
        var attack = new SquareAttack { Epsilon = 0.15, Height = 6, Width = 6, Queries = 400, Seed = 3 };
        var spent = attack.Run(new QueriedNetwork(new DifferentiableNetwork<float>(network)), inputs, labels, adversarial);
        for (var i = 0; i < inputs.Length; i++)
        {
            Assert.InRange(adversarial[i], 0, 1);
            Assert.True(Math.Abs(adversarial[i] - inputs[i]) <= 0.15 + 1e-6);
        }

        Assert.All(spent, queries => Assert.InRange(queries, 1, 400));
        var broken = adversarial.Chunk(36).Select((row, i) => (row.Sum() > 18 ? 1 : 0) != labels[i]).ToArray();
        Assert.Equal(Enumerable.Range(0, 20).Where(row => broken[row]), Enumerable.Range(0, 20).Where(row => spent[row] < 400 || broken[row]));
        Assert.True(broken.Count(true) >= 15);
    }

    /// <summary>Two logits, 0 and steepness · normal · (x - ½); no box in the way.</summary>
    private static (DifferentiableNetwork<double> Model, int[] Labels) Linear(double steepness = 1)
    {
        var network = new DenseNetwork<double>(new(Width, [], 2));
        for (var j = 0; j < Width; j++)
        {
            network.Weights(0)[(j * 2) + 1] = s_normal[j] * steepness;
            network.Biases(0)[1] -= s_normal[j] * steepness / 2;
        }

        return (new(network), [.. Enumerable.Range(0, Rows).Select(row => Score(row) > 0 ? 1 : 0)]);
    }

    private static double Score(int row) => Enumerable.Range(0, Width).Sum(j => s_normal[j] * (s_inputs[(row * Width) + j] - 0.5));

    private static double DualLength(PerturbationNorm norm) => norm switch
    {
        PerturbationNorm.Linf => s_normal.Sum(Math.Abs),
        PerturbationNorm.L2 => Math.Sqrt(s_normal.Sum(value => value * value)),
        _ => s_normal.Max(Math.Abs),
    };

    private static IEnumerable<double> Draw(int count, ulong seed)
    {
        var draws = new SeededDraws(seed);
        return [.. Enumerable.Range(0, count).Select(_ => draws.Uniform())];
    }

    private static double Sum(double[] one, double[] other) => one.Zip(other).Sum(pair => Math.Abs(pair.First - pair.Second));

    private static double Squared(double[] one, double[] other) => one.Zip(other).Sum(pair => (pair.First - pair.Second) * (pair.First - pair.Second));
}
