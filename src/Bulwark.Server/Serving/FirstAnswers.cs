using Bulwark.Monitoring;

namespace Bulwark.Server;

/// <summary>The first answer that each client was given in each coarse cell of one model's rows: what a search is told again and again.</summary>
/// <remarks>
/// A search begins at a row whose answer it wants to change, so the first answer of its neighbourhood is the one that it has already. No client is ever told
/// another one's answer. Thread-safe; two generations of a bounded size.
/// </remarks>
/// <param name="most">Entries of a generation; four a row.</param>
internal sealed class FirstAnswers(int most = 1 << 17)
{
    private readonly Lock _lock = new();
    private Dictionary<(string Client, ulong Cell), float[]> _young = [], _old = [];

    /// <summary>The first answer that a client was given in one of a row's cells; <paramref name="scores"/> when there was none of this length, which is the first from now on.</summary>
    internal float[] FirstOr(string client, QueryFingerprint row, ReadOnlySpan<float> scores)
    {
        lock (_lock)
        {
            if (_young.Count >= most)
                (_old, _young) = (_young, []);
            var first = Find(client, row, scores.Length) ?? scores.ToArray();
            foreach (var cell in row.Cells)
                if (!_young.TryGetValue((client, cell), out var known) || known.Length != first.Length)
                    _young[(client, cell)] = first;
            return first;
        }
    }

    private float[]? Find(string client, QueryFingerprint row, int length)
    {
        foreach (var cell in row.Cells)
            if ((_young.TryGetValue((client, cell), out var first) || _old.TryGetValue((client, cell), out first)) && first.Length == length)
                return first;
        return null;
    }
}
