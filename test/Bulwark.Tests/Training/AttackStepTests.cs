using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

public class AttackStepTests
{
    private const int Width = 19;   // whole vectors and a rest

    [Fact]
    public void A_sign_step_stays_in_the_cube_and_in_the_unit_box()
    {
        var (centre, slopes) = (Row(1), Row(2, -1, 1));
        slopes[4] = 0;
        var moved = centre.ToArray();
        for (var k = 0; k < 5; k++)
            AttackStep.Sign(moved, slopes, centre, 0.07f, 0.1f);
        for (var i = 0; i < Width; i++)
        {
            var expected = slopes[i] == 0 ? centre[i] : Math.Clamp(centre[i] + (0.1f * Math.Sign(slopes[i])), 0, 1);
            Assert.Equal(expected, moved[i], 1e-6f);
        }
    }

    [Fact]
    public void A_step_of_length_ends_at_the_radius()
    {
        var (centre, slopes) = (Row(3, 0.4f, 0.6f), Row(4, -1, 1));
        var moved = centre.ToArray();
        for (var k = 0; k < 4; k++)
            AttackStep.Length(moved, slopes, centre, 0.1f, 0.2f);
        Assert.Equal(0.2, Math.Sqrt(moved.Zip(centre, (a, b) => (double)(a - b) * (a - b)).Sum()), 1e-5);
    }

    [Fact]
    public void The_way_back_to_a_budget_is_the_nearest_point_within_it()
    {
        var (centre, moved) = (Row(5, 0.3f, 0.7f), Row(6));
        double[] costs = [.. Enumerable.Range(1, Width).Select(i => i / 4.0)];
        costs[7] = double.PositiveInfinity;
        var target = moved.ToArray();
        AttackStep.BackToCost(moved, centre, costs, 0.8);
        Assert.Equal(centre[7], moved[7]);
        Assert.Equal(0.8, Spent(moved, centre, costs), 1e-5);
        var random = new Random(8);
        var nearest = Distance(moved, target);
        for (var probe = 0; probe < 2000; probe++)
        {
            float[] other = [.. moved.Select((value, i) => i == 7 ? value : value + (random.NextSingle() - 0.5f) / 50)];
            if (Spent(other, centre, costs) <= 0.8)
                Assert.True(Distance(other, target) >= nearest - 1e-6);
        }
    }

    [Fact]
    public void A_budget_is_spent_where_it_raises_the_loss_most()
    {
        float[] centre = [0.5f, 0.5f, 0.9f], moved = [0.5f, 0.5f, 0.9f], slopes = [1, -4, 3];
        AttackStep.Cost(moved, slopes, centre, [1, 2, 0.5], 0.25, 1);
        // The third value gives 6 a unit of budget, but has room for 0.1; then the second gives 2 a unit.
        Assert.Equal(1f, moved[2], 1e-6f);
        Assert.Equal(0.5f - 0.1f, moved[1], 1e-6f);
        Assert.Equal(0.5f, moved[0]);
    }

    [Fact]
    public void Draws_are_uniform_and_follow_from_row_seed_and_round()
    {
        var row = Row(9);
        var hash = RowNoise.Hash(row, 1, 2);
        Assert.Equal(hash, RowNoise.Hash(row.ToArray(), 1, 2));
        Assert.NotEqual(hash, RowNoise.Hash(row, 1, 3));
        Assert.NotEqual(hash, RowNoise.Hash(row, 2, 2));
        Assert.NotEqual(hash, RowNoise.Hash(Row(10), 1, 2));
        float[] swapped = [row[1], row[0], .. row[2..]];
        Assert.NotEqual(hash, RowNoise.Hash(swapped, 1, 2));
        var values = new float[100_003];
        RowNoise.Add(values, 0.5f, hash);
        Assert.All(values, value => Assert.InRange(value, -0.5f, 0.5f));
        Assert.Equal(0, values.Average(), 0.005);
        Assert.Equal(1 / 12.0, values.Average(value => value * value), 0.002);
    }

    private static double Spent(float[] moved, float[] centre, double[] costs) =>
        Enumerable.Range(0, moved.Length).Where(i => moved[i] != centre[i]).Sum(i => Math.Abs((double)moved[i] - centre[i]) * costs[i]);

    private static double Distance(float[] a, float[] b) => a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Where((_, i) => i != 7).Sum();

    private static float[] Row(int seed, float low = 0, float high = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Width).Select(_ => low + ((high - low) * random.NextSingle()))];
    }
}
