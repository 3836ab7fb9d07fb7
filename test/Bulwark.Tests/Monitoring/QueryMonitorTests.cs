using Bulwark.Monitoring;

namespace Bulwark.Tests.Monitoring;

public class QueryMonitorTests
{
    private const int Width = 12;
    private static readonly byte[] s_key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void A_search_near_one_row_is_seen_whoever_asks_and_ordinary_traffic_is_not()
    {
        var random = new Random(1);
        var monitor = QueryMonitor.Fit(s_key, Rows(random, 4000), Width);
        var traffic = Rows(random, 4000);
        var alarms = 0;
        for (var row = 0; row < 3000; row++)
            alarms += monitor.Observe(traffic.AsSpan(row * Width, Width)).IsAlarm ? 1 : 0;
        Assert.InRange(alarms, 0, 15);
        float[] start = [.. Enumerable.Repeat(0.9f, Width)];
        int? seen = null;
        for (var query = 1; query <= 40 && seen is null; query++)
        {
            float[] asked = [.. start.Select(value => value + ((random.NextSingle() - 0.5f) * 0.05f))];
            if (monitor.Observe(asked).IsAlarm)
                seen = query;
            for (var between = 0; between < 5; between++)
                monitor.Observe(traffic.AsSpan((3000 + (query * 5) + between) * Width, Width));
        }

        Assert.InRange(seen ?? int.MaxValue, 2, 30);
    }

    [Fact]
    public void A_retry_of_the_same_row_counts_once()
    {
        var monitor = QueryMonitor.Fit(s_key, Rows(new Random(1), 2000), Width);
        float[] row = [.. Enumerable.Repeat(0.9f, Width)];
        Assert.All(Enumerable.Range(0, 500), _ => Assert.False(monitor.Observe(row).IsAlarm));
    }

    [Fact]
    public void Under_another_key_as_much_is_too_much()
    {
        var rows = Rows(new Random(1), 2000);
        double[] thresholds = [.. Enumerable.Range(0, 6).Select(key => QueryMonitor.Fit([.. s_key.Select(part => (byte)(part + key))], rows, Width).Threshold)];
        Assert.InRange(thresholds.Max() / thresholds.Min(), 1, 1.4);
    }

    [Fact]
    public void Time_forgets()
    {
        var random = new Random(1);
        var monitor = QueryMonitor.Fit(s_key, Rows(random, 2000), Width);
        float[] Near() => [.. Enumerable.Range(0, Width).Select(_ => 0.9f + ((random.NextSingle() - 0.5f) * 0.01f))];
        while (!monitor.Observe(Near()).IsAlarm)
        {
        }

        monitor.Age();
        monitor.Age();
        Assert.False(monitor.Observe(Near()).IsAlarm);
    }

    [Fact]
    public void The_same_search_counts_anew_when_time_has_passed()
    {
        var random = new Random(1);
        var monitor = QueryMonitor.Fit(s_key, Rows(random, 2000), Width);
        var search = Enumerable.Range(0, 40).Select(_ => Enumerable.Range(0, Width).Select(_ => 0.9f + ((random.NextSingle() - 0.5f) * 0.01f)).ToArray()).ToArray();
        var first = Array.FindIndex(search, row => monitor.Observe(row).IsAlarm);
        monitor.Age();
        monitor.Age();
        Assert.True(first > 0);
        Assert.Equal(first, Array.FindIndex(search, row => monitor.Observe(row).IsAlarm));
    }

    [Fact]
    public void A_neighbourhood_has_a_budget_where_one_is_set()
    {
        var random = new Random(1);
        var monitor = QueryMonitor.Fit(s_key, Rows(random, 2000), Width, new QueryMonitorOptions { NeighbourhoodBudget = 3 });
        float[] Near() => [.. Enumerable.Range(0, Width).Select(_ => 0.4f + ((random.NextSingle() - 0.5f) * 0.01f))];
        Assert.All(Enumerable.Range(0, 3), _ => Assert.False(monitor.Observe(Near()).IsBudgetSpent));
        Assert.True(monitor.Observe(Near()) is { IsBudgetSpent: true, IsAlarm: true });
    }

    [Fact]
    public void What_another_gateway_remembers_is_judged_alike()
    {
        var random = new Random(1);
        float[] rows = Rows(random, 2000);
        var (one, other) = (QueryMonitor.Fit(s_key, rows, Width), QueryMonitor.Fit(s_key, rows, Width));
        var shared = new List<QueryFingerprint>();
        for (var query = 0; query < 20; query++)
        {
            float[] asked = [.. Enumerable.Range(0, Width).Select(_ => 0.9f + ((random.NextSingle() - 0.5f) * 0.05f))];
            var print = other.FingerprintOf(asked);
            var judged = other.Judge(print, shared.AsEnumerable().Reverse().Where(earlier => earlier.Cells.Zip(print.Cells).Any(pair => pair.First == pair.Second)).Select((earlier, _) => new EarlierQuery(shared.Count - shared.IndexOf(earlier), earlier.Sketch)));
            Assert.Equal(one.Observe(asked), judged);
            shared.Add(print);
        }

        Assert.NotEqual(one.FingerprintOf(rows.AsSpan(0, Width)).Cells, QueryMonitor.Fit(new byte[32], rows, Width).FingerprintOf(rows.AsSpan(0, Width)).Cells);
    }

    [Fact]
    public void Earlier_queries_that_are_none_are_passed_over()
    {
        var monitor = QueryMonitor.Fit(s_key, Rows(new Random(1), 2000), Width);
        var print = monitor.FingerprintOf(new float[Width]);
        Assert.False(monitor.Judge(print, Enumerable.Range(1, 100).Select(age => new EarlierQuery(age, new byte[age % 48]))).IsAlarm);
        Assert.Throws<ArgumentException>(() => monitor.Judge(print with { Sketch = new byte[47] }, []));
    }

    [Fact]
    public void What_cannot_be_judged_is_refused()
    {
        var rows = Rows(new Random(1), 400);
        Assert.Contains("16 bytes", Assert.Throws<ArgumentException>(() => QueryMonitor.Fit(s_key.AsSpan(0, 8), rows, Width)).Message);
        Assert.Contains("400 ordinary rows", Assert.Throws<ArgumentException>(() => QueryMonitor.Fit(s_key, rows.AsSpan(Width), Width)).Message);
        Assert.Contains("equal", Assert.Throws<ArgumentException>(() => QueryMonitor.Fit(s_key, new float[400 * Width], Width)).Message);
        Assert.Throws<ArgumentException>(() => QueryMonitor.Fit(s_key, rows, Width).Observe(new float[Width - 1]));
        Assert.Throws<ArgumentException>(() => QueryMonitor.Fit(s_key, rows, Width, new QueryMonitorOptions { FalseAlarmRate = 0, NeighbourhoodBudget = 61 }));
    }

    /// <summary>Three clouds, as ordinary traffic has its usual customers.</summary>
    private static float[] Rows(Random random, int rows) => [.. Enumerable.Range(0, rows).SelectMany(_ =>
    {
        var centre = random.Next(3) * 0.2f;
        return Enumerable.Range(0, Width).Select(_ => Math.Clamp(centre + (random.NextSingle() * 0.4f), 0, 1));
    })];
}
