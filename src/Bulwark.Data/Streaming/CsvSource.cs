namespace Bulwark.Data;

/// <summary>A CSV file as a source: a first pass finds the columns' kinds, a second gives the rows.</summary>
internal sealed class CsvSource : ITableSource
{
    private readonly CsvTable _table;

    internal CsvSource(string path, TableReadOptions options, CancellationToken cancel)
    {
        _table = new CsvTable(path, options, null, cancel);
        Name = Path.GetFileName(path);
        Columns = _table.Shapes();
    }

    public string Name { get; }

    public IReadOnlyList<ColumnShape> Columns { get; }

    public double Fraction => _table.Fraction;

    public IEnumerable<Table> Batches(CancellationToken cancel) => _table.Batches(Columns, TableSource.BatchRows(Columns.Count), cancel);

    public void Dispose()
    {
    }
}
