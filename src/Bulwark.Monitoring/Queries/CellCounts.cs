namespace Bulwark.Monitoring.Queries;

/// <summary>How many queries fell into each cell lately: two generations of hashed counters, of which the older is dropped when the younger is full.</summary>
/// <remarks>Memory is fixed: two bytes a counter, one counter a query that a generation holds, table and level. Cells that share a counter make counts too high, never too low.</remarks>
internal sealed class CellCounts(int cells, int capacity)
{
    private readonly int _mask = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity) - 1;
    private readonly int _capacity = capacity;
    private ushort[] _young = new ushort[cells * ((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity))];
    private ushort[] _old = new ushort[cells * ((int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity))];
    private int _inYoung;
    private int _inOld;

    /// <summary>Queries that the counters hold.</summary>
    internal int Total => _inYoung + _inOld;

    /// <summary>Reads the count of each cell as it was, and adds one query.</summary>
    internal void Add(ReadOnlySpan<ulong> placed, Span<int> before)
    {
        if (_inYoung >= _capacity)
            Turn();
        for (var cell = 0; cell < placed.Length; cell++)
        {
            var at = (cell * (_mask + 1)) + (int)(placed[cell] & (ulong)_mask);
            before[cell] = _young[at] + _old[at];
            if (_young[at] < ushort.MaxValue)
                _young[at]++;
        }

        _inYoung++;
    }

    /// <summary>Reads the count of each cell.</summary>
    internal void Read(ReadOnlySpan<ulong> placed, Span<int> counts)
    {
        for (var cell = 0; cell < placed.Length; cell++)
        {
            var at = (cell * (_mask + 1)) + (int)(placed[cell] & (ulong)_mask);
            counts[cell] = _young[at] + _old[at];
        }
    }

    /// <summary>The younger generation becomes the older one.</summary>
    internal void Turn()
    {
        (_young, _old) = (_old, _young);
        (_inOld, _inYoung) = (_inYoung, 0);
        Array.Clear(_young);
    }
}
