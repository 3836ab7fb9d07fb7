namespace Bulwark.Data;

/// <summary>A table in memory as a source.</summary>
internal sealed class MemorySource(Table table, string name) : ITableSource
{
    private int _read;

    public string Name => name;

    public IReadOnlyList<ColumnShape> Columns { get; } = Tables.Shapes(table);

    public double Fraction => table.Rows == 0 ? 1 : (double)_read / table.Rows;

    public IEnumerable<Table> Batches(CancellationToken cancel)
    {
        var rows = TableSource.BatchRows(table.Columns.Count);
        for (var start = 0; start < table.Rows; start += rows)
        {
            cancel.ThrowIfCancellationRequested();
            var batch = Tables.Slice(table, start, Math.Min(rows, table.Rows - start));
            _read = start + batch.Rows;
            yield return batch;
        }
    }

    public void Dispose()
    {
    }
}
