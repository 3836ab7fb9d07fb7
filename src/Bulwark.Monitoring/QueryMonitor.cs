using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Bulwark.Monitoring.Queries;

namespace Bulwark.Monitoring;

/// <summary>Sees searches in a stream of queries: many queries close together where ordinary rows are few, whoever sends them.</summary>
/// <remarks>
/// A search by queries (evasion, boundary walks, probing for one row) asks again and again near one place. Ordinary traffic crowds, too, but where ordinary rows
/// crowd. So the monitor keeps keyed sketches of the last queries of all clients together, looks at those near a new one, at several distances and over several
/// times, and compares with what ordinary rows would give. The threshold comes from ordinary rows, half of them played as traffic against the other half, for a
/// stated share of false alarms. It keeps no rows and no clients. A row that was just asked exactly so (a client's retry) counts once.
/// Problem and attacks: Chen et al. 2019 (arXiv:1907.05587); Li et al., USENIX Security 2022; Feng et al., CCS 2023 (arXiv:2303.06280). Thread-safe; an observation takes one short lock.
/// </remarks>
public sealed class QueryMonitor
{
    private const int RecentRows = 1 << 14;
    private const int FewestRows = 200;
    private const int FewestPlays = 4;
    private const int MostPlays = 24;         // with fewer, which queries are too many would depend on the key and on the draw of the halves
    private const int PlayedRows = 48_000;
    private const double ShareOfRate = 0.4;   // a stream that is longer than what was played reaches further
    private static readonly double[] s_distances = [.. Enumerable.Range(0, 6).Select(level => 0.35 * Math.Pow(2, level / 2.0))];   // in typical distances
    private const int Neighbourhood = 1;   // 0.5 of a typical distance
    private readonly KeyedSketch _sketches;
    private readonly int[] _squared;
    private readonly OrdinaryRows _ordinary;
    private readonly RecentQueries _queries;
    private readonly Crowding _crowding;
    private readonly ulong[] _recent = new ulong[RecentRows];
    private readonly int? _budget;

    private QueryMonitor(KeyedSketch sketches, int[] squared, OrdinaryRows ordinary, RecentQueries queries, double threshold, int? budget, string name) =>
        (_sketches, _squared, _ordinary, _queries, _crowding, _budget, Name) = (sketches, squared, ordinary, queries, new(threshold), budget, name);

    /// <summary>What names this monitor's fingerprints: others of the same name made theirs alike, with the same key from the same rows. Says nothing of the key.</summary>
    public string Name { get; }

    /// <summary>The excess above which there is an alarm; a Chernoff exponent.</summary>
    public double Threshold => _crowding.Floor;

    /// <summary>A monitor for rows like <paramref name="rows"/>, which say how much traffic to expect where, and how far ordinary traffic goes beyond that.</summary>
    /// <param name="key">At least 16 secret bytes; who knows them can place queries where they are not seen. Gateways that share what they see share the key.</param>
    /// <param name="rows">Shape (count, width), row-major: ordinary rows, encoded to [0, 1], in the order in which they came; at least 400.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="ArgumentException">The key is short, the rows are few or not of the width, or the options have faults.</exception>
    public static QueryMonitor Fit(ReadOnlySpan<byte> key, ReadOnlySpan<float> rows, int width, QueryMonitorOptions? options = null)
    {
        options ??= new QueryMonitorOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var faults = options.Faults().ToList();
        if (key.Length < 16)
            faults.Add("The monitor's key has at least 16 bytes.");
        if (rows.Length % width != 0 || rows.Length / width < 2 * FewestRows)
            faults.Add($"{rows.Length} numbers are not {2 * FewestRows} ordinary rows of {width} or more.");
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults));
        var random = new Random(BitConverter.ToInt32(SHA256.HashData(key), 0));
        var order = Enumerable.Range(0, rows.Length / width).ToArray();
        random.Shuffle(order);
        var typical = TypicalDistance(rows, width, order.AsSpan(0, Math.Min(order.Length, 500)));
        var sketches = new KeyedSketch(key, width, typical * s_distances[^1]);
        int[] squared = [.. s_distances.Select(distance => (int)Math.Pow(distance * typical / sketches.Unit, 2))];
        var threshold = Calibrate(sketches, squared, rows, random, options.FalseAlarmRate);
        return new(sketches, squared, new OrdinaryRows(sketches, rows, order), new RecentQueries(options.Capacity), threshold, options.NeighbourhoodBudget,
            Convert.ToHexStringLower(HMACSHA256.HashData(key, System.Text.Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"name v2 {width} {typical:R}"))).AsSpan(0, 8)));
    }

    /// <summary>Counts a query and judges it.</summary>
    /// <param name="row">One encoded row of the monitor's width.</param>
    /// <exception cref="ArgumentException">The row has another width.</exception>
    public QueryVerdict Observe(ReadOnlySpan<float> row)
    {
        Span<short> sketch = stackalloc short[KeyedSketch.Numbers];
        Span<ulong> cells = stackalloc ulong[KeyedSketch.Tables];
        var digest = _sketches.Make(Sized(row), sketch, cells) | 1;
        if (Volatile.Read(ref _recent[digest >> 50]) == digest)
            return default;
        Span<uint> ages = stackalloc uint[KeyedSketch.Tables * RecentQueries.MostOfACell];
        Span<int> distances = stackalloc int[ages.Length];
        var near = _queries.Exchange(sketch, cells, _squared[^1], ages, distances);
        var verdict = Judge(sketch, ages[..near], distances[..near]);
        if (!verdict.IsAlarm)   // else asking once more would pass what was withheld
            Volatile.Write(ref _recent[digest >> 50], digest);
        return verdict;
    }

    /// <summary>What other gateways are told of a query, where they share what they see.</summary>
    /// <param name="row">One encoded row of the monitor's width.</param>
    /// <exception cref="ArgumentException">The row has another width.</exception>
    public QueryFingerprint FingerprintOf(ReadOnlySpan<float> row)
    {
        var (sketch, cells) = (new short[KeyedSketch.Numbers], new ulong[KeyedSketch.Tables]);
        var digest = _sketches.Make(Sized(row), sketch, cells);
        return new(MemoryMarshal.AsBytes<short>(sketch).ToArray(), cells, digest);
    }

    /// <summary>Judges a query beside those that share a cell with it, kept elsewhere; <see cref="Observe"/> does the same with this monitor's own memory.</summary>
    /// <param name="query">The query's fingerprint.</param>
    /// <param name="earlier">Earlier queries, newest first, each once. Those whose sketch has another length are no queries and are passed over.</param>
    public QueryVerdict Judge(QueryFingerprint query, IEnumerable<EarlierQuery> earlier)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(earlier);
        var sketch = MemoryMarshal.Cast<byte, short>(query.Sketch.Span);
        if (sketch.Length != KeyedSketch.Numbers)
            throw new ArgumentException("The fingerprint is another monitor's.", nameof(query));
        var (ages, distances) = (new List<uint>(), new List<int>());
        foreach (var (age, other) in earlier)
        {
            if (other.Length != query.Sketch.Length)
                continue;
            var distance = KeyedSketch.SquaredDistance(sketch, MemoryMarshal.Cast<byte, short>(other.Span));
            if (distance > _squared[^1])
                continue;
            ages.Add((uint)Math.Clamp(age, 1, uint.MaxValue));
            distances.Add(distance);
        }

        return Judge(sketch, CollectionsMarshal.AsSpan(ages), CollectionsMarshal.AsSpan(distances));
    }

    /// <summary>Drops what was there at the call before; two calls forget everything.</summary>
    public void Age()
    {
        _queries.Age();
        Array.Clear(_recent);   // whoever asks so late does not ask again because an answer was lost
    }

    private QueryVerdict Judge(ReadOnlySpan<short> sketch, ReadOnlySpan<uint> ages, ReadOnlySpan<int> distances)
    {
        var (spent, near) = (false, 0);
        if (_budget is { } budget)
        {
            foreach (var distance in distances)
                near += distance <= _squared[Neighbourhood] ? 1 : 0;
            spent = near >= budget;
        }

        var found = _crowding.Above(sketch, ages, distances, _squared, _ordinary);
        var isAlarm = found.Excess > Threshold || spent;
        return new(isAlarm, found.Excess / Threshold, spent ? Math.Max(near, found.Neighbours) : found.Neighbours, spent);
    }

    private ReadOnlySpan<float> Sized(ReadOnlySpan<float> row) => row.Length == _sketches.Width ? row
        : throw new ArgumentException($"A row of {row.Length} values; this monitor watches rows of {_sketches.Width}.", nameof(row));

    /// <summary>Plays ordinary rows as traffic, in their own order and in others, and sets the threshold above what they reach but for their share of false alarms.</summary>
    private static double Calibrate(KeyedSketch sketches, int[] squared, ReadOnlySpan<float> rows, Random random, double falseAlarmRate)
    {
        var count = rows.Length / sketches.Width;
        var plays = Math.Clamp(PlayedRows / (count - (count / 2)), FewestPlays, MostPlays);
        var largest = new PriorityQueue<double, double>();
        var crowding = new Crowding(0);
        var allowed = Math.Max(1, (int)(plays * (count - (count / 2)) * falseAlarmRate * ShareOfRate));
        Span<short> sketch = stackalloc short[KeyedSketch.Numbers];
        Span<ulong> cells = stackalloc ulong[KeyedSketch.Tables];
        Span<uint> ages = stackalloc uint[KeyedSketch.Tables * RecentQueries.MostOfACell];
        Span<int> distances = stackalloc int[ages.Length];
        for (var play = 0; play < plays; play++)
        {
            var order = Enumerable.Range(0, count).ToArray();
            random.Shuffle(order);
            var ordinary = new OrdinaryRows(sketches, rows, order.AsSpan(0, count / 2));
            var traffic = order[(count / 2)..];
            if (play % 2 == 0)
                Array.Sort(traffic);
            var queries = new RecentQueries(Math.Clamp(traffic.Length, 256, 1 << 20));
            var before = new HashSet<ulong>();
            foreach (var row in traffic)
            {
                if (!before.Add(sketches.Make(rows.Slice(row * sketches.Width, sketches.Width), sketch, cells)))
                    continue;
                var found = queries.Exchange(sketch, cells, squared[^1], ages, distances);
                var (excess, _) = crowding.Above(sketch, ages[..found], distances[..found], squared, ordinary);
                if (excess <= crowding.Floor)
                    continue;
                largest.Enqueue(excess, excess);
                if (largest.Count > allowed)
                    largest.Dequeue();
                if (largest.Count == allowed)
                    crowding = new(largest.Peek());
            }
        }

        return Math.Max(1, largest.Count == 0 ? 0 : largest.Peek());
    }

    /// <summary>Half of the rows have a nearest neighbour no further away than this.</summary>
    private static double TypicalDistance(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> sample)
    {
        var nearest = new List<double>();
        foreach (var one in sample)
        {
            var least = double.PositiveInfinity;
            foreach (var other in sample)
            {
                var distance = TensorPrimitives.Distance(rows.Slice(one * width, width), rows.Slice(other * width, width));
                if (distance > 1e-6 && distance < least)
                    least = distance;
            }

            if (double.IsFinite(least))
                nearest.Add(least);
        }

        nearest.Sort();
        return nearest.Count == 0 ? throw new ArgumentException("The ordinary rows are all equal.") : nearest[nearest.Count / 2];
    }
}
