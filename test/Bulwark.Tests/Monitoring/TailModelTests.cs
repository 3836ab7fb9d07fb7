using Bulwark.Monitoring.Statistics;

namespace Bulwark.Tests.Monitoring;

public class TailModelTests
{
    [Theory]
    [InlineData(0.001)]
    [InlineData(0.0001)]
    public void What_is_rarely_exceeded_is_told_from_few(double probability)
    {
        // Known laws, 500 values each: the true probability of exceeding what is told, in the middle of 101 draws.
        (string Law, Func<Random, double> Draw, Func<double, double> Beyond)[] laws =
        [
            ("exponential", random => -Math.Log(1 - random.NextDouble()), value => Math.Exp(-value)),
            ("Pareto of shape 0.25", random => Math.Pow(1 - random.NextDouble(), -0.25), value => Math.Pow(value, -4)),
            ("uniform", random => random.NextDouble(), value => Math.Max(0, 1 - value)),
            ("Rayleigh", random => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())), value => Math.Exp(-value * value / 2)),
        ];
        foreach (var (law, draw, beyond) in laws)
        {
            var rates = Enumerable.Range(0, 101).Select(seed =>
            {
                var random = new Random(seed);
                float[] seen = [.. Enumerable.Range(0, 500).Select(_ => (float)draw(random)).Order()];
                return beyond(TailModel.Exceeded(seen, probability)!.Value);
            }).Order().ToArray();
            // Uniform distances end: from few values their end may be told a little too far, never much too near.
            Assert.True(rates[50] < 4 * probability && (law == "uniform" || rates[50] > probability / 4), $"{law}: {rates[50]} for {probability}");
        }
    }

    [Fact]
    public void Too_few_values_or_equal_ones_have_no_tail()
    {
        Assert.Null(TailModel.Exceeded([.. Enumerable.Range(0, 199).Select(i => (float)i)], 0.001));
        Assert.Null(TailModel.Exceeded(new float[1000], 0.001));
        Assert.Null(TailModel.Exceeded([.. Enumerable.Range(0, 1000).Select(i => (float)i)], 0.2));
        Assert.Null(TailModel.Exceeded([.. Enumerable.Range(0, 1000).Select(i => (float)i)], 0));
    }

    [Fact]
    public void A_quantile_that_is_known_is_met()
    {
        float[] exponential = [.. Enumerable.Range(0, 10_000).Select(i => (float)-Math.Log(1 - ((i + 0.5) / 10_000)))];
        Assert.InRange(TailModel.Exceeded(exponential, 0.0001)!.Value, 9.0, 9.5);   // −ln 0.0001 = 9.21
    }
}
