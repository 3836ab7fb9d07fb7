using ParquetSharp;

namespace Bulwark.Data;

/// <summary>A Parquet file as a source of batches.</summary>
internal sealed class ParquetSource : ITableSource
{
    private readonly ParquetFileReader _file;
    private readonly ParquetColumns? _columns;

    internal ParquetSource(string path, TableReadOptions options)
    {
        Name = Path.GetFileName(path);
        try
        {
            _file = new ParquetFileReader(path);
        }
        catch (ParquetException fault)
        {
            throw Broken(fault);
        }

        try
        {
            IsSigned = TableFile.IsSigned(_file);
            if (!IsSigned)
                _columns = new ParquetColumns(_file, Name, options.Columns);
        }
        catch (Exception fault)
        {
            _file.Dispose();
            throw fault is ParquetException ? Broken(fault) : fault;
        }
    }

    public string Name { get; }

    /// <summary>True when the file is protected under a readable footer; it is then not to be read here.</summary>
    internal bool IsSigned { get; }

    public IReadOnlyList<ColumnShape> Columns => _columns!.Shapes;

    internal long Rows => _file.FileMetaData.NumRows;

    public double Fraction => _columns!.Fraction;

    public IEnumerable<Table> Batches(CancellationToken cancel)
    {
        while (Next(cancel) is { } batch)
            yield return batch;
    }

    public void Dispose()
    {
        _columns?.Dispose();
        _file.Dispose();
    }

    private Table? Next(CancellationToken cancel)
    {
        try
        {
            return _columns!.Next(cancel);
        }
        catch (ParquetException fault)
        {
            throw Broken(fault);
        }
    }

    private TableFormatException Broken(Exception fault) => new($"{Name} is not a whole Parquet file: {fault.Message}", 0, null, fault);
}
