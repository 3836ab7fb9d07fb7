using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>One run of a source through the steps of its protection into files.</summary>
internal sealed class ProtectionRun(ITableSource source, ProtectionPolicy policy, KeyRing keys, ProtectionOptions options, IProgress<double>? progress, CancellationToken cancel)
{
    private readonly CommitmentBuilder _commitment = new();
    private readonly CommitmentKey _key = CommitmentKey.Of(keys);
    private bool _exact = true;
    private bool _any;
    private volatile bool _complete;
    private IReadOnlyList<string> _notes = [];

    internal async Task<ProtectionReport> WriteAsync(string output, bool folder)
    {
        using var held = _key;
        using var job = new ProtectionJob(policy, source.Columns, keys, options);
        ProtectionReport report;
        try
        {
            report = folder ? await WriteFolderAsync(job, output) : await WriteFileAsync(job, output);
        }
        catch when (!_complete)
        {
            job.Abandon();   // once the content is whole a failure may have come after the renaming: then whose rows it holds stays known
            throw;
        }

        job.Written(report);
        progress?.Report(1);
        return report;
    }

    private async Task<ProtectionReport> WriteFileAsync(ProtectionJob job, string output)
    {
        if (options.ExternalKeys == true && File.Exists(output))
            throw new IOException($"{output} exists: its keys are kept beside it, and both cannot be replaced at once. Remove it, or name another file.");
        ProtectedPart? part = null;
        IReadOnlyDictionary<string, KeyMaterial>? outside = null;
        await AtomicFile.WriteAsync(output, stream => Task.Run(() =>
        {
            using var writer = new Lazily(shapes => job.Begin(stream, "part-00000.parquet", shapes, options.ExternalKeys == true));
            Run(job, rows => writer.For(rows).Add(rows, cancel));
            using var blinding = _commitment.Blinding(Names, _key);
            part = writer.Writer!.Close(writer.Writer.Manifest with { Columns = job.WithVersions(), Commitment = Commitment, Blinding = writer.Writer.Sealed(blinding), Exact = _exact }, null, cancel);
            outside = writer.Writer.ExternalKeys;
            if (outside.Count > 0)
                AtomicFile.Write(KeyMaterialFile.PathFor(output), KeyMaterialFile.Write(outside));
            _complete = true;
        }, cancel), cancel);
        return Report(job, [part!], part!.Digest);
    }

    private async Task<ProtectionReport> WriteFolderAsync(ProtectionJob job, string output)
    {
        ProtectionReport? report = null;
        await AtomicFolder.WriteAsync(output, folder => Task.Run(() =>
        {
            using var router = new PartRouter(job, folder);
            Run(job, rows => router.Add(rows, cancel));
            var parts = router.Close(cancel);
            var (key, material) = job.SealingKey();
            using (key)
            using (var blinding = _commitment.Blinding(Names, _key))
            {
                var shape = source.Columns.FirstOrDefault(column => column.Name == options.PartitionBy);
                var manifest = new DatasetManifest
                {
                    Format = DatasetManifest.FormatName,
                    Dataset = policy.Dataset,
                    Version = job.Version,
                    Policy = policy.Digest(),
                    Commitment = Commitment,
                    Rows = _commitment.Rows,
                    Exact = _exact && options.PartitionBy is null,
                    PartitionBy = shape is null || policy.ActionFor(shape.Name) == ProtectionAction.Keep ? shape : new(shape.Name, ColumnKind.Text),
                    Columns = job.WithVersions(),
                    Parts = parts,
                    RowGroups = RowGroupTree.Root(job.Dataset, parts),
                }.Sealed(key, material, blinding);
                var bytes = manifest.ToBytes();
                File.WriteAllBytes(Path.Combine(folder, DatasetManifest.FileName), bytes);
                report = Report(job, parts, Digest.Of(bytes));
                _complete = true;
            }
        }, cancel), cancel);
        return report!;
    }

    private IEnumerable<string> Names => source.Columns.Select(column => column.Name);

    private Digest Commitment => _commitment.Root(Names, _key);

    private ProtectionReport Report(ProtectionJob job, IReadOnlyList<ProtectedPart> parts, Digest file) => new(
        job.Dataset, Commitment, _commitment.Rows, job.WithVersions(), policy.Digest(), file, parts.Sum(part => part.Bytes), RowGroupTree.Root(job.Dataset, parts), parts, _notes);

    /// <summary>Reading, committing and protecting each have a thread; a batch is given up by all before the next but one is read.</summary>
    private void Run(ProtectionJob job, Action<Table> write)
    {
        var first = 0L;
        foreach (var batch in Prefetch.Ahead(source.Batches, cancel))
        {
            var commit = Task.Run(() => _commitment.Add(batch), CancellationToken.None);
            try
            {
                _any = true;
                foreach (var (column, plan) in batch.Columns.Zip(job.Plan))
                    _exact = _exact && FieldTransforms.IsExact(column, plan);
                write(job.Apply(batch, first));
                first += batch.Rows;
                progress?.Report(0.98 * source.Fraction);
            }
            finally
            {
                commit.GetAwaiter().GetResult();
            }
        }

        if (!_any)
        {
            var empty = Tables.Empty(source.Columns);
            _exact = empty.Columns.Zip(job.Plan).All(pair => FieldTransforms.IsExact(pair.First, pair.Second));
            write(job.Apply(empty, 0));
        }

        _notes = job.Finish();
    }

    /// <summary>A writer that begins when the first rows show what the steps made of the columns.</summary>
    private sealed class Lazily(Func<IReadOnlyList<ColumnShape>, PartWriter> begin) : IDisposable
    {
        internal PartWriter? Writer { get; private set; }

        internal PartWriter For(Table rows) => Writer ??= begin(Tables.Shapes(rows));

        public void Dispose() => Writer?.Dispose();
    }
}
