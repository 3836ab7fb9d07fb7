namespace Bulwark.Data;

/// <summary>Sends the rows of each partition to its file, and begins the next file when one is full.</summary>
internal sealed class PartRouter(ProtectionJob job, string folder) : IDisposable
{
    private const int MostPartitions = 512;
    private const int WaitingGroups = 4;
    private const string Missing = "__HIVE_DEFAULT_PARTITION__";

    private readonly string? _partition = Partition(job);
    private readonly Dictionary<string, Open> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _files = new(StringComparer.Ordinal);
    private readonly List<ProtectedPart> _closed = [];
    private IReadOnlyList<ColumnShape>? _shapes;

    private sealed record Open(PartWriter Writer, FileStream Stream, string Folder, string? Value);

    /// <summary>Takes the next rows, protected.</summary>
    internal void Add(Table rows, CancellationToken cancel)
    {
        foreach (var (value, slice) in Split(rows))
        {
            var start = 0;
            do
            {
                var part = Part(value.Folder, value.Value, slice);
                var room = (job.Options.RowsPerFile ?? long.MaxValue) - part.Writer.Rows;
                var take = (int)Math.Min(room, slice.Rows - start);
                part.Writer.Add(Tables.Slice(slice, start, take), cancel);
                start += take;
                if (take == room)
                    Close(part, cancel);
            }
            while (start < slice.Rows);
        }

        Relieve(cancel);
    }

    /// <summary>Ends every file.</summary>
    internal IReadOnlyList<ProtectedPart> Close(CancellationToken cancel)
    {
        foreach (var part in _open.Values.OrderBy(part => part.Folder, StringComparer.Ordinal).ToArray())
            Close(part, cancel);
        return _closed;
    }

    public void Dispose()
    {
        foreach (var part in _open.Values)
        {
            part.Writer.Dispose();
            part.Stream.Dispose();
        }
    }

    private IEnumerable<((string Folder, string? Value) Key, Table Rows)> Split(Table rows)
    {
        if (_partition is not { } name)
        {
            yield return (("", null), rows);
            yield break;
        }

        var column = rows[name];
        var others = new Table(rows.Columns.Where(other => other.Name != name));
        var groups = Enumerable.Range(0, rows.Rows).GroupBy(row => column.Text(row) ?? "", StringComparer.Ordinal);
        foreach (var group in groups)
        {
            if (group.Key == Missing)
                throw new ArgumentException($"Column '{name}' holds the value {Missing}, which is how folders name a missing one: partition by another column.");
            yield return (($"{Uri.EscapeDataString(name)}={(group.Key.Length == 0 ? Missing : Uri.EscapeDataString(group.Key))}", group.Key.Length == 0 ? null : group.Key), others.Take([.. group]));
        }
    }

    /// <summary>The folders' names show the partition column's cells as the steps leave them; whole-column encryption and leaving out happen later.</summary>
    private static string? Partition(ProtectionJob job) =>
        job.Plan.FirstOrDefault(column => column.Name == job.Options.PartitionBy) is { Action: ProtectionAction.Encrypt or ProtectionAction.Drop } hidden
            ? throw new InvalidOperationException($"Column '{hidden.Name}' may not name folders.")
            : job.Options.PartitionBy;

    private Open Part(string name, string? value, Table rows)
    {
        if (_open.TryGetValue(name, out var open))
            return open;
        _files.TryAdd(name, 0);
        if (_files.Count > MostPartitions)
            throw new ArgumentException($"Column '{job.Options.PartitionBy}' has more than {MostPartitions} values: partition by one that has fewer.");
        _shapes ??= Tables.Shapes(rows);
        var path = $"{(name.Length == 0 ? "" : name + "/")}part-{_files[name]++:00000}.parquet";
        Directory.CreateDirectory(Path.Combine(folder, name));
        var stream = new FileStream(Path.Combine(folder, path), FileMode.CreateNew, FileAccess.Write, FileShare.None);
        try
        {
            open = new(job.Begin(stream, path, _shapes, job.Options.ExternalKeys ?? true), stream, name, value);
        }
        catch
        {
            stream.Dispose();
            throw;
        }

        _open.Add(name, open);
        return open;
    }

    private void Close(Open part, CancellationToken cancel)
    {
        var closed = part.Writer.Close(part.Writer.Manifest, part.Value, cancel);
        if (part.Writer.ExternalKeys.Count > 0)
            File.WriteAllBytes(KeyMaterialFile.PathFor(part.Stream.Name), KeyMaterialFile.Write(part.Writer.ExternalKeys));
        part.Writer.Dispose();
        part.Stream.Dispose();
        _open.Remove(part.Folder);
        _closed.Add(closed);
    }

    /// <summary>Writes shorter row groups rather than keep rows of many partitions waiting.</summary>
    private void Relieve(CancellationToken cancel)
    {
        var waiting = _open.Values.Sum(part => (long)part.Writer.Waiting);
        while (waiting > (long)WaitingGroups * job.Options.RowsPerGroup)
        {
            var fullest = _open.Values.MaxBy(part => part.Writer.Waiting)!;
            waiting -= fullest.Writer.Waiting;
            fullest.Writer.Flush(cancel);
        }
    }
}
