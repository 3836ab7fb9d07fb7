using ParquetSharp;

namespace Bulwark.Data;

/// <summary>One column's values over some row groups, one after another.</summary>
internal sealed class ParquetRun<T>(ParquetFileReader file, int field, int group, int endGroup) : IDisposable
{
    private RowGroupReader? _group;
    private ColumnReader? _column;
    private LogicalColumnReader<T>? _reader;

    /// <summary>True when no value is left.</summary>
    internal bool AtEnd => !Advance();

    /// <summary>Reads until <paramref name="values"/> is full or nothing is left; returns how many were read.</summary>
    internal int Read(Span<T> values)
    {
        var read = 0;
        while (read < values.Length && Advance())
            read += _reader!.ReadBatch(values[read..]);
        return read;
    }

    public void Dispose()
    {
        _reader?.Dispose();
        _column?.Dispose();
        _group?.Dispose();
        (_reader, _column, _group) = (null, null, null);
    }

    private bool Advance()
    {
        while (_reader is not { HasNext: true })
        {
            Dispose();
            if (group >= endGroup)
                return false;
            _group = file.RowGroup(group++);
            _column = _group.Column(field);
            _reader = _column.LogicalReader<T>();
        }

        return true;
    }
}
