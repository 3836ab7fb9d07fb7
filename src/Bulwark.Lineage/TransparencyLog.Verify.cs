namespace Bulwark.Lineage;

public sealed partial class TransparencyLog
{
    /// <summary>Derives everything again from the entries on the disk: leaf hashes, every tile, the root, the signature; and holds the store against them.</summary>
    /// <param name="seenBefore">A checkpoint from earlier or from elsewhere that the log must still begin with; null when there is none.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Ends the work.</param>
    public Task<LogReport> VerifyAsync(Checkpoint? seenBefore = null, IProgress<double>? progress = null, CancellationToken cancel = default) =>
        Task.Run(() => Verify(seenBefore, progress, cancel), cancel);

    /// <summary>Checks what came after a checkpoint that was verified before: that the log still begins with it, and every entry and tile since.</summary>
    /// <param name="verified">Where to begin; the caller believes it.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Ends the work.</param>
    public Task<LogReport> VerifyGrowthAsync(Checkpoint verified, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(verified);
        return Task.Run(() => VerifyGrowth(verified, progress, cancel), cancel);
    }

    /// <summary>As <see cref="VerifyAsync"/>, only the answer. A writer's own last entries are waited for.</summary>
    public LogVerdict Fsck()
    {
        if (Volatile.Read(ref _durable) is var durable && _signer is not null && durable > Size)
            IntegratedAsync(durable - 1).GetAwaiter().GetResult();
        return Verify(null, null, CancellationToken.None).Verdict;
    }

    private LogReport Verify(Checkpoint? seenBefore, IProgress<double>? progress, CancellationToken cancel)
    {
        if (ReadSigned(out var checkpoint) is { } refused)
            return refused;
        var rebuilt = new LogRebuild(_tiles, checkpoint.Size);
        if (rebuilt.Run(LogState.Empty(), progress, cancel) is { } fault)
            return fault;
        if (rebuilt.Root != checkpoint.Root)
            return new LogReport(LogVerdict.RootDiffers, checkpoint.Size, $"The {checkpoint.Size} entries give the root {rebuilt.Root}; the checkpoint signs {checkpoint.Root}.");
        foreach (var earlier in new[] { Checkpoint, seenBefore })
        {
            if (earlier is not null && Grown(_tiles, earlier, checkpoint) is { } found)
                return found;
        }

        return VerifyStore(checkpoint, cancel)
            ?? new LogReport(LogVerdict.Verified, checkpoint.Size, $"{checkpoint.Size} entries give the root that {checkpoint.Origin} signs.") { Checkpoint = checkpoint, Torn = (OpenStoreToRead() as FileLogStore)?.TornFiles() ?? [] };
    }

    private LogReport VerifyGrowth(Checkpoint verified, IProgress<double>? progress, CancellationToken cancel) =>
        ReadSigned(out var checkpoint) ?? Grown(_tiles, verified, checkpoint) ?? VerifyGrowth(_tiles, verified, checkpoint, progress, cancel);

    /// <summary>Checks every entry and tile behind <paramref name="verified"/>, up to <paramref name="checkpoint"/>.</summary>
    internal static LogReport VerifyGrowth(ITileSource tiles, Checkpoint verified, Checkpoint checkpoint, IProgress<double>? progress, CancellationToken cancel)
    {
        LogState state;
        try
        {
            state = LogState.Load(tiles, verified, withBundle: false);
        }
        catch (InvalidDataException failure)
        {
            return new LogReport(LogVerdict.NotAppendOnly, checkpoint.Size, $"The tree at {verified.Size} entries is not the one that was verified: {failure.Message}");
        }

        var rebuilt = new LogRebuild(tiles, checkpoint.Size);
        if (rebuilt.Run(state, progress, cancel) is { } fault)
            return fault;
        return rebuilt.Root == checkpoint.Root
            ? new LogReport(LogVerdict.Verified, checkpoint.Size, $"{checkpoint.Size - verified.Size} new entries behind {verified.Size} give the root that {checkpoint.Origin} signs.")
            : new LogReport(LogVerdict.RootDiffers, checkpoint.Size, $"The entries give the root {rebuilt.Root} at {checkpoint.Size}; the checkpoint signs {checkpoint.Root}.");
    }

    private LogReport? ReadSigned(out Checkpoint checkpoint)
    {
        checkpoint = Checkpoint;
        try
        {
            checkpoint = Checkpoint.Parse(_tiles.ReadCheckpoint());
        }
        catch (Exception failure) when (failure is FormatException or IOException)
        {
            return new LogReport(LogVerdict.Malformed, 0, $"The checkpoint cannot be read: {failure.Message}");
        }

        return checkpoint.IsSignedBy(Key) ? null
            : new LogReport(LogVerdict.WrongSignature, checkpoint.Size, $"The checkpoint is not signed by {Key} under the name {checkpoint.Origin}.");
    }

    /// <summary>Tied to both signed roots: tiles that give the older root alone say nothing of the newer one.</summary>
    private static bool Continues(MerkleProver prover, Checkpoint older, Checkpoint newer) => older.Size == 0
        ? older.Root == MerkleTree.EmptyRoot && (newer.Size > 0 || newer.Root == MerkleTree.EmptyRoot)
        : MerkleTree.VerifyConsistency(older.Size, newer.Size, older.Root, newer.Root, prover.Consistency(older.Size, newer.Size));

    /// <summary>True when the tree of the newer checkpoint, by this log's tiles, begins with the older one's.</summary>
    internal bool Continues(Checkpoint older, Checkpoint newer) => newer.Origin == older.Origin && newer.Size >= older.Size && Continues(Prover(newer.Size), older, newer);

    /// <summary>What is wrong with the way from an earlier checkpoint to this one; null when the log only grew.</summary>
    internal static LogReport? Grown(ITileSource tiles, Checkpoint earlier, Checkpoint checkpoint)
    {
        if (earlier.Origin != checkpoint.Origin)
            return new LogReport(LogVerdict.NotAppendOnly, checkpoint.Size, $"This is the log {checkpoint.Origin}; the earlier checkpoint is of {earlier.Origin}.");
        if (earlier.Size > checkpoint.Size)
            return new LogReport(LogVerdict.NotAppendOnly, checkpoint.Size, $"Rolled back: the log has {checkpoint.Size} entries, and an earlier checkpoint of {earlier.Origin} signs {earlier.Size}.");
        var cache = new Dictionary<(int, long), Cryptography.Digest[]>();
        try
        {
            if (Continues(new MerkleProver((level, index) => LogState.Node(tiles, checkpoint.Size, level, index, cache)), earlier, checkpoint))
                return null;
        }
        catch (InvalidDataException failure)
        {
            return new LogReport(LogVerdict.Incomplete, checkpoint.Size, failure.Message);
        }

        return earlier.Size == checkpoint.Size && earlier.Root != checkpoint.Root
            ? new LogReport(LogVerdict.SplitView, checkpoint.Size, $"Split view: {earlier.Origin} signed two trees of {earlier.Size} entries, {earlier.Root} and {checkpoint.Root}.")
            : new LogReport(LogVerdict.NotAppendOnly, checkpoint.Size, $"Forked: the log does not begin with the {earlier.Size} entries that an earlier checkpoint of {earlier.Origin} signs.");
    }

    /// <summary>Every entry that the store still has must be the tree's, and the store must reach as far as the tree.</summary>
    private LogReport? VerifyStore(Checkpoint checkpoint, CancellationToken cancel)
    {
        if (OpenStoreToRead() is not { } store)
            return null;
        try
        {
            return VerifyStoreAsync(store, checkpoint, cancel).GetAwaiter().GetResult();
        }
        catch (InvalidDataException failure)
        {
            return new LogReport(LogVerdict.StoreDiffers, checkpoint.Size, failure.Message);
        }
    }

    private async Task<LogReport?> VerifyStoreAsync(ILogStore store, Checkpoint checkpoint, CancellationToken cancel)
    {
        if (_signer is null && store is FileLogStore journal)
            journal.RequireSound();   // a writer's own batch may be half written at this moment
        var count = await store.CountAsync(cancel).ConfigureAwait(false);
        if (count < checkpoint.Size)
            return new LogReport(LogVerdict.StoreRolledBack, checkpoint.Size, $"The store ({store.Name}) ends at {count} entries; the tree has {checkpoint.Size}. It was rolled back, cut, or an older one put in its place.");
        var (place, bundle, hashes) = (await store.FirstAsync(cancel).ConfigureAwait(false), -1L, (Cryptography.Digest[])[]);
        while (place < checkpoint.Size)
        {
            var entries = await store.ReadAsync(place, (int)Math.Min(checkpoint.Size - place, BatchEntries), cancel).ConfigureAwait(false);
            if (entries.Count == 0)
                return new LogReport(LogVerdict.StoreDiffers, checkpoint.Size, $"The store ({store.Name}) lacks entry {place}.");
            foreach (var entry in entries)
            {
                if (place / TileLayout.Width != bundle)
                    (bundle, hashes) = (place / TileLayout.Width, _tiles.ReadTile(0, place / TileLayout.Width, TileLayout.WidthOf(0, place / TileLayout.Width, checkpoint.Size)));
                if (MerkleTree.LeafHash(entry.Span) != hashes[(int)(place % TileLayout.Width)])
                    return new LogReport(LogVerdict.StoreDiffers, checkpoint.Size, $"Entry {place} in the store ({store.Name}) is not the one in the tree.");
                place++;
            }
        }

        return null;
    }

    private ILogStore? OpenStoreToRead() => _store
        ?? (_files is not null && StoreNameOf(_files.Directory) is null && Directory.Exists(Path.Combine(_files.Directory, FileLogStore.FolderName))
            ? new FileLogStore(_files.Directory, 0) { IsReadOnly = true } : null);
}
