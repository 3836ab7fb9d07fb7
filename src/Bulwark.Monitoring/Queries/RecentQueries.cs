using System.Numerics;

namespace Bulwark.Monitoring.Queries;

/// <summary>The sketches of the last queries, and of each coarse cell the numbers of its last ones: 64 bytes a query, in memory that does not grow.</summary>
/// <remarks>Where ordinary queries crowd, a cell's last ones reach back a short time, and that is the time over which they are judged.</remarks>
internal sealed class RecentQueries
{
    internal const int MostOfACell = 64;
    private const int Row = MostOfACell + 1;   // with an end that is older than all
    private readonly short[] _sketches;
    private readonly uint[] _cells;          // (tables, cells, MostOfACell), a ring each
    private readonly byte[] _heads;          // (tables, cells): where the next number goes
    private readonly int _slots;
    private readonly int _cellMask;
    private readonly Lock _lock = new();
    private long _now;
    private long _floor;
    private long _nextFloor;

    internal RecentQueries(int capacity)
    {
        _slots = (int)BitOperations.RoundUpToPowerOf2((uint)capacity);
        var cells = Math.Max(1024, _slots / MostOfACell);
        _cellMask = cells - 1;
        _sketches = new short[_slots * KeyedSketch.Numbers];
        _cells = new uint[KeyedSketch.Tables * cells * MostOfACell];
        _heads = new byte[KeyedSketch.Tables * cells];
    }

    /// <summary>Forgets what was there at the call before this one.</summary>
    internal void Age()
    {
        lock (_lock)
            (_floor, _nextFloor) = (_nextFloor, _now);
    }

    /// <summary>Adds a query; of those before it in its cells, newest first: how many queries ago and how far.</summary>
    /// <param name="sketch">The query's.</param>
    /// <param name="cells">Its cells.</param>
    /// <param name="reach">The largest squared distance of interest.</param>
    /// <param name="ages">Room for all, <see cref="KeyedSketch.Tables"/> · <see cref="MostOfACell"/>.</param>
    /// <param name="distances">As many; squared.</param>
    /// <returns>How many there are.</returns>
    internal int Exchange(ReadOnlySpan<short> sketch, ReadOnlySpan<ulong> cells, int reach, Span<uint> ages, Span<int> distances)
    {
        Span<uint> found = stackalloc uint[KeyedSketch.Tables * Row];
        uint now, oldest;
        lock (_lock)
        {
            now = (uint)++_now;
            oldest = (uint)Math.Min(_slots - 1, _now - 1 - _floor);
            for (var table = 0; table < KeyedSketch.Tables; table++)
            {
                var cell = (table * (_cellMask + 1)) + (int)(cells[table] & (ulong)_cellMask);
                ref var head = ref _heads[cell];
                var ring = _cells.AsSpan(cell * MostOfACell, MostOfACell);
                var ofTable = found.Slice(table * Row, Row);
                for (var i = 0; i < MostOfACell; i++)
                    ofTable[i] = now - ring[(head - 1 - i) & (MostOfACell - 1)];
                ofTable[MostOfACell] = uint.MaxValue;
                ring[head & (MostOfACell - 1)] = now;
                head = (byte)((head + 1) & (MostOfACell - 1));
            }

            sketch.CopyTo(_sketches.AsSpan((int)(now & (uint)(_slots - 1)) * KeyedSketch.Numbers));
        }

        var all = Unite(found, oldest, ages);
        return Near(sketch, now, reach, ages[..all], distances);
    }

    /// <summary>The ages of all tables, newest first, each once.</summary>
    private static int Unite(ReadOnlySpan<uint> found, uint oldest, Span<uint> ages)
    {
        var (i, j, k, l, count) = (0, Row, 2 * Row, 3 * Row, 0);
        while (true)
        {
            var (a, b, c, d) = (found[i], found[j], found[k], found[l]);
            var youngest = Math.Min(Math.Min(a, b), Math.Min(c, d));
            if (youngest > oldest || youngest == 0)
                return count;
            ages[count++] = youngest;
            i += a == youngest ? 1 : 0;
            j += b == youngest ? 1 : 0;
            k += c == youngest ? 1 : 0;
            l += d == youngest ? 1 : 0;
        }
    }

    /// <summary>Keeps those within reach. Their sketches lie all over the memory: nothing in this loop waits for the one before.</summary>
    private int Near(ReadOnlySpan<short> sketch, uint now, int reach, Span<uint> ages, Span<int> distances)
    {
        var count = 0;
        foreach (var age in ages)
        {
            var distance = KeyedSketch.SquaredDistance(sketch, _sketches.AsSpan((int)((now - age) & (uint)(_slots - 1)) * KeyedSketch.Numbers, KeyedSketch.Numbers));
            (ages[count], distances[count]) = (age, distance);
            count += distance <= reach ? 1 : 0;
        }

        return count;
    }
}
