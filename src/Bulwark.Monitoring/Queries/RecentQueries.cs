using System.Numerics;

namespace Bulwark.Monitoring.Queries;

/// <summary>The sketches of the last queries, and of each coarse cell the numbers of its last ones: 64 bytes a query, in memory that does not grow.</summary>
/// <remarks>Where ordinary queries crowd, a cell's last ones reach back a short time, and that is the time over which they are judged.</remarks>
internal sealed class RecentQueries
{
    internal const int MostOfACell = 64;
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
        Span<uint> found = stackalloc uint[KeyedSketch.Tables * MostOfACell];
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
                for (var i = 0; i < MostOfACell; i++)
                    found[(table * MostOfACell) + i] = now - ring[(head - 1 - i) & (MostOfACell - 1)];
                ring[head & (MostOfACell - 1)] = now;
                head = (byte)((head + 1) & (MostOfACell - 1));
            }

            sketch.CopyTo(_sketches.AsSpan((int)(now & (uint)(_slots - 1)) * KeyedSketch.Numbers));
        }

        return Merge(sketch, found, oldest, now, reach, ages, distances);
    }

    private int Merge(ReadOnlySpan<short> sketch, ReadOnlySpan<uint> found, uint oldest, uint now, int reach, Span<uint> ages, Span<int> distances)
    {
        Span<int> at = stackalloc int[KeyedSketch.Tables];
        at.Clear();
        var count = 0;
        while (true)
        {
            var youngest = uint.MaxValue;
            for (var table = 0; table < KeyedSketch.Tables; table++)
                if (at[table] < MostOfACell)
                    youngest = Math.Min(youngest, found[(table * MostOfACell) + at[table]]);
            if (youngest > oldest || youngest == 0)
                return count;
            for (var table = 0; table < KeyedSketch.Tables; table++)
                if (at[table] < MostOfACell && found[(table * MostOfACell) + at[table]] == youngest)
                    at[table]++;
            var distance = KeyedSketch.SquaredDistance(sketch, _sketches.AsSpan((int)((now - youngest) & (uint)(_slots - 1)) * KeyedSketch.Numbers, KeyedSketch.Numbers));
            if (distance <= reach)
                (ages[count], distances[count++]) = (youngest, distance);
        }
    }
}
