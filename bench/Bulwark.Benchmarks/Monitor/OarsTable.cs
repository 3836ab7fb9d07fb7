using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Assurance;
using Bulwark.Monitoring;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Monitor;

/// <summary>Attackers after OARS against the query monitor, which withholds the answer to what it sees: with one identity, and with twenty that it takes away one by one.</summary>
internal sealed class OarsTable
{
    private const int Many = 20;
    private const int Warm = 1000;
    private const int MostQueries = 400;
    private const int ThrownAway = 40;
    private readonly EncodedDataset _data;
    private readonly int[] _traffic;
    private readonly int _between;
    private readonly QueryMonitor _strict;
    private readonly QueryMonitor _lax;
    private readonly QueryMonitor _theirs;

    /// <param name="data">Encoded rows, shape (rows, width).</param>
    /// <param name="ordinary">What monitors are fitted to.</param>
    /// <param name="theirs">Ordinary rows that the attacker has; his own monitor is fitted to them, under another key.</param>
    /// <param name="traffic">Rows that ordinary clients ask.</param>
    /// <param name="between">Ordinary queries between two of the attacker's.</param>
    internal OarsTable(EncodedDataset data, float[] ordinary, float[] theirs, int[] traffic, int between)
    {
        (_data, _traffic, _between) = (data, traffic, between);
        var key = RandomNumberGenerator.GetBytes(32);
        _strict = QueryMonitor.Fit(key, ordinary, _data.Width);
        _lax = QueryMonitor.Fit(key, ordinary, _data.Width, new QueryMonitorOptions { FalseAlarmRate = 0.01 });
        _theirs = QueryMonitor.Fit(RandomNumberGenerator.GetBytes(32), theirs, _data.Width);
    }

    /// <summary>One table for a model.</summary>
    internal void Print(DenseNetwork<float> network, int[] victims, int[] thrownAway, float[] pool, int[] quantities)
    {
        double[] moves = [.. ((double[])[0, 0.25, 0.5]).Select(hits => Tuned(network, thrownAway, pool, quantities, hits))];
        Console.WriteLine($"  OARS, {_between} ordinary queries between any two; answers to alarms are withheld, and cost an identity; own moves are tuned on {ThrownAway} thrown-away queries a size, at no cost:");
        (string Name, double Least, double Margin)[] ways =
        [
            ("unaware", 1e-6, 0),
            .. ((double[])[0.1, 0.2, 0.3, 0.4]).Select(least => ($"moves of at least {least}", least, 0.0)),
            .. moves.Zip((double[])[0, 0.25, 0.5], (move, hits) => (string.Create(CultureInfo.InvariantCulture, $"tuned to {hits:P0} withheld: moves of at least {move:F2}"), move, 0.0)),
            ("drawn anew until its own monitor is silent", 1e-6, 1), ("the same, at half of its threshold", 1e-6, 0.5), ("moves of at least 0.2 and its own monitor", 0.2, 0.7),
        ];
        foreach (var (name, least, margin) in ways)
        {
            foreach (var identities in (int[])[1, Many])
            {
                var outcomes = victims.Select((row, index) => Attack(network, row, pool, quantities, least, margin, identities, (ulong)index)).ToArray();
                var succeeded = outcomes.Count(outcome => outcome.Found.Succeeded is not null);
                var stuck = outcomes.Count(outcome => outcome.Found.Stuck);
                var interval = ClopperPearson.Interval(succeeded, outcomes.Length);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  {name}, {identities} {(identities == 1 ? "identity" : "identities")}: {succeeded} of {outcomes.Length} succeed before {(identities == 1 ? "an alarm" : $"{identities} alarms")} ({interval.Lower:P0} to {interval.Upper:P0}; limit {(identities == 1 ? "10" : "15")} %), {stuck} ended because no point was left that keeps their own distance (no win of the monitor), {outcomes.Average(outcome => outcome.Found.Asked):F0} queries on average; at 1 % false alarms {outcomes.Sum(outcome => outcome.Flagged) / (double)outcomes.Sum(outcome => outcome.Found.Asked):P0} of the queries are seen"));
            }
        }
    }

    private double Tuned(DenseNetwork<float> network, int[] rows, float[] pool, int[] quantities, double hits)
    {
        var next = 0;
        return HiddenSearch.Tune(move =>
        {
            var row = rows[next++ % rows.Length];
            var played = new Played(this, _strict, row);
            var search = new HiddenSearch(pool, _data.Width, quantities, new() { LeastMove = move, Identities = ThrownAway, Queries = ThrownAway }, (ulong)(1000 + next));
            return search.Run(_data.Row(row).ToArray(), asked => played.Ask(asked) ? null : 1 + Math.Abs(Logit(network, asked)));   // it goes on: what passes is of no interest here
        }, hits, 0.5);
    }

    private (HiddenSearchOutcome Found, int Flagged) Attack(DenseNetwork<float> network, int row, float[] pool, int[] quantities, double least, double margin, int identities, ulong seed)
    {
        var (strict, lax) = (new Played(this, _strict, row), new Played(this, _lax, row));
        var (asked, flagged) = (new List<ReadOnlyMemory<byte>>(), 0);
        double Suspicion(float[] one)
        {
            var earlier = Enumerable.Range(0, asked.Count).Select(i => new EarlierQuery((asked.Count - i) * (_between + 1L), asked[i])).Reverse();
            return _theirs.Judge(_theirs.FingerprintOf(one), earlier).Excess;
        }

        var search = new HiddenSearch(pool, _data.Width, quantities, new() { LeastMove = least, Identities = identities, Queries = MostQueries, Tries = 100, Suspicion = margin > 0 ? Suspicion : null, Bearable = margin }, seed);
        var found = search.Run(_data.Row(row).ToArray(), one =>
        {
            asked.Add(_theirs.FingerprintOf(one).Sketch);
            flagged += lax.Ask(one) ? 1 : 0;
            return strict.Ask(one) ? null : Logit(network, one);
        });
        return (found, flagged);
    }

    private static float Logit(DenseNetwork<float> network, ReadOnlySpan<float> row)
    {
        Span<float> logit = stackalloc float[1];
        network.Forward(row, 1, logit);
        return logit[0];
    }

    /// <summary>A monitor among ordinary clients, which has forgotten earlier attacks.</summary>
    private sealed class Played
    {
        private readonly OarsTable _table;
        private readonly QueryMonitor _monitor;
        private readonly int[] _others;
        private int _next;

        internal Played(OarsTable table, QueryMonitor monitor, int row)
        {
            (_table, _monitor) = (table, monitor);
            monitor.Age();
            monitor.Age();
            _others = [.. table._traffic.Where(other => other != row)];
            new Random(row).Shuffle(_others);
            Ordinary(Warm);
        }

        /// <summary>True when the query raises an alarm.</summary>
        internal bool Ask(float[] row)
        {
            Ordinary(_table._between);
            return _monitor.Observe(row).IsAlarm;
        }

        private void Ordinary(int queries)
        {
            for (var i = 0; i < queries; i++)
                _monitor.Observe(_table._data.Row(_others[_next++ % _others.Length]));
        }
    }
}
