using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Some columns of an open Parquet file, batch after batch.</summary>
internal sealed class ParquetColumns : IDisposable
{
    private readonly List<ParquetColumn> _columns = [];
    private readonly string _name;
    private readonly long _rows;
    private readonly int _batchRows;
    private long _read;

    internal ParquetColumns(ParquetFileReader file, string name, IReadOnlyList<string>? columns)
    {
        _name = name;
        _rows = file.FileMetaData.NumRows;
        try
        {
            foreach (var (column, field) in ParquetTable.Wanted(file, name, columns))
                _columns.Add(new ParquetColumn(file, field, column, name));
        }
        catch
        {
            Dispose();
            throw;
        }

        _batchRows = TableSource.BatchRows(_columns.Count);
    }

    internal IReadOnlyList<ColumnShape> Shapes => [.. _columns.Select(column => column.Shape)];

    internal double Fraction => _rows == 0 ? 1 : (double)Interlocked.Read(ref _read) / _rows;

    /// <summary>The next rows; null after the last.</summary>
    internal Table? Next(CancellationToken cancel)
    {
        if (_read == _rows)
        {
            _columns.ForEach(column => ParquetTable.RequireEnd(column, _name));
            return null;
        }

        var rows = (int)Math.Min(_batchRows, _rows - _read);
        var batch = new Column[_columns.Count];
        for (var i = 0; i < batch.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            batch[i] = _columns[i].Next(rows);
        }

        Interlocked.Add(ref _read, rows);
        return new Table(batch);
    }

    public void Dispose() => _columns.ForEach(column => column.Dispose());
}
