namespace Bulwark.Data;

public sealed partial record ProtectionPolicy
{
    private static readonly string[] NeverStored = ["cvv", "pin", "track"];
    private static readonly string[] SecurityCodeNames = ["cvv", "cvv2", "cvc", "cvc2", "csc", "cav2"];

    /// <summary>This policy with every column of a table named and no rule left: what a run applies, and what its digest stands for.</summary>
    /// <param name="columns">The table's columns.</param>
    /// <param name="scan">A scan of the table's first rows; needed when <see cref="NeedsScan"/>, useful for the card rules in any case.</param>
    /// <exception cref="ArgumentException">The policy does not fit the table, or breaks a rule of PCI DSS: everything is listed.</exception>
    public ProtectionPolicy Resolve(IReadOnlyList<string> columns, ScanReport? scan = null)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (NeedsScan && scan is null)
            throw new ArgumentException("A rule of the policy goes by content, so it needs a scan of the table.", nameof(scan));
        var resolved = Chosen(columns, scan);
        var faults = Faults(columns, scan).Concat(resolved.Faults()).Distinct().ToArray();
        return faults.Length == 0 ? resolved : throw new ArgumentException(string.Join(" ", faults));
    }

    /// <summary>Every fault that a table with these columns finds in this policy, beside <see cref="Faults()"/>.</summary>
    /// <param name="columns">The table's columns.</param>
    /// <param name="scan">A scan of the table's first rows, as for <see cref="Resolve"/>.</param>
    public IEnumerable<string> Faults(IReadOnlyList<string> columns, ScanReport? scan = null)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var resolved = Chosen(columns, scan);
        return Columns.Keys.Where(name => !columns.Contains(name)).Select(name => $"The policy names column '{name}', which the table does not have.")
            .Concat(columns.Where(column => !resolved.Columns.ContainsKey(column)).Select(column => $"The policy says nothing about column '{column}'; name it, or say \"otherwise\": \"keep\" or \"drop\"."))
            .Concat(resolved.TableFaults(columns)).Concat(resolved.CardFaults(scan));
    }

    /// <summary>Every fault that <paramref name="table"/> finds in this policy, beside <see cref="Faults()"/>.</summary>
    public IEnumerable<string> Faults(Table table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return Faults([.. table.Columns.Select(column => column.Name)], NeedsScan ? SensitiveScan.Scan(table) : null);
    }

    /// <summary>True when <paramref name="column"/> bears <paramref name="tag"/>.</summary>
    public bool HasTag(string column, string tag) => Tags.TryGetValue(tag, out var patterns) && patterns.Any(pattern => Matches(pattern, column));

    /// <summary>Every column named, without rules; columns of which nothing is said are left out.</summary>
    internal ProtectionPolicy Chosen(IReadOnlyList<string> columns, ScanReport? scan)
    {
        var chosen = new Dictionary<string, ColumnProtection>(StringComparer.Ordinal);
        foreach (var column in columns)
        {
            if (Chosen(column, scan) is { } protection)
                chosen[column] = Whole(protection, IsCard(column, scan)) with { Copies = [.. protection.Copies.Select(copy => copy with { Protection = Whole(copy.Protection, IsCard(column, scan)) })] };
        }

        return this with { Columns = chosen, Rules = [], Otherwise = null };
    }

    /// <summary>With the values that it leaves to the kind of the column.</summary>
    private static ColumnProtection Whole(ColumnProtection protection, bool card) => protection.Action != ProtectionAction.Truncate ? protection
        : protection with { KeepFirst = protection.KeepFirst ?? (card ? 6 : 0), KeepLast = protection.KeepLast ?? 4 };

    private ColumnProtection? Chosen(string column, ScanReport? scan)
    {
        if (Columns.TryGetValue(column, out var named))
            return named;
        var finding = scan?.Findings.FirstOrDefault(finding => finding.Column == column);
        return Rules.FirstOrDefault(rule =>
                (rule.Column is { } pattern && Matches(pattern, column))
                || (rule.Tag is { } tag && HasTag(column, tag))
                || (rule.Content is { } kind && finding is not null && finding.Kind == kind && finding.Confidence >= rule.Floor))?.Protection
            ?? (Otherwise is { } rest ? new() { Action = rest } : null);
    }

    private IEnumerable<string> TableFaults(IReadOnlyList<string> columns)
    {
        if (columns.All(column => ActionFor(column) == ProtectionAction.Drop && For(column).Copies.Count == 0))
            yield return "The policy drops every column.";
        if (Subject is not null && !columns.Contains(Subject))
            yield return $"subject '{Subject}' is no column of the table.";
        else if (Subject is not null && !Columns.Values.Any(protection => protection.PerSubject || protection.Copies.Any(copy => copy.Protection.PerSubject)))
            yield return $"subject '{Subject}': no column is perSubject, so that erasing a subject would erase nothing; protect one so, or leave the subject out.";
        if (RowKey is not null && !columns.Contains(RowKey))
            yield return $"rowKey '{RowKey}' is no column of the table.";
        string[] written = [.. columns, .. Columns.Values.SelectMany(protection => protection.Copies).Select(copy => copy.As), .. Subject is null ? [] : new[] { SubjectTokenColumn }];
        foreach (var twice in written.GroupBy(name => name, StringComparer.Ordinal).Where(group => group.Count() > 1))
            yield return $"Two columns would be named '{twice.Key}'.";
    }

    /// <summary>PCI DSS 4.0.1: 3.3 keeps no security code, PIN or track; 3.5.1 keeps no two forms of a number that together give it away.</summary>
    private IEnumerable<string> CardFaults(ScanReport? scan)
    {
        foreach (var (column, protection) in Columns)
        {
            if ((protection.Action != ProtectionAction.Drop || protection.Copies.Count > 0) && IsNeverStored(column))
                yield return $"column '{column}' holds a card's security code, PIN or track; PCI DSS 3.3 lets nobody keep it, in whatever form: drop is the only action.";
        }

        var forms = Columns.Where(pair => IsCard(pair.Key, scan)).SelectMany(pair => pair.Value.Copies.Select(copy => (Name: copy.As, copy.Protection)).Prepend((Name: pair.Key, Protection: pair.Value))).ToArray();
        var truncated = forms.Where(form => form.Protection.Action == ProtectionAction.Truncate).ToArray();
        if (truncated.Length == 0)
            yield break;
        foreach (var form in truncated.Where(form => form.Protection.KeepFirst > 6 || form.Protection.KeepLast > 4))
            yield return $"column '{form.Name}': a truncated card number keeps at most the first 6 and the last 4 digits.";
        if (forms.FirstOrDefault(form => form.Protection.IsHash) is { Name: { } hashed })
            yield return $"column '{truncated[0].Name}' truncates a card number and column '{hashed}' hashes one: the two together give the number away (PCI DSS 3.5.1). Tokenise instead of hashing, or drop one.";
        if (truncated.Select(form => (form.Protection.KeepFirst, form.Protection.KeepLast)).Distinct().Count() > 1)
            yield return $"columns {string.Join(" and ", truncated.Select(form => $"'{form.Name}'"))} truncate card numbers in different ways, which together give more digits away (PCI DSS 3.5.1): use one way.";
    }

    private bool IsNeverStored(string column) => NeverStored.Any(tag => HasTag(column, tag))
        || NameRule.Words(column).Split(' ').Any(SecurityCodeNames.Contains) || NameRule.Words(column).Contains("security code", StringComparison.Ordinal);

    /// <summary>True when the column holds card numbers: by tag, by name or by content.</summary>
    internal bool IsCard(string column, ScanReport? scan) => HasTag(column, "pan") || NameRule.Of(column) == SensitiveKind.CardNumber
        || scan?.Findings.Any(finding => finding.Column == column && finding.Kind == SensitiveKind.CardNumber && finding.Confidence >= 0.5) == true;
}
