using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Columns of protected data that were opened, for reading batch by batch; a column whose key is absent stays shut and is named.</summary>
/// <remarks>No value has been decrypted when it is made: log <see cref="Accesses"/>, then read.</remarks>
public sealed class RevealedSource : ITableSource
{
    /// <summary>Cells, 128 MB of numbers.</summary>
    private const int LargestSlice = 1 << 24;

    private readonly ProtectedDataset _dataset;
    private readonly IReadOnlyList<string> _opened;
    private readonly IReadOnlyList<string> _helpers = [];   // read beside them, to turn them back by
    private readonly SubjectStore? _subjects;
    private readonly Dictionary<string, FieldStep> _steps = new(StringComparer.Ordinal);
    private ProtectedParquetFile? _file;
    private List<ParquetColumn>? _columns;
    private long _read;

    internal RevealedSource(ProtectedDataset dataset, IEnumerable<ProtectedColumn> columns, KeyRing keys, bool turnBack, SubjectStore? subjects = null)
    {
        (_dataset, _subjects) = (dataset, subjects);
        try
        {
            if (dataset.Parts > 0)
                _file = dataset.Open(0);
            var (opened, accesses, shapes) = (new List<ParquetColumn>(), new List<ColumnAccess>(), new List<ColumnShape>());
            var needs = new List<string>();
            _columns = opened;
            foreach (var column in columns)
            {
                var (shape, reason) = TryOpen(column, keys, turnBack, opened);
                if (shape is not null && _steps.ContainsKey(column.Name))
                    needs.AddRange(FieldTransforms.Needs(column));
                accesses.Add(new(column.Name, column.Action, column.Key, shape is not null, reason));
                if (shape is not null)
                    shapes.Add(shape);
            }

            (Accesses, Columns, _opened) = (accesses, shapes, [.. shapes.Select(shape => shape.Name)]);
            _helpers = [.. needs.Distinct(StringComparer.Ordinal).Except(_opened, StringComparer.Ordinal)];
            if (_file is not null)
                opened.AddRange(_helpers.Where(name => name != dataset.PartitionBy?.Name).Select(_file.Open));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name => _dataset.FileName;

    /// <summary>The dataset's name, a slash and its version.</summary>
    public string Dataset => $"{_dataset.Name}/{_dataset.Version}";

    /// <summary>The commitment to the table before protection; null in a part of a folder.</summary>
    public Digest? Commitment => _dataset.Commitment;

    /// <summary>Rows of the data.</summary>
    public long Rows => _dataset.Rows;

    /// <summary>One for each column asked for, opened or not: to be logged before a value is read.</summary>
    public IReadOnlyList<ColumnAccess> Accesses { get; }

    /// <summary>The columns that opened.</summary>
    public IReadOnlyList<ColumnShape> Columns { get; }

    /// <inheritdoc/>
    public double Fraction => _dataset.Rows == 0 ? 1 : (double)Interlocked.Read(ref _read) / _dataset.Rows;

    /// <inheritdoc/>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The data was changed.</exception>
    public IEnumerable<Table> Batches(CancellationToken cancel)
    {
        var (slices, waiting, first, batchRows) = (new List<Table>(), 0, 0L, TableSource.BatchRows(_opened.Count));
        foreach (var slice in Slices(() => batchRows - waiting, cancel))
        {
            slices.Add(slice);
            waiting += slice.Rows;
            if (waiting < batchRows)
                continue;
            yield return Joined(slices, first);
            (first, waiting) = (first + waiting, 0);
        }

        if (waiting > 0)
            yield return Joined(slices, first);
    }

    /// <summary>All rows in one table, copied no oftener than they must be; null when no column opened.</summary>
    internal Table? Whole(IProgress<double>? progress, CancellationToken cancel)
    {
        if (_opened.Count == 0)
            return null;
        var slices = new List<Table>();
        foreach (var slice in Slices(() => Math.Max(1, LargestSlice / _opened.Count), cancel))
        {
            slices.Add(slice);
            progress?.Report(Fraction);
        }

        return slices.Count == 0 ? Tables.Empty(Columns) : Joined(slices, 0);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        foreach (var step in _steps.Values)
            step.Dispose();
        _dataset.Dispose();
    }

    /// <summary>The column's shape once it is open, or why it stays shut.</summary>
    private (ColumnShape? Shape, string? Reason) TryOpen(ProtectedColumn column, KeyRing keys, bool turnBack, List<ParquetColumn> opened)
    {
        if (column.Action == ProtectionAction.Drop)
            return (null, "it was dropped when the file was protected");
        if (turnBack && !FieldTransforms.IsReversible(column.Action))
            return (null, column.Action == ProtectionAction.Hash ? "it was replaced by keyed hashes, which nothing turns back" : $"{ProtectionPolicy.Word(column.Action)} leaves nothing to turn back");
        if (turnBack && column.Format is { PerSubject: true } && _subjects is null)
            return (null, "it is under the keys of its data subjects, and their store is not open");
        try
        {
            if (_dataset.PartitionBy is { } partition && partition.Name == column.Name)
                return (partition, null);
            if (turnBack && FieldTransforms.Revealing(column, _dataset.Name, keys) is { } step)
            {
                _steps.Add(column.Name, step);
                if (_file is not null)
                    opened.Add(_file.Open(column.Name));
                return (new(column.Name, column.Format?.Kind ?? ColumnKind.Text, column.Format?.Integral ?? false), null);
            }

            if (_file is null)
                return (new(column.Name, ColumnKind.Text), null);
            opened.Add(_file.Open(column.Name));
            return (opened[^1].Shape, null);
        }
        catch (InvalidOperationException missing)
        {
            return (null, missing.Message);
        }
    }

    /// <summary>Rows of one part after another, at most so many at a time.</summary>
    private IEnumerable<Table> Slices(Func<int> atMost, CancellationToken cancel)
    {
        for (var part = 0; part < _dataset.Parts && _opened.Count > 0; part++)
        {
            Open(part);
            for (var left = _file!.Rows; left > 0;)
            {
                cancel.ThrowIfCancellationRequested();
                var rows = (int)Math.Min(left, atMost());
                var slice = Read(part, rows);
                left -= rows;
                Interlocked.Add(ref _read, rows);
                yield return slice;
            }

            _columns!.ForEach(_file.RequireEnd);
            Close();
        }
    }

    private void Open(int part)
    {
        _file ??= _dataset.Open(part);
        var file = _file;
        _columns ??= [.. _opened.Concat(_helpers).Where(name => name != _dataset.PartitionBy?.Name).Select(file.Open)];
    }

    private Table Read(int part, int rows)
    {
        var read = _columns!.Select(column => _file!.Next(column, rows)).ToDictionary(column => column.Name, StringComparer.Ordinal);
        return new(_opened.Concat(_helpers).Select(name => read.GetValueOrDefault(name) ?? Constant.Column(_dataset.PartitionBy!, _dataset.PartitionOf(part), rows)));
    }

    private Table Joined(List<Table> slices, long first)
    {
        var table = Tables.Concatenate(slices);
        slices.Clear();
        var stored = table;
        foreach (var (name, step) in _steps.Where(step => stored.TryGet(step.Key, out _)))
        {
            var rows = new FieldRows(
                first, stored.TryGet(_dataset.Find(name).Format?.RowKey ?? "", out var rowKey) ? rowKey : null,
                stored.TryGet(ProtectionPolicy.SubjectTokenColumn, out var tokens) ? ((TextColumn)tokens).Values : null, token => _subjects?.KeyOf(token));
            table = table.With(step.Apply(stored[name], rows));
        }

        return _helpers.Count == 0 ? table : table.Select(_opened);
    }

    private void Close()
    {
        _columns?.ForEach(column => column.Dispose());
        _file?.Dispose();
        (_columns, _file) = (null, null);
    }
}
