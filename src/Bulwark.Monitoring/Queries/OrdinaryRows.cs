namespace Bulwark.Monitoring.Queries;

/// <summary>Sketches of ordinary rows: how many of them lie near a query says how much traffic is to be expected there.</summary>
internal sealed class OrdinaryRows
{
    /// <summary>Rows that are kept; they are all looked at where queries crowd.</summary>
    internal const int Most = 4096;
    private readonly short[] _sketches;

    internal OrdinaryRows(KeyedSketch sketches, ReadOnlySpan<float> rows, ReadOnlySpan<int> order)
    {
        Count = Math.Min(order.Length, Most);
        _sketches = new short[Count * KeyedSketch.Numbers];
        Span<ulong> cells = stackalloc ulong[KeyedSketch.Tables];
        for (var i = 0; i < Count; i++)
            sketches.Make(rows.Slice(order[i] * sketches.Width, sketches.Width), _sketches.AsSpan(i * KeyedSketch.Numbers, KeyedSketch.Numbers), cells);
    }

    internal int Count { get; }

    /// <summary>Adds to the counts how many of the rows from <paramref name="first"/> up to <paramref name="end"/> lie within each squared distance.</summary>
    internal void CountWithin(ReadOnlySpan<short> sketch, ReadOnlySpan<int> squared, int first, int end, Span<int> counts)
    {
        for (var i = first; i < end; i++)
        {
            var distance = KeyedSketch.SquaredDistance(sketch, _sketches.AsSpan(i * KeyedSketch.Numbers, KeyedSketch.Numbers));
            for (var level = counts.Length - 1; level >= 0 && distance <= squared[level]; level--)
                counts[level]++;
        }
    }
}
