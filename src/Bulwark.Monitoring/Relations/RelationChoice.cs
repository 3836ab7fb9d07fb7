namespace Bulwark.Monitoring;

/// <summary>Chooses among proposals: strong ones, spread over the columns, none that follows from others, none that a row breaks.</summary>
internal sealed class RelationChoice(List<Proposal> proposals, double[] shares, RelationSet set, ScreenField[] fields, RelationOptions options)
{
    private readonly List<int> _kept = [];
    private readonly int[] _used = new int[fields.Length];

    internal List<int> Run(ReadOnlySpan<float> training, ReadOnlySpan<float> chooser)
    {
        var rows = training.Length / fields.Length;
        var open = new PriorityQueue<int, (double, int)>(Enumerable.Range(0, proposals.Count).Where(i => shares[i] >= options.LeastShuffled && shares[i] * rows >= options.LeastExpected).Select(i => (i, Rank(i))));
        var operations = 0;
        while (_kept.Count < options.MostRelations && open.TryDequeue(out var best, out var rank))
        {
            if (Rank(best) != rank)   // others watch its columns by now: its turn comes later
            {
                open.Enqueue(best, Rank(best));
                continue;
            }

            var length = set.TapeOf(best).Length;
            if (operations + length > options.MostOperations || Follows(best) || !KeptByAll(best, training) || !KeptByAll(best, chooser))
                continue;
            _kept.Add(best);
            operations += length;
            foreach (var column in proposals[best].Columns)
                _used[column]++;
        }

        // An order may follow from two that came later.
        foreach (var candidate in _kept.ToList())
        {
            _kept.Remove(candidate);
            if (!Follows(candidate))
                _kept.Add(candidate);
        }

        return [.. _kept.OrderByDescending(i => shares[i])];
    }

    /// <summary>A relation says more where it is often broken by chance and where few others watch its columns. The least comes first; a draw goes by the order of proposals.</summary>
    private (double, int) Rank(int i) => (-shares[i] / (1 + proposals[i].Columns.Min(column => _used[column])), i);

    private bool KeptByAll(int relation, ReadOnlySpan<float> rows)
    {
        for (var at = 0; at < rows.Length; at += fields.Length)
        {
            if (!set.Keeps(relation, rows.Slice(at, fields.Length)))
                return false;
        }

        return true;
    }

    /// <summary>Whether orders that were kept already say it.</summary>
    private bool Follows(int candidate) => proposals[candidate] switch
    {
        { Kind: ProposalKind.Order, Columns: [var left, var right] } => Reaches(left, right),
        // 0 <= b <= a says that b is 0 where a is.
        { Kind: ProposalKind.Zero, Columns: [var left, var right] } => (fields[right].Kind is ScreenFieldKind.Binary || fields[right].Minimum >= 0) && Reaches(right, left),
        _ => false,
    };

    private bool Reaches(int from, int to)
    {
        var (seen, next) = (new HashSet<int> { from }, new Queue<int>([from]));
        while (next.TryDequeue(out var column))
        {
            foreach (var right in _kept.Where(i => proposals[i].Kind is ProposalKind.Order && proposals[i].Columns[0] == column && !fields[column].AllowMissing).Select(i => proposals[i].Columns[1]))
            {
                if (right == to)
                    return true;
                if (seen.Add(right))
                    next.Enqueue(right);
            }
        }

        return false;
    }
}
