using Bulwark.Monitoring;
using Bulwark.Monitoring.Statistics;

namespace Bulwark.Tests.Monitoring;

public class ExtractionWatchTests
{
    [Fact]
    public void Made_queries_are_seen_and_ordinary_ones_are_not()
    {
        var random = new Random(3);
        var (ordinary, made) = (new ExtractionWatch(), new ExtractionWatch());
        var seeds = new List<float[]>();
        for (var i = 0; i < 600; i++)
        {
            var row = Row(random);
            Assert.False(ordinary.Observe(row, row[0] > 0.5 ? 1 : 0));
            // After a few ordinary queries, copies with a fixed step: the shape of Jacobian augmentation.
            if (seeds.Count < 40)
                seeds.Add(row);
            else
                row = [.. seeds[i % 40].Select((value, j) => value + (0.002f * (1 + (i / 40)) * (j % 2 == 0 ? 1 : -1)))];
            made.Observe(row, row[0] > 0.5 ? 1 : 0);
        }

        Assert.False(ordinary.Alarmed);
        Assert.InRange(ordinary.W, 0.9, 1);
        Assert.True(made.Alarmed);
        Assert.InRange(made.W, 0, 0.9);
    }

    [Fact]
    public void Options_that_cannot_alarm_are_refused_with_all_reasons()
    {
        var fault = Assert.Throws<ArgumentException>(() => new ExtractionWatch(new() { Least = 1, Warmup = 3, Every = 0 }));
        foreach (var part in (string[])["Least", "Warmup", "Every"])
            Assert.Contains(part, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_no_test_takes_are_refused()
    {
        Assert.Contains("3 to 5000", Assert.Throws<ArgumentException>(() => ShapiroWilk.Test([1, 2])).Message, StringComparison.Ordinal);
        Assert.Contains("not finite", Assert.Throws<ArgumentException>(() => ShapiroWilk.Test([1, 2, double.NaN])).Message, StringComparison.Ordinal);
        Assert.Equal((1, 1), ShapiroWilk.Test([2, 2, 2, 2]));
    }

    [Fact]
    public void A_covariance_that_cannot_be_inverted_is_refused() =>
        Assert.Contains("positive definite", Assert.Throws<ArgumentException>(() => new MahalanobisDistance([0, 0], [1, 1, 1, 1])).Message, StringComparison.Ordinal);

    private static float[] Row(Random random) => [.. Enumerable.Range(0, 12).Select(_ => (float)(0.5 + (0.15 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))))];
}
