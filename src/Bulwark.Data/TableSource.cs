namespace Bulwark.Data;

/// <summary>Opens files and tables as sources of batches; at no time is more than a few batches of a file in memory.</summary>
public static class TableSource
{
    private const int MostRows = 65_536;
    private const int CellsOfABatch = 1 << 21;

    /// <summary>Opens a CSV, Parquet or protected Parquet file, or a folder that <see cref="DataProtection"/> wrote.</summary>
    /// <remarks>
    /// A CSV file whose columns are not all declared (<see cref="TableReadOptions.Kinds"/>) is read twice: once for the columns' kinds,
    /// which only the last row can settle, once for the rows. Of protected data the columns that are not encrypted are read.
    /// </remarks>
    /// <inheritdoc cref="TableFile.ReadAsync" path="/exception"/>
    public static ITableSource Open(string path, TableReadOptions? options = null, CancellationToken cancel = default)
    {
        options ??= TableReadOptions.Default;
        var faults = options.Faults().ToArray();
        if (faults.Length > 0)
            throw new ArgumentException(string.Join(" ", faults), nameof(options));
        return TableFile.FormOf(path) switch
        {
            TableForm.Csv => new CsvSource(path, options, cancel),
            TableForm.Protected => DataProtection.OpenKept(path, options),
            _ => Plain(path, options),
        };
    }

    /// <summary>Rows and columns of a Parquet file or a protected folder, told without reading it; null for text.</summary>
    /// <inheritdoc cref="TableFile.ReadAsync" path="/exception"/>
    public static (long Rows, int Columns)? RowsOf(string path, TableReadOptions? options = null)
    {
        if (TableFile.FormOf(path) == TableForm.Csv)
            return null;
        using var source = Open(path, options);
        return (source is RevealedSource opened ? opened.Rows : ((ParquetSource)source).Rows, source.Columns.Count);
    }

    private static ITableSource Plain(string path, TableReadOptions options)
    {
        var source = new ParquetSource(path, options);
        if (!source.IsSigned)
            return source;
        source.Dispose();
        return DataProtection.OpenKept(path, options);
    }

    /// <summary>A table in memory, in batches that share nothing with it.</summary>
    public static ITableSource Of(Table table, string name = "table") => new MemorySource(table, name);

    /// <summary>About <paramref name="rows"/> rows, evenly spaced over the whole source: at least as many (when there are), at most twice as many.</summary>
    /// <exception cref="TableFormatException">The source has no rows or does not hold a table.</exception>
    public static Table Sample(ITableSource source, int rows, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        Table? sample = null;
        var (stride, seen) = (1L, 0L);
        foreach (var batch in source.Batches(cancel))
        {
            var first = seen;
            var picked = batch.Take([.. Enumerable.Range(0, batch.Rows).Where(row => (first + row) % stride == 0)]);
            seen += batch.Rows;
            sample = sample is null ? picked : Tables.Concatenate([sample, picked]);
            for (; sample.Rows > 2 * rows; stride *= 2)
                sample = sample.Take([.. Enumerable.Range(0, (sample.Rows + 1) / 2).Select(row => 2 * row)]);
            progress?.Report(source.Fraction);
        }

        return sample ?? throw new TableFormatException($"{source.Name} holds no rows.");
    }

    /// <summary>The batches of a source, read by another thread one batch ahead of whoever works on them.</summary>
    public static IEnumerable<Table> Ahead(ITableSource source, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Prefetch.Ahead(source.Batches, cancel);
    }

    /// <summary>A table of the columns of a source and no rows.</summary>
    public static Table Empty(ITableSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Tables.Empty(source.Columns);
    }

    /// <summary>Rows of a batch of so many columns: whole blocks of the commitment, about 2 million cells.</summary>
    public static int BatchRows(int columns) =>
        Math.Clamp(CellsOfABatch / Math.Max(1, columns) / DatasetCommitment.BlockRows * DatasetCommitment.BlockRows, DatasetCommitment.BlockRows, MostRows);
}
