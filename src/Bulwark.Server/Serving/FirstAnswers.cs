using System.Collections.Concurrent;
using Bulwark.Monitoring;

namespace Bulwark.Server;

/// <summary>The first answer that was given in each coarse cell of a model's rows: what a search is told again and again.</summary>
/// <remarks>A search begins at a row whose answer it wants to change, so the first answer of its neighbourhood is the one that it has already. Thread-safe; two generations of a bounded size.</remarks>
internal sealed class FirstAnswers
{
    private const int Most = 1 << 17;
    private ConcurrentDictionary<ulong, float[]> _young = new(), _old = new();

    /// <summary>The first answer in one of a row's cells; <paramref name="scores"/> when there was none, which is the first from now on.</summary>
    internal float[] FirstOr(QueryFingerprint row, ReadOnlySpan<float> scores)
    {
        if (Volatile.Read(ref _young).Count >= Most)
            (_old, _young) = (_young, new());
        float[]? first = null;
        foreach (var cell in row.Cells)
            if (_young.TryGetValue(cell, out first) || _old.TryGetValue(cell, out first))
                break;
        first ??= scores.ToArray();
        foreach (var cell in row.Cells)
            _young.TryAdd(cell, first);
        return first;
    }
}
