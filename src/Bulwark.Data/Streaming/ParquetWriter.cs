using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Writes a flat Parquet file group by group; nothing of a group stays in memory once it is written.</summary>
internal sealed class ParquetWriter : IDisposable
{
    private const int Piece = 4096;   // values on their way to the native writer: they stay in the cache

    private readonly ParquetFileWriter _file;
    private readonly LateFaultStream _stream;
    private readonly IReadOnlyList<ColumnShape> _shapes;

    /// <param name="destination">Where; left open.</param>
    /// <param name="shapes">The columns.</param>
    /// <param name="properties">How.</param>
    /// <param name="metadata">Key and value metadata; what is in it when the file is closed is written.</param>
    internal ParquetWriter(Stream destination, IReadOnlyList<ColumnShape> shapes, WriterProperties properties, IReadOnlyDictionary<string, string> metadata)
    {
        _shapes = shapes;
        _stream = new LateFaultStream(destination);
        _file = new ParquetFileWriter(_stream, [.. shapes.Select(Schema)], null, properties, metadata, leaveOpen: true);
    }

    /// <summary>Writes one row group of all rows of <paramref name="slices"/>.</summary>
    internal void WriteGroup(IReadOnlyList<Table> slices, CancellationToken cancel)
    {
        using var group = _file.AppendRowGroup();
        for (var i = 0; i < _shapes.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            WriteColumn(group, _shapes[i], [.. slices.Select(slice => slice.Columns[i])]);
            _stream.ThrowIfFaulted();
        }

        group.Close();
        _stream.ThrowIfFaulted();
    }

    internal void Close()
    {
        _file.Close();
        _stream.ThrowIfFaulted();
    }

    public void Dispose() => _file.Dispose();

    private static ParquetSharp.Column Schema(ColumnShape column) => column.Kind switch
    {
        ColumnKind.Number when column.Integral => new Column<long?>(column.Name),
        ColumnKind.Number => new Column<double?>(column.Name),
        ColumnKind.Time => new Column<DateTime?>(column.Name, LogicalType.Timestamp(true, TimeUnit.Micros)),
        _ => new Column<string?>(column.Name),
    };

    private static void WriteColumn(RowGroupWriter group, ColumnShape shape, Column[] slices)
    {
        if (slices.FirstOrDefault(slice => slice.Name != shape.Name || slice.Kind != shape.Kind) is { } stranger)
            throw new InvalidOperationException($"Column '{stranger.Name}' holds {stranger.Kind} where '{shape.Name}' of {shape.Kind} is expected: a step changed its columns from one batch to the next.");
        switch (shape.Kind)
        {
            case ColumnKind.Number when shape.Integral:
                Write(group, slices, slice => ((NumberColumn)slice).Values, value => double.IsNaN(value) ? null : Whole(value, shape.Name));
                break;
            case ColumnKind.Number:
                Write(group, slices, slice => ((NumberColumn)slice).Values, value => double.IsNaN(value) ? null : (double?)value);
                break;
            case ColumnKind.Time:
                Write(group, slices, slice => ((TimeColumn)slice).Values, value => value == TimeColumn.Missing ? null : (DateTime?)DateTime.UnixEpoch.AddTicks(value * 10));
                break;
            default:
                Write(group, slices, slice => ((TextColumn)slice).Values, value => string.IsNullOrEmpty(value) ? null : value);
                break;
        }
    }

    private static long? Whole(double value, string column) => value == Math.Floor(value)
        ? (long)value
        : throw new TableFormatException($"Column '{column}' holds a number that is not whole, where all were to be.", 0, column);

    private static void Write<TFrom, TTo>(RowGroupWriter group, Column[] slices, Func<Column, TFrom[]> values, Func<TFrom, TTo> convert)
    {
        using var column = group.NextColumn();
        using var writer = column.LogicalWriter<TTo>();
        var piece = new TTo[Piece];
        foreach (var slice in slices)
        {
            for (ReadOnlySpan<TFrom> left = values(slice); left.Length > 0;)
            {
                var count = Math.Min(left.Length, Piece);
                for (var i = 0; i < count; i++)
                    piece[i] = convert(left[i]);
                writer.WriteBatch(piece.AsSpan(0, count));
                left = left[count..];
            }
        }
    }
}
