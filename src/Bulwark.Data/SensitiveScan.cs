namespace Bulwark.Data;

/// <summary>Finds columns that seem to hold personal or payment data, by their names and by what their values look like.</summary>
/// <remarks>
/// Content rules are the formats' own: card numbers by issuer prefix, length and Luhn check digit (ISO/IEC 7812), US social
/// security numbers by their ranges, IBAN by mod 97 (ISO 13616), e-mail, telephone, names, sentences, near-unique values.
/// A scan is advice: it can miss what has no format, and no value appears in its report.
/// </remarks>
public static class SensitiveScan
{
    /// <summary>Rows looked at when nothing else is said.</summary>
    public const int DefaultRows = 100_000;

    /// <summary>Scans every column of a source, however large: <paramref name="maxRows"/> rows or up to twice as many, evenly spaced over the whole of it.</summary>
    /// <param name="source">The rows; read once.</param>
    /// <param name="maxRows">Rows to look at; above 0.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work.</param>
    public static ScanReport Scan(ITableSource source, int maxRows = DefaultRows, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        using var counted = new CountedSource(source);
        var sample = TableSource.Sample(counted, maxRows, progress, cancel);
        return Scan(sample, int.MaxValue, null, cancel) with { Rows = counted.Rows };
    }

    /// <summary>Scans every column.</summary>
    /// <param name="table">The table.</param>
    /// <param name="maxRows">Rows to look at, evenly spaced from the first; above 0.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work.</param>
    public static ScanReport Scan(Table table, int maxRows = DefaultRows, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        var examined = Math.Min(table.Rows, maxRows);
        var rows = Enumerable.Range(0, examined).Select(i => (int)((long)i * table.Rows / examined)).ToArray();
        var findings = new List<SensitiveFinding>();
        for (var i = 0; i < table.Columns.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            if (new ColumnScan(table.Columns[i], rows).Finding() is { } finding)
                findings.Add(finding);
            progress?.Report((i + 1.0) / table.Columns.Count);
        }

        return new(table.Rows, examined, [.. findings.OrderByDescending(finding => finding.Confidence).ThenBy(finding => finding.Kind)]);
    }

    /// <summary>Counts the rows that pass.</summary>
    private sealed class CountedSource(ITableSource source) : ITableSource
    {
        internal long Rows { get; private set; }

        public string Name => source.Name;

        public IReadOnlyList<ColumnShape> Columns => source.Columns;

        public double Fraction => source.Fraction;

        public IEnumerable<Table> Batches(CancellationToken cancel)
        {
            foreach (var batch in source.Batches(cancel))
            {
                Rows += batch.Rows;
                yield return batch;
            }
        }

        public void Dispose()
        {
        }
    }
}
