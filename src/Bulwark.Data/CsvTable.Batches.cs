using CsvHelper;

namespace Bulwark.Data;

/// <summary>Reading in batches: the kinds in one pass over the file, the rows in another; memory does not grow with either.</summary>
internal sealed partial class CsvTable
{
    private long _length;
    private long _position;

    internal double Fraction => _length == 0 ? 0 : (double)Interlocked.Read(ref _position) / _length;

    /// <summary>The columns' kinds as the whole file settles them.</summary>
    internal IReadOnlyList<ColumnShape> Shapes()
    {
        CsvColumn[]? settled = null;
        foreach (var (reader, columns) in Records(cancel))
        {
            settled = columns;
            foreach (var column in columns)
            {
                var value = reader.GetSpan(column.Field);
                if (!IsMissing(value) && !column.TryNote(value))
                    throw WrongKind(reader, column);
            }
        }

        return settled is null ? throw new TableFormatException($"{Name} holds no rows.") : [.. settled.Select(column => column.Shape)];
    }

    /// <summary>The rows, as <see cref="Shapes"/> found their columns.</summary>
    internal IEnumerable<Table> Batches(IReadOnlyList<ColumnShape> shapes, int batchRows, CancellationToken stop)
    {
        var rows = 0;
        CsvColumn[]? typed = null;
        foreach (var (reader, columns) in Records(stop))
        {
            typed ??= [.. columns.Zip(shapes, (column, shape) => column.Name == shape.Name ? column.As(shape.Kind) : throw Changed())];
            foreach (var column in typed)
            {
                var value = reader.GetSpan(column.Field);
                if (IsMissing(value))
                    column.AddMissing();
                else if (!column.TryAdd(value))
                    throw Changed();
            }

            if (++rows == batchRows)
            {
                yield return Take();
                rows = 0;
            }
        }

        if (rows > 0)
            yield return Take();

        Table Take() => new(typed!.Zip(shapes, (column, shape) => column.TakeBatch(shape)));
    }

    private TableFormatException Changed() => new($"{Name} changed while it was read.");

    /// <summary>Every record of the right width, with the columns that the first one has.</summary>
    private IEnumerable<(CsvReader Reader, CsvColumn[] Columns)> Records(CancellationToken stop)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        using var reader = CsvReader.Create(stream, ReaderOptions(), leaveOpen: true);
        _length = stream.Length;
        CsvColumn[]? columns = null;
        var width = 0;
        for (var row = 0L; Next(reader, row == 0); row++)
        {
            if (columns is null)
                (columns, width) = (Columns(Names(reader)), options.ColumnNames?.Count ?? (options.HasHeader ? reader.Headers.Count : reader.FieldCount));
            if (reader.FieldCount != width)
                throw WrongWidth(reader, columns, width);
            yield return (reader, columns);
            if (row % RowsBetweenReports == 0)
            {
                stop.ThrowIfCancellationRequested();
                Interlocked.Exchange(ref _position, stream.Position);
            }
        }
    }

    private bool Next(CsvReader reader, bool first)
    {
        try
        {
            if (first)
                reader.ReadHeader();
            return reader.Read();
        }
        catch (CsvFormatException fault)
        {
            throw new TableFormatException($"{Name}, line {fault.LineNumber}: {fault.Message}", fault.LineNumber, null, fault);
        }
    }
}
