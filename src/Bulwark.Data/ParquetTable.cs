using ParquetSharp;

namespace Bulwark.Data;

/// <summary>Reads and writes a table as flat Parquet through ParquetSharp.</summary>
internal static class ParquetTable
{
    /// <summary>Rows of a row group where nothing else is said; also bounds the memory of a write.</summary>
    internal const int RowGroupRows = 131_072;

    internal static Table Read(ParquetFileReader file, string name, TableReadOptions options, IProgress<double>? progress, CancellationToken cancel)
    {
        var rows = file.FileMetaData.NumRows;
        if (rows > Array.MaxLength)
            throw new TableFormatException($"{name} holds {rows} rows; at most {Array.MaxLength} fit one table.");
        var fields = Wanted(file, name, options.Columns);
        var columns = new List<Column>();
        foreach (var (column, field) in fields)
        {
            cancel.ThrowIfCancellationRequested();
            using var reader = new ParquetColumn(file, field, column, name);
            columns.Add(reader.Next((int)rows));
            RequireEnd(reader, name);
            progress?.Report((double)columns.Count / fields.Count);
        }

        return new Table(columns);
    }

    internal static void RequireEnd(ParquetColumn reader, string name)
    {
        if (!reader.AtEnd)
            throw new TableFormatException($"{name}: column '{reader.Shape.Name}' holds more values than the file has rows.", 0, reader.Shape.Name);
    }

    /// <summary>The fields of the columns that are asked for; of all when none is.</summary>
    internal static IReadOnlyList<(string Name, int Field)> Wanted(ParquetFileReader file, string name, IReadOnlyList<string>? columns) => Wanted(Fields(file, name), name, columns);

    /// <inheritdoc cref="Wanted(ParquetFileReader, string, IReadOnlyList{string})"/>
    internal static IReadOnlyList<(string Name, int Field)> Wanted(Dictionary<string, int> fields, string name, IReadOnlyList<string>? columns) =>
        [.. (columns ?? [.. fields.Keys]).Select(column => fields.TryGetValue(column, out var field)
            ? (column, field)
            : throw new TableFormatException($"{name} has no column '{column}'. The columns are: {string.Join(", ", fields.Keys)}.", 0, column))];

    internal static Dictionary<string, int> Fields(ParquetFileReader file, string name)
    {
        var schema = file.FileMetaData.Schema;
        if (file.FileMetaData.NumColumns == 0)
            throw new TableFormatException($"{name} has no columns.");
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

    internal static void Write(Table table, Stream destination, WriterProperties properties, IProgress<double>? progress, CancellationToken cancel)
    {
        using var writer = new ParquetWriter(destination, Tables.Shapes(table), properties, new Dictionary<string, string>());
        for (var start = 0; start < table.Rows || start == 0; start += RowGroupRows)
        {
            writer.WriteGroup([Tables.Slice(table, start, Math.Min(RowGroupRows, table.Rows - start))], cancel);
            progress?.Report(Math.Min(1, (double)(start + RowGroupRows) / table.Rows));
        }

        writer.Close();
    }
}
