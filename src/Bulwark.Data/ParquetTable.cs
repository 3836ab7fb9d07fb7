using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Reads and writes a table as flat Parquet through ParquetSharp.</summary>
internal static class ParquetTable
{
    /// <summary>Rows of a row group; also bounds the memory of a write.</summary>
    internal const int RowGroupRows = 131_072;

    internal static Table Read(ParquetFileReader file, string name, TableReadOptions options, IProgress<double>? progress, CancellationToken cancel)
    {
        var rows = file.FileMetaData.NumRows;
        if (rows > Array.MaxLength)
            throw new TableFormatException($"{name} holds {rows} rows; at most {Array.MaxLength} fit one table.");
        var fields = Fields(file, name);
        var wanted = options.Columns ?? [.. fields.Keys];
        var columns = new List<Column>();
        foreach (var column in wanted)
        {
            cancel.ThrowIfCancellationRequested();
            if (!fields.TryGetValue(column, out var field))
                throw new TableFormatException($"{name} has no column '{column}'. The columns are: {string.Join(", ", fields.Keys)}.", 0, column);
            columns.Add(new ParquetColumn(file, field, column, name, (int)rows, cancel).Read());
            progress?.Report((double)columns.Count / wanted.Count);
        }

        return new Table(columns);
    }

    internal static Dictionary<string, int> Fields(ParquetFileReader file, string name)
    {
        var schema = file.FileMetaData.Schema;
        var fields = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < file.FileMetaData.NumColumns; i++)
        {
            var column = schema.Column(i);
            var path = column.Path.ToDotString();
            if (column.MaxRepetitionLevel > 0 || column.Path.ToDotVector().Length > 1)
                throw new TableFormatException($"{name}: column '{path}' is nested; flatten it first.", 0, path);
            if (!fields.TryAdd(column.Name, i))
                throw new TableFormatException($"{name}: two columns are named '{column.Name}'.", 0, column.Name);
        }

        return fields;
    }

    internal static void Write(Table table, Stream destination, WriterProperties properties, IReadOnlyDictionary<string, string>? metadata, IProgress<double>? progress, CancellationToken cancel)
    {
        var schema = table.Columns.Select(Schema).ToArray();
        using var file = new ParquetFileWriter(destination, schema, null, properties, metadata, leaveOpen: true);
        for (var start = 0; start < table.Rows || start == 0; start += RowGroupRows)
        {
            using var group = file.AppendRowGroup();
            foreach (var column in table.Columns)
            {
                cancel.ThrowIfCancellationRequested();
                WriteColumn(group, column, start, Math.Min(RowGroupRows, table.Rows - start));
            }

            progress?.Report(Math.Min(1, (double)(start + RowGroupRows) / table.Rows));
        }

        file.Close();
    }

    private static ParquetSharp.Column Schema(Column column) => column switch
    {
        NumberColumn { Integral: true } => new Column<long?>(column.Name),
        NumberColumn => new Column<double?>(column.Name),
        TimeColumn => new Column<DateTime?>(column.Name, LogicalType.Timestamp(true, TimeUnit.Micros)),
        _ => new Column<string?>(column.Name),
    };

    private static void WriteColumn(RowGroupWriter group, Column column, int start, int count)
    {
        switch (column)
        {
            case NumberColumn { Integral: true } number:
                WriteBatch(group, number.Values.AsSpan(start, count), value => double.IsNaN(value) ? null : (long?)value);
                break;
            case NumberColumn number:
                WriteBatch(group, number.Values.AsSpan(start, count), value => double.IsNaN(value) ? null : (double?)value);
                break;
            case TimeColumn time:
                WriteBatch(group, time.Values.AsSpan(start, count), value => value == TimeColumn.Missing ? null : (DateTime?)DateTime.UnixEpoch.AddTicks(value * 10));
                break;
            case TextColumn text:
                WriteBatch(group, text.Values.AsSpan(start, count), value => string.IsNullOrEmpty(value) ? null : value);
                break;
        }
    }

    private static void WriteBatch<TFrom, TTo>(RowGroupWriter group, ReadOnlySpan<TFrom> values, Func<TFrom, TTo> convert)
    {
        var batch = new TTo[values.Length];
        for (var i = 0; i < batch.Length; i++)
            batch[i] = convert(values[i]);
        using var writer = group.NextColumn().LogicalWriter<TTo>();
        writer.WriteBatch(batch);
    }
}
