using System.Text;
using CsvHelper;

namespace Bulwark.Data;

/// <summary>Reads and writes a table as comma-separated values (RFC 4180) in UTF-8.</summary>
internal sealed partial class CsvTable(string path, TableReadOptions options, IProgress<double>? progress, CancellationToken cancel)
{
    private const int RowsBetweenReports = 8192;

    private readonly byte[][] _missing = [.. options.MissingValues.Where(value => value.Length > 0).Select(Encoding.UTF8.GetBytes)];
    private readonly HashSet<string> _text = new(StringComparer.Ordinal);

    /// <summary>
    /// Reads the file. A column whose values stop fitting its first value's kind is read again as text, from the file,
    /// so that no text is lost by having been a number first.
    /// </summary>
    internal Table Read()
    {
        try
        {
            while (true)
            {
                if (TryRead() is { } table)
                    return table;
            }
        }
        catch (CsvFormatException fault)
        {
            throw new TableFormatException($"{Name}, line {fault.LineNumber}: {fault.Message}", fault.LineNumber, null, fault);
        }
    }

    private string Name => Path.GetFileName(path);

    private Table? TryRead()
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        using var reader = CsvReader.Create(stream, ReaderOptions(), leaveOpen: true);
        reader.ReadHeader();
        CsvColumn[]? columns = null;
        var width = 0;
        for (var row = 0; reader.Read(); row++)
        {
            if (columns is null)
                (columns, width) = (Columns(Names(reader)), options.ColumnNames?.Count ?? (options.HasHeader ? reader.Headers.Count : reader.FieldCount));
            if (reader.FieldCount != width)
                throw WrongWidth(reader, columns, width);
            if (!AddRow(reader, columns))
                return null;
            if (row % RowsBetweenReports == 0)
            {
                cancel.ThrowIfCancellationRequested();
                progress?.Report(stream.Length == 0 ? 0 : (double)stream.Position / stream.Length);
            }
        }

        if (columns is null)
            throw new TableFormatException($"{Name} holds no rows.");
        return new Table(columns.Select(column => column.Build()));
    }

    private CsvReaderOptions ReaderOptions() => new()
    {
        HasHeader = options.HasHeader,
        Separator = options.Delimiter,
        CommentPrefix = options.Comment,
        TrimWhitespace = options.TrimSpaces,
        SkipEmptyLines = true,
        TrackLineNumbers = true,
        IncludeValuesInExceptions = false,
        MalformedData = CsvMalformedDataHandling.Throw,
        MaxRecordSize = 1 << 26,
        PoolStrings = false,
        BufferSize = 1 << 18,
    };

    private IReadOnlyList<string> Names(CsvReader reader)
    {
        if (options.HasHeader && options.ColumnNames is { } given && given.Count != reader.Headers.Count)
            throw new TableFormatException($"{Name}, line 1: the header has {reader.Headers.Count} columns, {given.Count} names were given.", 1);
        var names = options.ColumnNames ?? (options.HasHeader
            ? [.. reader.Headers.Select(header => header.Trim())]
            : Enumerable.Range(1, reader.FieldCount).Select(i => $"column{i}").ToArray());
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i].Length == 0)
                throw new TableFormatException($"{Name}, line 1: column {i + 1} has no name.", 1);
            if (names.Take(i).Contains(names[i]))
                throw new TableFormatException($"{Name}, line 1: two columns are named '{names[i]}'.", 1, names[i]);
        }

        return names;
    }

    private CsvColumn[] Columns(IReadOnlyList<string> names)
    {
        var index = names.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i, StringComparer.Ordinal);
        foreach (var name in (options.Columns ?? []).Concat(options.Kinds.Keys).Concat(options.TrimEnd.Keys))
        {
            if (!index.ContainsKey(name))
                throw new TableFormatException($"{Name} has no column '{name}'. The columns are: {string.Join(", ", names)}.", 0, name);
        }

        return [.. (options.Columns ?? names).Select(name => new CsvColumn(name, index[name],
            options.Kinds.TryGetValue(name, out var kind) ? kind : _text.Contains(name) ? ColumnKind.Text : null,
            options.Kinds.ContainsKey(name),
            Encoding.UTF8.GetBytes(options.TrimEnd.GetValueOrDefault(name, ""))))];
    }

    /// <summary>Adds the current record; false when a column turned out to be text and reading must begin again.</summary>
    private bool AddRow(CsvReader reader, CsvColumn[] columns)
    {
        foreach (var column in columns)
        {
            var value = reader.GetSpan(column.Field);
            if (IsMissing(value))
            {
                column.AddMissing();
            }
            else if (!column.TryAdd(value))
            {
                if (column.Declared)
                    throw WrongKind(reader, column);
                _text.Add(column.Name);
                return false;
            }
        }

        return true;
    }

    private bool IsMissing(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
            return true;
        if (value.Length > 8 && _missing.All(text => text.Length <= 8))
            return false;
        foreach (var text in _missing)
        {
            if (value.SequenceEqual(text))
                return true;
        }

        return false;
    }

    private TableFormatException WrongKind(CsvReader reader, CsvColumn column) =>
        new($"{Name}, line {reader.LineNumber}, column '{column.Name}': the value is not a {column.Kind.ToString()!.ToLowerInvariant()}.", reader.LineNumber, column.Name);

    private TableFormatException WrongWidth(CsvReader reader, CsvColumn[] columns, int width)
    {
        var first = columns.FirstOrDefault(column => column.Field >= reader.FieldCount)?.Name;
        var which = reader.FieldCount < width && first is not null ? $"; column '{first}' has none" : "";
        return new TableFormatException($"{Name}, line {reader.LineNumber}: {reader.FieldCount} values where {width} columns are expected{which}.", reader.LineNumber, first);
    }

    /// <summary>Writes <paramref name="table"/> with a header and LF line ends; missing cells are empty.</summary>
    internal static void Write(Table table, Stream destination, char delimiter, IProgress<double>? progress, CancellationToken cancel)
    {
        using var source = TableSource.Of(table);
        Write(source, destination, delimiter, progress, cancel);
    }

    /// <inheritdoc cref="Write(Table, Stream, char, IProgress{double}?, CancellationToken)"/>
    internal static void Write(ITableSource source, Stream destination, char delimiter, IProgress<double>? progress, CancellationToken cancel)
    {
        var options = new CsvWriterOptions { Separator = delimiter, NewLine = "\n", Quoting = CsvQuoting.WhenNeededOrWhitespace, BufferSize = 1 << 18 };
        using var writer = CsvWriter.Create(destination, options, leaveOpen: true);
        writer.WriteRecord(source.Columns.Select(column => column.Name).ToArray());
        var buffer = new byte[CellText.FixedBytes];
        foreach (var batch in source.Batches(cancel))
        {
            for (var row = 0; row < batch.Rows; row++)
            {
                foreach (var column in batch.Columns)
                    writer.WriteField(column.Utf8(row, ref buffer));
                writer.EndRecord();
            }

            progress?.Report(source.Fraction);
        }
    }
}
