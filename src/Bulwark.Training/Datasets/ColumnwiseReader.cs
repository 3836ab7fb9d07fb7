using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Models;

namespace Bulwark.Training;

/// <summary>Makes data sets of a file whose table is not to be in memory: rows pass once for commitment and split, then columns, some at a time.</summary>
internal sealed class ColumnwiseReader(string path, TableReadOptions? reading, SchemaOptions options, long rows, long cellsOfATable, CancellationToken cancel)
{
    private readonly TableReadOptions _reading = reading ?? TableReadOptions.Default;

    /// <summary>The training side and, when a split is asked for, the test side.</summary>
    internal async Task<(Dataset Train, Dataset? Test)> ReadAsync(SplitRule? rule, FeatureSchema? schema)
    {
        var (names, commitment, split) = Pass(rule);
        int[] all = split is null ? [.. Enumerable.Range(0, checked((int)rows))] : [];
        var (train, test) = (new Side(split?.Train ?? all, split is not null), split is null ? null : new Side(split.Test, true));
        var known = SchemaInference.Known(options);
        string[] candidates = schema is not null
            ? [.. schema.Features.Select(feature => feature.Name)]
            : [.. options.Features.Select(feature => feature.Name), .. options.InferUndeclared ? names.Where(name => !known.Contains(name)) : []];
        train.Begin(candidates.Length);
        test?.Begin(candidates.Length);
        var features = new Feature?[candidates.Length];
        var next = -1;   // the label comes first
        await foreach (var column in ColumnsAsync([options.Label, .. candidates]))
        {
            var at = next++;
            if (at < 0)
            {
                train.Label = train.Guard(column, taken => LabelColumn.Read(taken, options));
                if (test is not null)
                    test.Label = test.Guard(column, taken => LabelColumn.Read(taken, options));
                continue;
            }

            var taken = train.Take(column);
            features[at] = schema?.Features[at] ?? train.Guard(taken, () => at < options.Features.Count
                ? SchemaInference.Declared(options.Features[at], taken, options)
                : SchemaInference.Undeclared(taken, options));
            if (features[at] is not { } feature)
                continue;
            train.Fill(taken, feature, at);
            test?.Fill(test.Take(column), feature, at);
        }

        schema ??= SchemaInference.Schema(features.OfType<Feature>(), train.Label!, options);
        bool[] kept = [.. features.Select(feature => feature is not null)];
        return (train.Build(schema, kept, commitment), test?.Build(schema, kept, commitment));
    }

    /// <summary>One pass over the rows: the commitment to all of them, and which ones test.</summary>
    private (string[] Names, Digest Commitment, RowSplit? Split) Pass(SplitRule? rule)
    {
        using var source = TableSource.Open(path, _reading, cancel);
        SchemaInference.Require(TableSource.Empty(source), options);
        foreach (var name in options.Features.Select(feature => feature.Name).Append(options.Label).Concat(rule?.TimeColumn is { } time ? [time] : []))
            Columns.Require(TableSource.Empty(source), name);
        var commitment = new CommitmentBuilder();
        var tests = new List<bool>();
        var times = new List<double>();
        if (rule is not null)
            RowSplit.RequireFraction(rule.TestFraction);
        using var hash = rule is { TimeColumn: null } ? new RowHash(rule.Seed, rule.TestFraction) : null;
        foreach (var batch in TableSource.Ahead(source, cancel))
        {
            commitment.Add(batch);
            if (hash is not null)
                tests.AddRange(Enumerable.Range(0, batch.Rows).Select(row => hash.Tests(batch, row)));
            else if (rule?.TimeColumn is { } column)
                times.AddRange(RowSplit.Times(batch[column]));
        }

        string[] names = [.. source.Columns.Select(column => column.Name)];
        var split = rule is null ? null
            : rule.TimeColumn is { } by ? RowSplit.ByTime([.. times], by, rule.TestFraction)
            : RowSplit.Of(tests.Count, row => tests[row], $"{tests.Count} rows are too few to split off {rule.TestFraction:P0}.");
        return (names, commitment.Root(names, _reading.Commitments), split);
    }

    /// <summary>The columns in order: the first two alone, so that work begins soon, then some at a time; the next ones are read while these are worked on.</summary>
    private async IAsyncEnumerable<Column> ColumnsAsync(IReadOnlyList<string> names)
    {
        var some = (int)Math.Clamp(cellsOfATable / 4 / Math.Max(1, rows), 1, 64);
        string[][] groups = [.. names.Take(2).Chunk(1), .. names.Skip(2).Chunk(some)];
        var next = groups.Length == 0 ? null : Read(groups[0]);
        for (var i = 0; i < groups.Length; i++)
        {
            var table = await next!.ConfigureAwait(false);
            next = i + 1 < groups.Length ? Read(groups[i + 1]) : null;
            foreach (var column in table.Columns)
            {
                cancel.ThrowIfCancellationRequested();
                yield return column;
            }
        }

        Task<Table> Read(string[] group) => TableFile.ReadAsync(path, _reading with { Columns = group }, cancel: cancel);
    }

    /// <summary>The rows of one side, filled feature by feature.</summary>
    private sealed class Side(int[] rows, bool isPart)
    {
        private readonly Dictionary<string, int> _unknown = new(StringComparer.Ordinal);
        private float[] _raw = [];
        private int _width;

        internal LabelColumn? Label { get; set; }

        internal void Begin(int width)
        {
            _width = width;
            _raw = new float[checked(rows.Length * width)];
        }

        internal Column Take(Column column) => isPart ? column.Take(rows) : column;

        internal T Guard<T>(Column column, Func<Column, T> read)
        {
            var taken = Take(column);
            return Guard(taken, () => read(taken));
        }

        /// <summary>Rows in a message are the table's, not this side's.</summary>
        internal T Guard<T>(Column _, Func<T> read)
        {
            try
            {
                return read();
            }
            catch (DatasetException fault) when (isPart)
            {
                throw fault.InTable(rows);
            }
        }

        internal void Fill(Column taken, Feature feature, int index)
        {
            var strangers = Guard(taken, () => DatasetReader.Fill(taken, feature, _raw, index, _width));
            if (strangers > 0)
                _unknown.Add(feature.Name, strangers);
        }

        /// <summary>The data set of the features that were kept; the others' places are closed up.</summary>
        internal Dataset Build(FeatureSchema schema, bool[] kept, Digest commitment)
        {
            if (schema.Width == _width)
                return new Dataset(schema, _raw, Label!.Labels, _unknown, commitment);
            for (int row = 0, to = 0; row < rows.Length; row++)
            {
                for (var i = 0; i < _width; i++)
                {
                    if (kept[i])
                        _raw[to++] = _raw[(row * _width) + i];
                }
            }

            Array.Resize(ref _raw, rows.Length * schema.Width);
            return new Dataset(schema, _raw, Label!.Labels, _unknown, commitment);
        }
    }
}
