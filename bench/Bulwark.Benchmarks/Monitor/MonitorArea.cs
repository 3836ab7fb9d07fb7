using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Monitoring;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>What the query monitor sees of searches by queries, unaware ones and ones that know it, on the URL data; and what an observation costs.</summary>
internal static class MonitorArea
{
    private const int MostQueries = 500;
    private const int OrdinaryBetween = 5;

    public static int Run(string[] arguments)
    {
        var attacked = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 100;
        Cost();
        var path = Path.Combine(Environment.GetEnvironmentVariable("BULWARK_SHARED") ?? "../shared", "data/url-phishing/dataset_phishing.csv");
        if (!File.Exists(path))
        {
            Console.WriteLine($"detection: skipped, there is no {path}");
            return 0;
        }

        Detection(path, attacked);
        return 0;
    }

    private static void Detection(string path, int attacked)
    {
        var data = DatasetFile.ReadAsync(path, new(), new SchemaOptions { Label = "status", Positive = ["phishing"] }).GetAwaiter().GetResult().Encode();
        var (width, order) = (data.Width, Enumerable.Range(0, data.Rows).ToArray());
        new Random(1).Shuffle(order);
        float[] Rows(IEnumerable<int> rows) => [.. rows.SelectMany(row => data.Row(row).ToArray())];
        var network = Trainer.Train(new EncodedDataset(Rows(order[..4000]), width, [.. order[..4000].Select(row => data.Labels[row])]), null, new TrainingOptions()).Network;
        var monitor = QueryMonitor.Fit(RandomNumberGenerator.GetBytes(32), Rows(order[4000..8000]), width);
        var traffic = order[8000..];
        var alarms = traffic.Count(row => monitor.Observe(data.Row(row)).IsAlarm);
        Console.WriteLine($"URL data, {width} columns; thresholds {string.Join(' ', monitor.Thresholds.Select(value => value.ToString("F1", CultureInfo.InvariantCulture)))}; false alarms on {traffic.Length} rows that set nothing: {alarms} ({(double)alarms / traffic.Length:P2})");
        var pool = Rows(traffic.Where(row => data.Labels[row] == 0));
        var victims = traffic.Where(row => data.Labels[row] == 1 && Logit(network, data.Row(row)) > 0).Take(attacked).ToArray();
        foreach (var leastMove in (double[])[0, 0.1, 0.2, 0.3, 0.4])
            Print(leastMove, [.. victims.Select((row, index) => Attack(monitor, data, traffic, new QuerySearcher(network, pool, leastMove, index), data.Row(row).ToArray()))]);
    }

    /// <summary>One attack between ordinary queries: at which query it succeeded and at which it was first seen; null for never.</summary>
    private static (int? Succeeded, int? Seen) Attack(QueryMonitor monitor, EncodedDataset data, int[] traffic, QuerySearcher searcher, float[] start)
    {
        monitor.Age();
        monitor.Age();
        var (next, query) = (0, 0);
        (int? Succeeded, int? Seen) outcome = default;
        for (; next < 1000; next++)
            monitor.Observe(data.Row(traffic[next]));
        foreach (var (row, succeeds) in searcher.Search(start, MostQueries))
        {
            query++;
            for (var i = 0; i < OrdinaryBetween && next < traffic.Length; i++)
                monitor.Observe(data.Row(traffic[next++]));
            if (monitor.Observe(row).IsAlarm)
                outcome.Seen ??= query;
            if (succeeds)
                outcome.Succeeded = query;
        }

        return outcome;
    }

    private static void Print(double leastMove, (int? Succeeded, int? Seen)[] attacks)
    {
        var before = attacks.Count(attack => attack.Succeeded is { } success && !(attack.Seen <= success));
        var seen = attacks.Where(attack => attack.Seen is not null).Select(attack => attack.Seen!.Value).Order().ToList();
        var lengthy = attacks.Count(attack => attack.Succeeded is not <= 12);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  moves of at least {leastMove:F1}: {attacks.Count(attack => attack.Succeeded is not null)} of {attacks.Length} succeed in the end, {before} before an alarm; seen {seen.Count} (of {lengthy} longer than 12 queries {attacks.Count(a => a.Succeeded is not <= 12 && a.Seen is not null)}), after {(seen.Count == 0 ? 0 : seen[seen.Count / 2])} queries in the middle, at most {seen.LastOrDefault()}"));
    }

    private static void Cost()
    {
        const int Width = 60, Stored = 1_000_000;
        var random = new Random(2);
        float[] Row() => [.. Enumerable.Range(0, Width).Select(_ => random.NextSingle())];
        var rows = Enumerable.Range(0, 4096).Select(_ => Row()).ToArray();
        var monitor = QueryMonitor.Fit(RandomNumberGenerator.GetBytes(32), [.. rows.SelectMany(row => row)], Width, new QueryMonitorOptions { Capacity = 1 << 20 });
        var row = Row();
        for (var i = 0; i < Stored; i++)
        {
            row[i % Width] = random.NextSingle();
            monitor.Observe(row);
        }

        var times = new List<double>();
        for (var i = 0; i < 20_000; i++)
        {
            row[i % Width] = random.NextSingle();
            var began = Stopwatch.GetTimestamp();
            monitor.Observe(row);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
        }

        times.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"an observation of {Width} columns with {Stored} counted: {times[times.Count / 2]:F1} µs in the middle, p99 {times[(int)(times.Count * 0.99)]:F1} µs; {2.0 * 2 * 12:F0} bytes a query of capacity"));
    }

    private static float Logit(Networks.DenseNetwork<float> network, ReadOnlySpan<float> row)
    {
        Span<float> logit = stackalloc float[1];
        network.Forward(row, 1, logit);
        return logit[0];
    }
}
