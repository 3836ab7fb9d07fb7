using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Benchmarks.Channel;
using Bulwark.Monitoring;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>What an observation costs with a million remembered: among rows at random, and in the midst of a search, where the ordinary rows are looked at too.</summary>
internal static class ObservationCost
{
    private const int Width = 60;
    private const int Stored = 1 << 20;

    internal static void Measure()
    {
        var random = new Random(2);
        float[] Row() => [.. Enumerable.Range(0, Width).Select(_ => random.NextSingle())];
        var ordinary = Enumerable.Range(0, 8192).Select(_ => Row()).ToArray();
        var monitor = QueryMonitor.Fit(RandomNumberGenerator.GetBytes(32), [.. ordinary.SelectMany(row => row)], Width, new QueryMonitorOptions { Capacity = Stored });
        var row = Row();
        for (var i = 0; i < Stored; i++)
            monitor.Observe(Row());
        Print("ordinary rows", [.. Enumerable.Range(0, 20_000).Select(_ => Time(monitor, Row()))]);
        Print("a search", [.. Enumerable.Range(0, 20_000).Select(_ => Time(monitor, Vary(row, random, 0.02f)))]);
    }

    private static float[] Vary(float[] row, Random random, float by) => [.. row.Select(value => Math.Clamp(value + ((random.NextSingle() - 0.5f) * by), 0, 1))];

    private static double Time(QueryMonitor monitor, float[] row) => 1e6 * ThreadClock.Of(() => monitor.Observe(row));

    private static void Print(string of, double[] times)
    {
        Array.Sort(times);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"CPU of an observation, {of}, {Width} columns, {Stored} remembered (64 bytes each): {times[times.Length / 2]:F1} µs in the middle, p99 {times[(int)(times.Length * 0.99)]:F1} µs (limit 200)"));
    }
}
