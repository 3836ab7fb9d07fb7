using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Monitoring;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>What a monitor's key changes: its threshold, its false alarms, and whether searches that do not know it are seen within twelve queries.</summary>
internal static class KeyToKey
{
    private const int Soon = 12;
    private const int Warm = 1000;

    internal static void Measure(SearchScene scene, SearchStyle[] styles, int attacked, int keys)
    {
        var monitors = Enumerable.Range(0, keys).Select(key => QueryMonitor.Fit(SHA256.HashData([(byte)key]), scene.Ordinary, scene.Data.Width)).ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"thresholds of {keys} keys: {monitors.Min(monitor => monitor.Threshold):F1} to {monitors.Max(monitor => monitor.Threshold):F1}"));
        foreach (var (name, robust) in SearchScene.Networks)
        {
            var network = scene.Train(robust);
            var victims = scene.Refused(network, attacked);
            foreach (var style in styles)
            {
                // They do not know the monitor, so what they ask does not follow from it.
                var searches = victims.Select((row, index) => (Row: row, Asked: new QuerySearcher(network, scene.Pool, scene.Quantities, style, index).Search(scene.Data.Row(row).ToArray(), Soon + 1).Select(query => query.Row).ToArray()))
                    .Where(search => search.Asked.Length > Soon).ToArray();
                var late = monitors.Select(monitor => searches.Count(search => !IsSeen(monitor, scene, search.Row, search.Asked.AsSpan(0, Soon), style.OrdinaryBetween))).ToArray();
                Console.WriteLine($"{name}, {style.Name}: of {searches.Length} searches of more than {Soon} queries are not seen within {Soon}, key by key: {string.Join(' ', late)}");
            }
        }
    }

    private static bool IsSeen(QueryMonitor monitor, SearchScene scene, int row, ReadOnlySpan<float[]> queries, int between)
    {
        monitor.Age();
        monitor.Age();
        var (others, next) = (scene.Others(row), 0);
        for (; next < Warm; next++)
            monitor.Observe(scene.Data.Row(others[next]));
        foreach (var query in queries)
        {
            for (var i = 0; i < between; i++, next++)
                monitor.Observe(scene.Data.Row(others[next]));
            if (monitor.Observe(query).IsAlarm)
                return true;
        }

        return false;
    }
}
