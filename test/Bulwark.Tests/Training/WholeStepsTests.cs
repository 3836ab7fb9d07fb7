using Bulwark.Networks;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

public class WholeStepsTests
{
    private const float Radius = 0.5f;
    private static readonly float[] s_centre = [0.5f, 0.5f, 0.5f, 0.5f];

    [Fact]
    public void The_length_goes_to_the_whole_unit_that_gains_most_and_the_rest_to_what_is_free()
    {
        var moved = Ascend([1, 0.1f, 1, 0], units: [0, 0, 0.25, 0.25]);   // one unit of the third value, and what is left of the length for the first two
        Assert.Equal(0.75f, moved[2], 1e-6f);
        Assert.Equal(0.5f, moved[3]);
        Assert.Equal(Radius, Distance(moved), 1e-5);
        Assert.True(moved[0] > 0.9f, $"{moved[0]}");
    }

    [Fact]
    public void A_unit_that_takes_the_whole_length_is_bought_when_nothing_else_gains_as_much()
    {
        var moved = Ascend([0, 0, 0.1f, 1], units: [0, 0, 0.25, 0.5]);   // cheaper ones first would leave no room for it
        Assert.Equal([0.5f, 0.5f, 0.5f, 1f], moved);
    }

    [Fact]
    public void Coarse_values_move_by_whole_units_within_bounds_and_radius()
    {
        var random = new Random(5);
        double[] units = [0, 0.1, 0.25, 1 / 3.0];
        var whole = new WholeSteps(units, Radius);
        for (var trial = 0; trial < 500; trial++)
        {
            float[] centre = [random.NextSingle(), random.Next(11) / 10f, random.Next(5) / 4f, random.Next(4) / 3f];
            float[] slopes = [.. Enumerable.Range(0, 4).Select(_ => (random.NextSingle() * 2) - 1)];
            float[] moved = [.. centre];
            for (var step = 0; step < 3; step++)
                whole.Ascend(moved, slopes, centre, 0.2f, Radius);
            Assert.All(moved, value => Assert.InRange(value, 0, 1));
            Assert.InRange(Math.Sqrt(moved.Zip(centre).Sum(pair => Math.Pow(pair.First - pair.Second, 2))), 0, Radius + 1e-5);
            for (var i = 1; i < 4; i++)
            {
                var count = (moved[i] - centre[i]) / units[i];
                Assert.Equal(Math.Round(count), count, 1e-4);
                Assert.True(count * slopes[i] >= 0, "a unit against the slope");
            }
        }
    }

    [Fact]
    public void An_attack_with_units_moves_coarse_values_whole_and_each_row_by_itself()
    {
        var network = DenseNetwork<float>.Create(new NetworkShape(4, [8], 1), 7);
        var rows = new EncodedDataset([.. Enumerable.Range(0, 32).Select(i => i % 4 == 2 ? 0.25f * (i % 5) : 0.1f + (i / 40f))], 4, [1, 0, 1, 0, 1, 0, 1, 0]);
        float[] together = Moved(network, rows, [0, 1, 2, 3, 4, 5, 6, 7]), alone = Moved(network, rows, [5]);
        Assert.Equal(alone, together[20..24]);
        Assert.Contains(Enumerable.Range(0, 8), row => Math.Abs(together[(row * 4) + 2] - rows.Features[(row * 4) + 2]) > 0.2f);
        Assert.All(Enumerable.Range(0, 8), row => Assert.Equal(0, Math.IEEERemainder(together[(row * 4) + 2] - rows.Features[(row * 4) + 2], 0.25), 1e-5));
    }

    [Fact]
    public void The_worst_of_all_points_is_kept_row_by_row()
    {
        var worst = new WorstPoints(1);
        worst.Keep([1, 2], [0.5f, 0.1f]);
        worst.Keep([3, 4], [0.4f, 0.2f]);
        var points = new float[2];
        worst.Take(points);
        Assert.Equal([1f, 4f], points);
        worst.Forget();
        worst.Keep([5, 6], [0, 0]);
        worst.Take(points);
        Assert.Equal([5f, 6f], points);
    }

    private static float[] Moved(DenseNetwork<float> network, EncodedDataset rows, int[] chosen)
    {
        var robust = new RobustOptions { Norm = RobustNorm.Length, Epsilon = 0.5, Steps = 3, OnlyPositives = false, Units = [0, 0, 0.25, 0] };
        Assert.Empty(robust.Faults());
        var batch = new Batch(rows.Rows, 4);
        batch.Load(rows, chosen);
        return new TrainingAttack(robust, network, 1).Move(batch).ToArray();
    }

    private static float[] Ascend(float[] slopes, double[] units)
    {
        float[] moved = [.. s_centre];
        new WholeSteps(units, Radius).Ascend(moved, slopes, s_centre, step: 1, Radius);
        return moved;
    }

    private static double Distance(float[] moved) => Math.Sqrt(moved.Zip(s_centre).Sum(pair => Math.Pow(pair.First - pair.Second, 2)));
}
