namespace Bulwark.Monitoring;

/// <summary>Finds relations between features that every training row keeps and that are no accident of the single columns.</summary>
/// <remarks>
/// Orders a ≤ b, lines b = k a + m, sums c = a + b, groups of flags of which one is 1, zeros that follow from zeros, categories that never meet.
/// One is kept when no training row breaks it, when a good share of rows breaks it once the columns are shuffled independently (so it is not vacuous), and when none of
/// one half of the held-out rows breaks it. The other half takes no part in the choice: what it loses to all kept relations together is the <see cref="RelationCheck"/>.
/// A column whose name no rule can hold takes part in none.
/// The result depends on the training rows without noise: never learn from rows whose privacy is promised.
/// </remarks>
public static class RelationLearner
{
    private const int LeastRows = 100;

    /// <summary>Learns relations.</summary>
    /// <param name="fields">The contract of raw rows.</param>
    /// <param name="training">Shape (n, fields), row-major, raw.</param>
    /// <param name="held">Shape (m, fields), row-major, raw: other rows of the same kind.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="ArgumentException">Values do not make rows, or the options are unsound.</exception>
    public static LearntRelations Learn(IReadOnlyList<ScreenField> fields, ReadOnlySpan<float> training, ReadOnlySpan<float> held, RelationOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(fields);
        options ??= new();
        if (options.Faults().FirstOrDefault() is { } fault)
            throw new ArgumentException(fault, nameof(options));
        ScreenField[] columns = [.. fields];
        var width = columns.Length;
        if (width == 0 || training.Length % width != 0 || held.Length % width != 0)
            throw new ArgumentException($"{training.Length} and {held.Length} values do not make rows of {width}.", nameof(training));
        var rows = training.Length / width;
        if (Math.Min(rows, held.Length / width) < LeastRows)
            return new([], null, $"Relations are learnt from at least {LeastRows} training and {LeastRows} held-out rows.");

        var sample = new ColumnSample(columns, training, options.Seed);
        cancel.ThrowIfCancellationRequested();
        List<Proposal> proposals = [.. new NumberProposals(columns, sample, options).All(), .. new CategoryProposals(columns, sample, options).All(training)];
        cancel.ThrowIfCancellationRequested();
        var find = RelationSet.Finder(columns);
        var unsound = proposals.RemoveAll(proposal => RelationSet.Fault(Unnamed(proposal), find, out _) is not null);
        var set = RelationSet.Of(columns, [.. proposals.Select((proposal, i) => Unnamed(proposal) with { Name = $"{i}" })], null, out _, bounded: false);
        var shares = Shares(set, proposals.Count, sample);
        var choice = new RelationChoice(proposals, shares, set, columns, options);
        var kept = choice.Run(training, Half(held, width, 0));
        var check = Check(set, kept, Half(held, width, 1), width);
        var note = width > options.MostColumns ? $"Only the first {options.MostColumns} columns of a kind were looked at." : null;
        if (check.Broken > options.MostRefused * check.Rows)
            return new([], null, $"{kept.Count} relations held on the training rows and refused {check.Broken} of {check.Rows} others: none was kept.");
        if (unsound > 0)
            note = $"{note} {unsound} relations were left out: no rule of at most {RelationSet.LongestRule} characters says them.".TrimStart();
        var names = Names([.. kept.Select(i => proposals[i])], columns);
        var relations = kept.Select((i, at) => Unnamed(proposals[i]) with { Name = names[at], Origin = ScreenRelationOrigin.Learnt, Rows = rows, Shuffled = shares[i] });
        return new([.. relations], kept.Count == 0 ? null : check, note);
    }

    private static ScreenRelation Unnamed(Proposal proposal) => new() { Name = "?", Rule = proposal.Rule };

    /// <summary>Names that differ: what two relations would share is numbered.</summary>
    private static List<string> Names(IReadOnlyList<Proposal> proposals, ScreenField[] fields)
    {
        var names = new List<string>();
        foreach (var proposal in proposals)
        {
            var name = NameOf(proposal, fields);
            names.Add(Enumerable.Range(1, proposals.Count).Select(time => time == 1 ? name : $"{name} ({time})").First(candidate => !names.Contains(candidate, StringComparer.Ordinal)));
        }

        return names;
    }

    /// <summary>A short rule is its own name, but for control characters, which a name does not hold.</summary>
    private static string NameOf(Proposal proposal, ScreenField[] fields)
    {
        var name = proposal.Rule.Length <= 100 ? proposal.Rule
            : $"{(proposal.Kind is ProposalKind.OneHot ? "exactly one of " : "")}{string.Join(proposal.Kind is ProposalKind.OneHot ? ", " : " with ", proposal.Columns.Select(column => fields[column].Name))}";
        if (name.Length > 100)
            name = $"{name[..(char.IsHighSurrogate(name[79]) ? 79 : 80)]}… ({proposal.Columns[0]}, {proposal.Columns[^1]})";
        return string.Concat(name.Select(c => char.IsControl(c) ? '\uFFFD' : c));
    }

    private static double[] Shares(RelationSet set, int count, ColumnSample sample)
    {
        var broken = new int[count];
        var row = new float[sample.Shuffled.Length];
        for (var r = 0; r < sample.Rows; r++)
        {
            for (var column = 0; column < row.Length; column++)
                row[column] = sample.Shuffled[column][r];
            for (var i = 0; i < count; i++)
                broken[i] += set.Keeps(i, row) ? 0 : 1;
        }

        return Array.ConvertAll(broken, times => (double)times / sample.Rows);
    }

    private static RelationCheck Check(RelationSet set, List<int> kept, float[] rows, int width)
    {
        var broken = 0;
        for (var at = 0; at < rows.Length; at += width)
        {
            var row = rows.AsSpan(at, width);
            foreach (var relation in kept)
            {
                if (set.Keeps(relation, row))
                    continue;
                broken++;
                break;
            }
        }

        return new(rows.Length / width, broken);
    }

    /// <summary>Every second row: rows may be in the order of time.</summary>
    private static float[] Half(ReadOnlySpan<float> rows, int width, int parity)
    {
        var half = new List<float>((rows.Length / 2) + width);
        for (var at = parity * width; at < rows.Length; at += 2 * width)
            half.AddRange(rows.Slice(at, width));
        return [.. half];
    }
}
