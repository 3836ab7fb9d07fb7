using System.Diagnostics;
using Bulwark.Lineage;

namespace Bulwark.Benchmarks.Log;

/// <summary>Durable appends per second of wall time, in turns with a bare loop of write and fsync on the same disk.</summary>
internal static class AppendRates
{
    internal const int EntryBytes = 300;
    private static readonly TimeSpan s_slice = TimeSpan.FromMilliseconds(500);

    /// <summary>One caller that waits for each append; medians over slices taken in turn, so that both meet the same disk.</summary>
    internal static async Task<(double Ours, double Bare)> SingleAsync(TransparencyLog log, string folder, TimeSpan duration)
    {
        var (ours, bare) = (new List<double>(), new List<double>());
        var entry = new byte[EntryBytes];
        await log.AppendAsync(entry);
        using var file = File.OpenHandle(Path.Combine(folder, "bare"), FileMode.Create, FileAccess.Write, FileShare.None);
        var offset = 0L;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < 2 * duration;)
        {
            ours.Add(await RateAsync(async () => await log.AppendAsync(entry)));
            bare.Add(await RateAsync(() =>
            {
                RandomAccess.Write(file, entry, offset);
                RandomAccess.FlushToDisk(file);
                offset += entry.Length;
                return Task.CompletedTask;
            }));
        }

        return (Median(ours), Median(bare));
    }

    /// <summary>Many callers at once, each waiting for its own append.</summary>
    internal static async Task<(double Rate, double P50, double P99)> BatchedAsync(TransparencyLog log, int callers, TimeSpan duration)
    {
        var entry = new byte[EntryBytes];
        var clock = Stopwatch.StartNew();
        var latencies = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            var mine = new List<double>();
            while (clock.Elapsed < duration)
            {
                var start = Stopwatch.GetTimestamp();
                await log.AppendAsync(entry);
                mine.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            return mine;
        })));
        var spent = clock.Elapsed.TotalSeconds;
        double[] all = [.. latencies.SelectMany(mine => mine).Order()];
        return (all.Length / spent, all[all.Length / 2], all[(int)(all.Length * 0.99)]);
    }

    private static async Task<double> RateAsync(Func<Task> once)
    {
        var count = 0;
        var clock = Stopwatch.StartNew();
        for (; clock.Elapsed < s_slice; count++)
            await once();
        return count / clock.Elapsed.TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
