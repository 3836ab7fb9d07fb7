using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Monitoring;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>False alarms on ordinary rows that set nothing, replayed in several orders under several keys, with retries.</summary>
internal static class FalseAlarms
{
    private const int Keys = 5;
    private const double Retries = 0.02;

    internal static void Measure(string name, string path, string? label, string? positive)
    {
        if (!File.Exists(path))
        {
            Console.WriteLine($"false alarms on {name}: skipped, there is no {path}");
            return;
        }

        label ??= File.ReadLines(path).First().Split(',')[^1].Trim('"', '\r', ' ');
        var data = DatasetFile.ReadAsync(path, new(), new SchemaOptions { Label = label, Positive = [positive ?? "1"] }).GetAwaiter().GetResult().Encode();
        var order = Enumerable.Range(0, data.Rows).ToArray();
        var (alarms, asked, most) = (0, 0, 0);
        for (var seed = 0; seed < Keys; seed++)
        {
            var random = new Random(seed);
            random.Shuffle(order);
            var monitor = QueryMonitor.Fit(RandomNumberGenerator.GetBytes(32), [.. order[..4000].SelectMany(row => data.Row(row).ToArray())], data.Width);
            var before = alarms;
            foreach (var row in order.Skip(4000).Take(8000))
            {
                for (var again = true; again; again = random.NextDouble() < Retries)
                    (alarms, asked) = (alarms + (monitor.Observe(data.Row(row)).IsAlarm ? 1 : 0), asked + 1);
            }

            most = int.Max(most, alarms - before);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"false alarms on {name}, {data.Width} columns, 4000 ordinary rows to learn from, {Keys} keys, {Retries:P0} retries: {alarms} of {asked} ({(double)alarms / asked:P3}), at most {most} under one key"));
    }
}
