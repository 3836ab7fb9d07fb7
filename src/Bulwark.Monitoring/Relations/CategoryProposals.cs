namespace Bulwark.Monitoring;

/// <summary>Relations between categories and flags: groups of which exactly one is 1, and pairs that never meet although they often would by chance.</summary>
internal sealed class CategoryProposals(ScreenField[] fields, ColumnSample sample, RelationOptions options)
{
    private const int MostCategories = 32;
    private const int LargestGroup = 64;

    private readonly int[] _columns = [.. Enumerable.Range(0, fields.Length).Where(column => Categories(fields[column]) is >= 2 and <= MostCategories && RuleText.Feature(fields[column].Name) is not null && !sample.IsConstant(column)).Take(options.MostColumns)];

    /// <param name="raw">All training rows: a pair that is absent from a sample may be rare.</param>
    internal List<Proposal> All(ReadOnlySpan<float> raw)
    {
        var groups = Groups();
        var together = groups.SelectMany(group => from a in @group from b in @group select (a, b)).ToHashSet();
        var proposals = groups.Select(group => new Proposal(ProposalKind.OneHot, $"{string.Join(" + ", group.Select(Name))} = 1", group)).ToList();
        for (var i = 0; i < _columns.Length; i++)
        {
            for (var j = i + 1; j < _columns.Length; j++)
            {
                if (!together.Contains((_columns[i], _columns[j])) && Pair(_columns[i], _columns[j], raw) is { } rule)
                    proposals.Add(new(ProposalKind.Categories, rule, [_columns[i], _columns[j]]));
            }
        }

        return proposals;
    }

    /// <summary>Flags that exclude each other and of which one is always 1, each flag in one group at most.</summary>
    private List<int[]> Groups()
    {
        var flags = _columns.Where(column => fields[column].Kind is ScreenFieldKind.Binary && !sample.Real[column].Contains(float.NaN)).ToList();
        var groups = new List<int[]>();
        while (flags.Count >= 2)
        {
            var (group, covered) = (new List<int> { flags[0] }, (float[])sample.Real[flags[0]].Clone());
            foreach (var flag in flags.Skip(1).OrderByDescending(flag => sample.Real[flag].Sum()))
            {
                if (group.Count == LargestGroup || covered.Zip(sample.Real[flag]).Any(pair => pair.First + pair.Second > 1))
                    continue;
                group.Add(flag);
                for (var row = 0; row < covered.Length; row++)
                    covered[row] += sample.Real[flag][row];
            }

            if (group.Count >= 2 && covered.All(value => value == 1))
            {
                groups.Add([.. group.Order()]);
                flags.RemoveAll(group.Contains);
            }
            else
            {
                flags.RemoveAt(0);
            }
        }

        return groups;
    }

    /// <summary>For each category of the one, which of the other never stand beside it although chance would bring at least the asked number of rows; null when there is none, or too little.</summary>
    private string? Pair(int left, int right, ReadOnlySpan<float> raw)
    {
        var (ours, theirs) = (Categories(fields[left]), Categories(fields[right]));
        var (counts, ofOurs, ofTheirs, rows) = (new int[ours, theirs], new int[ours], new int[theirs], 0);
        for (var at = 0; at < raw.Length; at += fields.Length)
        {
            var (u, v) = (raw[at + left], raw[at + right]);
            if (!(u >= 0 && u < ours && v >= 0 && v < theirs))
                continue;
            counts[(int)u, (int)v]++;
            ofOurs[(int)u]++;
            ofTheirs[(int)v]++;
            rows++;
        }

        var (clauses, expected) = (new List<string>(), 0.0);
        for (var u = 0; u < ours; u++)
        {
            var never = new List<int>();
            for (var v = 0; v < theirs; v++)
            {
                var chance = (double)ofOurs[u] * ofTheirs[v] / Math.Max(1, rows);
                if (counts[u, v] != 0 || chance < options.LeastExpected)
                    continue;
                never.Add(v);
                expected += chance;
            }

            if (never.Count == 0)
                continue;
            var others = Enumerable.Range(0, theirs).Except(never).ToList();
            var allowed = others.Count <= never.Count ? $"{Name(right)} in {{{string.Join(", ", others)}}}" : $"not {Name(right)} in {{{string.Join(", ", never)}}}";
            clauses.Add($"{Name(left)} = {u} => {allowed}");
        }

        if (clauses.Count == 0 || expected < options.LeastShuffled * rows)
            return null;
        return clauses.Count == 1 ? clauses[0] : string.Join(" and ", clauses.Select(clause => $"({clause})"));
    }

    private string Name(int column) => RuleText.Feature(fields[column].Name)!;

    private static int Categories(ScreenField field) => field.Kind switch { ScreenFieldKind.Binary => 2, ScreenFieldKind.Categorical => field.Categories, _ => 0 };
}
