using System.Security.Cryptography;
using Bulwark.Monitoring.Queries;

namespace Bulwark.Monitoring;

/// <summary>How a query monitor is set up.</summary>
public sealed record QueryMonitorOptions
{
    /// <summary>Share of ordinary queries that may raise an alarm; thresholds are set for it on ordinary rows.</summary>
    public double FalseAlarmRate { get; init; } = 0.001;

    /// <summary>Queries that a generation of counters holds; two are kept.</summary>
    public int Capacity { get; init; } = 1 << 17;

    /// <summary>Sides of the cells, in typical distances between an ordinary row and its nearest neighbour, small to large.</summary>
    public IReadOnlyList<double> CellWidths { get; init; } = [0.5, 1.5, 4];

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!(FalseAlarmRate is > 0 and < 0.5))
            yield return $"{nameof(FalseAlarmRate)} is {FalseAlarmRate}; it must lie between 0 and 0.5.";
        if (Capacity is < 256 or > 1 << 24)
            yield return $"{nameof(Capacity)} is {Capacity}; it must lie between 256 and {1 << 24}.";
        if (CellWidths.Count is < 1 or > 8 || CellWidths.Any(width => !(width > 0) || !double.IsFinite(width)))
            yield return $"{nameof(CellWidths)} must hold 1 to 8 widths, finite and above 0.";
    }
}

/// <summary>What the monitor says of one query.</summary>
/// <param name="IsAlarm">True when queries crowd here more than ordinary ones do.</param>
/// <param name="Excess">How much more, in parts of the threshold: above 1 is an alarm. The largest over the cell sizes.</param>
/// <param name="Level">Which cell size that was, from 0, the smallest.</param>
public readonly record struct QueryVerdict(bool IsAlarm, double Excess, int Level);

/// <summary>Sees searches in a stream of queries: many queries close together where ordinary rows are few, whoever sends them.</summary>
/// <remarks>
/// A search by queries (evasion, boundary walks, probing for one row) asks again and again near one place. Ordinary traffic crowds, too, but where ordinary rows
/// crowd. So the monitor counts queries in keyed cells of several sizes, over all clients together, and compares with what ordinary rows would give there: the
/// excess is the Chernoff exponent of the count under a Poisson law with the ordinary rate, the second smallest over four tables. Thresholds come from ordinary
/// rows that did not set the rates. It keeps counters only, no rows and no clients. Row after exactly equal row (a client's retry) counts once.
/// Problem and attacks: Chen et al. 2019 (arXiv:1907.05587); Feng et al., CCS 2023 (arXiv:2303.06280). Thread-safe; an observation takes one short lock.
/// </remarks>
public sealed class QueryMonitor
{
    private const int RecentRows = 1 << 14;
    private const int FewestRows = 200;
    private const int LeastTraffic = 1000;   // of a quiet hour no rates are taken: two queries are no crowd
    private const double Margin = 1.5;   // the largest of few rows is a low estimate of a rare quantile
    private readonly KeyedGrid _grid;
    private readonly CellCounts _ordinary;
    private readonly CellCounts _counts;
    private readonly ulong[] _recent = new ulong[RecentRows];
    private readonly double[] _thresholds;
    private readonly int _width;
    private readonly Lock _lock = new();

    private QueryMonitor(KeyedGrid grid, int width, CellCounts ordinary, int capacity)
    {
        (_grid, _width, _ordinary) = (grid, width, ordinary);
        _counts = new CellCounts(grid.Levels * KeyedGrid.Tables, capacity);
        _thresholds = new double[grid.Levels];
        Array.Fill(_thresholds, double.PositiveInfinity);
    }

    /// <summary>The thresholds of the excess, one a cell size; before scaling by them.</summary>
    public IReadOnlyList<double> Thresholds => _thresholds;

    /// <summary>A monitor for rows like <paramref name="rows"/>: half of them give the ordinary rates, the other half, as if it were traffic, the thresholds.</summary>
    /// <param name="key">At least 16 secret bytes; who knows them can place queries where they are not seen.</param>
    /// <param name="rows">Shape (count, width), row-major: ordinary rows, encoded to [0, 1], in any order; at least 400.</param>
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
        var order = Enumerable.Range(0, rows.Length / width).ToArray();
        new Random(BitConverter.ToInt32(SHA256.HashData(key), 0)).Shuffle(order);
        var half = order.Length / 2;
        var scale = TypicalDistance(rows, width, order.AsSpan(0, Math.Min(half, 500)));
        var grid = new KeyedGrid(key, width, [.. options.CellWidths.Select(cell => cell * scale)]);
        var ordinary = new CellCounts(grid.Levels * KeyedGrid.Tables, Math.Max(half, 1 << 16));
        Span<ulong> cells = stackalloc ulong[grid.Levels * KeyedGrid.Tables];
        Span<int> before = stackalloc int[cells.Length];
        foreach (var row in order.AsSpan(0, half))
        {
            grid.Place(rows.Slice(row * width, width), cells);
            ordinary.Add(cells, before);
        }

        var monitor = new QueryMonitor(grid, width, ordinary, options.Capacity);
        monitor.Calibrate(rows, order.AsSpan(half), options.FalseAlarmRate);
        return monitor;
    }

    /// <summary>Counts a query and judges it.</summary>
    /// <param name="row">One encoded row of the monitor's width.</param>
    /// <exception cref="ArgumentException">The row has another width.</exception>
    public QueryVerdict Observe(ReadOnlySpan<float> row)
    {
        if (row.Length != _width)
            throw new ArgumentException($"A row of {row.Length} values; this monitor watches rows of {_width}.", nameof(row));
        Span<double> excess = stackalloc double[_thresholds.Length];
        Measure(row, excess);
        var (largest, level) = (0.0, 0);
        for (var i = 0; i < excess.Length; i++)
        {
            if (excess[i] / _thresholds[i] > largest)
                (largest, level) = (excess[i] / _thresholds[i], i);
        }

        return new(largest > 1, largest, level);
    }

    /// <summary>Drops what is older than the present generation; two calls forget everything.</summary>
    public void Age()
    {
        lock (_lock)
            _counts.Turn();
    }

    private void Measure(ReadOnlySpan<float> row, Span<double> excess)
    {
        Span<ulong> cells = stackalloc ulong[excess.Length * KeyedGrid.Tables];
        Span<int> before = stackalloc int[cells.Length];
        Span<int> usual = stackalloc int[cells.Length];
        _grid.Place(row, cells);
        var digest = _grid.DigestOf(row) | 1;
        int total;
        lock (_lock)
        {
            ref var recent = ref _recent[digest >> 50];
            if (recent == digest)
                return;
            recent = digest;
            total = _counts.Total;
            _counts.Add(cells, before);
        }

        _ordinary.Read(cells, usual);
        for (var level = 0; level < excess.Length; level++)
            excess[level] = Excess(before.Slice(level * KeyedGrid.Tables, KeyedGrid.Tables), usual.Slice(level * KeyedGrid.Tables, KeyedGrid.Tables), total);
    }

    /// <summary>The second smallest over the tables: one table whose border runs through the crowd, or one shared counter, does not decide.</summary>
    private double Excess(ReadOnlySpan<int> before, ReadOnlySpan<int> usual, int total)
    {
        var (least, second) = (double.PositiveInfinity, double.PositiveInfinity);
        for (var table = 0; table < before.Length; table++)
        {
            var rate = Math.Max(total, LeastTraffic) * (usual[table] + 1.0) / (_ordinary.Total + 1.0);
            var exponent = before[table] <= rate ? 0 : (before[table] * Math.Log(before[table] / rate)) - before[table] + rate;
            (least, second) = exponent < least ? (exponent, least) : (least, Math.Min(second, exponent));
        }

        return second;
    }

    /// <summary>Plays ordinary rows as traffic and sets each threshold above what they reach, but for their share of false alarms.</summary>
    private void Calibrate(ReadOnlySpan<float> rows, ReadOnlySpan<int> order, double falseAlarmRate)
    {
        var count = order.Length;
        var reached = _thresholds.Select(_ => new List<double>(count)).ToArray();
        Span<double> excess = stackalloc double[_thresholds.Length];
        foreach (var row in order)
        {
            excess.Clear();
            Measure(rows.Slice(row * _width, _width), excess);
            for (var level = 0; level < excess.Length; level++)
                reached[level].Add(excess[level]);
        }

        var allowed = (int)(order.Length * falseAlarmRate / _thresholds.Length);
        for (var level = 0; level < _thresholds.Length; level++)
            _thresholds[level] = Math.Max(1, reached[level].OrderDescending().ElementAt(allowed) * Margin);
        _counts.Turn();
        _counts.Turn();
        Array.Clear(_recent);
    }

    private static double TypicalDistance(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> sample)
    {
        var nearest = new List<double>();
        foreach (var one in sample)
        {
            var least = double.PositiveInfinity;
            foreach (var other in sample)
            {
                var distance = System.Numerics.Tensors.TensorPrimitives.Distance(rows.Slice(one * width, width), rows.Slice(other * width, width));
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
