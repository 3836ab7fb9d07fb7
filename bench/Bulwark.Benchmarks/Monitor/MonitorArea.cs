using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Monitoring;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>What the query monitor sees of searches by queries, unaware ones and ones that know it, on the URL data; and what an observation costs.</summary>
internal static class MonitorArea
{
    private static readonly SearchStyle[] s_styles =
    [
        new("unaware", 0, 0, 5), new("unaware, noise on every quantity", 0, 0.03, 5),
        new("aware, moves of at least 0.1", 0.1, 0, 5), new("aware, moves of at least 0.2", 0.2, 0, 5), new("aware, moves of at least 0.3", 0.3, 0, 5),
        new("aware, moves of at least 0.4", 0.4, 0, 5), new("aware, moves of at least 0.3 and noise", 0.3, 0.03, 5),
        new("aware and slow (60 ordinary queries between)", 0.3, 0, 60),
    ];

    public static int Run(string[] arguments)
    {
        if (arguments is ["extraction"])
        {
            ExtractionRates.Measure(Path.Combine(Environment.GetEnvironmentVariable("BULWARK_SHARED") ?? "../shared", "data/url-phishing/dataset_phishing.csv"));
            return 0;
        }

        if (arguments is ["keys", ..])
        {
            KeyToKey.Measure(new SearchScene(Path.Combine(Environment.GetEnvironmentVariable("BULWARK_SHARED") ?? "../shared", "data/url-phishing/dataset_phishing.csv")), s_styles[..2], 100,
                arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 16);
            return 0;
        }

        var attacked = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 100;
        var only = arguments.Contains("oars");   // the adaptive attackers alone
        if (!only)
            ObservationCost.Measure();
        var data = Path.Combine(Environment.GetEnvironmentVariable("BULWARK_SHARED") ?? "../shared", "data");
        if (!Directory.Exists(data))
        {
            Console.WriteLine($"detection: skipped, there is no {data}");
            return 0;
        }

        if (only)
        {
            Detection(Path.Combine(data, "url-phishing/dataset_phishing.csv"), attacked, []);
            return 0;
        }

        FalseAlarms.Measure("URL", Path.Combine(data, "url-phishing/dataset_phishing.csv"), "status", "phishing");
        FalseAlarms.Measure("credit default", Path.Combine(data, "uci_default_credit.csv"), null, null);
        Detection(Path.Combine(data, "url-phishing/dataset_phishing.csv"), attacked, s_styles);
        return 0;
    }

    private static void Detection(string path, int attacked, SearchStyle[] styles)
    {
        var scene = new SearchScene(path);
        var (data, ordinary, traffic) = (scene.Data, scene.Ordinary, scene.Traffic);
        var key = RandomNumberGenerator.GetBytes(32);
        var monitor = QueryMonitor.Fit(key, ordinary, data.Width);
        var lax = QueryMonitor.Fit(key, ordinary, data.Width, new QueryMonitorOptions { FalseAlarmRate = 0.01 });
        OarsTable[] adaptive = [.. ((int[])[5, 60]).Select(between => new OarsTable(data, ordinary, scene.Rows(scene.Learnt), traffic, between))];
        foreach (var (name, robust) in SearchScene.Networks)
        {
            var network = scene.Train(robust);
            var victims = scene.Refused(network, attacked);
            Console.WriteLine($"{name}: {victims.Length} refused rows are attacked within L2 0.5, at most 500 queries each; at 0.1 % false alarms, and at 1 %:");
            foreach (var style in styles)
            {
                var attacks = victims.Select((row, index) => Attack(monitor, lax, scene, new QuerySearcher(network, scene.Pool, scene.Quantities, style, index), row, style)).ToArray();
                Print(style.Name, attacks);
            }

            int[] thrownAway = [.. scene.Learnt.Where(row => data.Labels[row] == 1).Take(40)];
            foreach (var table in adaptive)
                table.Print(network, victims, thrownAway, scene.Pool, scene.Quantities);
        }
    }

    /// <summary>One attack between ordinary queries.</summary>
    private static SearchOutcome Attack(QueryMonitor monitor, QueryMonitor lax, SearchScene scene, QuerySearcher searcher, int start, SearchStyle style)
    {
        const int MostQueries = 500, Warm = 1000;
        QueryMonitor[] both = [monitor, lax];
        foreach (var one in both)
        {
            one.Age();
            one.Age();
        }

        var (others, data) = (scene.Others(start), scene.Data);
        var (next, query, outcome) = (0, 0, new SearchOutcome());
        for (; next < Warm; next++)
            Array.ForEach(both, one => one.Observe(data.Row(others[next])));
        foreach (var (row, succeeds) in searcher.Search(data.Row(start).ToArray(), Math.Min(MostQueries, (others.Length - Warm) / style.OrdinaryBetween)))
        {
            query++;
            for (var i = 0; i < style.OrdinaryBetween; i++, next++)
                Array.ForEach(both, one => one.Observe(data.Row(others[next])));
            outcome.Ask(query, succeeds, monitor.Observe(row).IsAlarm, lax.Observe(row).IsAlarm);
        }

        return outcome;
    }

    private static void Print(string name, SearchOutcome[] attacks)
    {
        var before = attacks.Count(attack => attack.SucceedsUnseen);
        var seen = attacks.Where(attack => attack.Seen is not null).Select(attack => attack.Seen!.Value).Order().ToList();
        var longer = attacks.Where(attack => attack.Asked > 12).ToArray();
        var flagged = attacks.Sum(attack => attack.FlaggedByLax) / (double)attacks.Sum(attack => attack.Asked);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {name}: {attacks.Count(attack => attack.Succeeded is not null)} of {attacks.Length} succeed in the end, {before} before an alarm (of them {attacks.Count(a => a.SucceedsUnseen && a.Succeeded <= 3)} with the first two changes); of {longer.Length} with more than 12 queries {longer.Count(a => a.Seen <= 12)} are seen within 12; alarm at query {(seen.Count == 0 ? 0 : seen[seen.Count / 2])} in the middle, {seen.LastOrDefault()} at most; at 1 %: {flagged:P0} of the queries, {attacks.Count(a => a.SeenByLax is { } at && !(a.Succeeded < at))} of the attacks before success"));
    }
}
