using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>What putting a log right came to.</summary>
/// <param name="Report">How the log stands afterwards.</param>
/// <param name="Mended">Files that were written anew.</param>
/// <param name="Quarantine">The folder with what stood there before; null when nothing did.</param>
public sealed record LogRepair(LogReport Report, int Mended, string? Quarantine);

public sealed partial class TransparencyLog
{
    /// <summary>Derives every tile and bundle again from the entries and writes those that are missing or differ; then a journal that is damaged. Needs no key: it signs nothing.</summary>
    /// <remarks>
    /// Entries come from the store or from the bundles, whichever gives the tree's hashes. Nothing is written unless they give the root that the checkpoint
    /// signs, and whatever is replaced is kept in a folder of its own.
    /// </remarks>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Ends the work.</param>
    public async Task<LogRepair> RepairAsync(IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        if (_files is null)
            throw new InvalidOperationException("Only a log in a folder can be put right.");
        using var held = await FileLock.AcquireAsync(_files.RenderLockPath, cancel: cancel).ConfigureAwait(false);
        if (ReadSigned(out var checkpoint) is { } refused)
            return new(refused, 0, null);
        var quarantine = new Quarantine(_files.Directory);
        try
        {
            var state = LogState.Empty();
            await DeriveAsync(state, checkpoint, _ => { }, null, cancel).ConfigureAwait(false);
            if (state.Root() != checkpoint.Root)
                return new(new LogReport(LogVerdict.RootDiffers, checkpoint.Size, $"The entries give the root {state.Root()}; the checkpoint signs {checkpoint.Root}. Nothing was changed."), 0, null);
            var mended = 0;
            state = LogState.Empty();
            await DeriveAsync(state, checkpoint, Mend, progress, cancel).ConfigureAwait(false);
            Mend([.. state.PartialFiles()]);
            mended += await RepairJournalAsync(checkpoint, quarantine, cancel).ConfigureAwait(false);
            return new(await Task.Run(() => Verify(null, null, cancel), cancel).ConfigureAwait(false), mended, quarantine.Folder);

            void Mend(List<(string Path, byte[] Bytes)> files)
            {
                foreach (var (path, bytes) in files.Where(file => !_files.Has(file.Path, file.Bytes)))
                {
                    quarantine.Take(path);
                    _files.WriteNew(path, bytes, replace: true);
                    mended++;
                }
            }
        }
        catch (InvalidDataException failure)
        {
            return new(new LogReport(LogVerdict.Incomplete, checkpoint.Size, failure.Message), 0, quarantine.Folder);
        }
    }

    private async Task DeriveAsync(LogState state, Checkpoint checkpoint, Action<List<(string Path, byte[] Bytes)>> write, IProgress<double>? progress, CancellationToken cancel)
    {
        var store = OpenStoreToRead();
        var (first, count) = store is null ? (long.MaxValue, 0) : (await store.FirstAsync(cancel).ConfigureAwait(false), await store.CountAsync(cancel).ConfigureAwait(false));
        var files = new List<(string Path, byte[] Bytes)>();
        while (state.Size < checkpoint.Size)
        {
            cancel.ThrowIfCancellationRequested();
            var bundle = state.Size / TileLayout.Width;
            var (begin, width) = (bundle * TileLayout.Width, TileLayout.WidthOf(0, bundle, checkpoint.Size));
            var stored = store is not null && begin >= first && begin + width <= count ? await TryReadAsync(store, begin, width, cancel).ConfigureAwait(false) : null;
            foreach (var entry in Choose(bundle, width, stored))
                state.Add(entry.Span, MerkleTree.LeafHash(entry.Span), files);
            write(files);
            files.Clear();
            progress?.Report((double)state.Size / checkpoint.Size);
        }
    }

    private static async Task<IReadOnlyList<ReadOnlyMemory<byte>>?> TryReadAsync(ILogStore store, long first, int count, CancellationToken cancel)
    {
        var entries = new List<ReadOnlyMemory<byte>>();
        try
        {
            while (entries.Count < count)
            {
                var more = await store.ReadAsync(first + entries.Count, count - entries.Count, cancel).ConfigureAwait(false);
                if (more.Count == 0)
                    return null;
                entries.AddRange(more);
            }

            return entries;
        }
        catch (InvalidDataException)
        {
            return null;   // the bundle may have them
        }
    }

    /// <summary>Of what the store and the bundle say, the one that gives the tile's hashes; without a tile to say so, the store's.</summary>
    private IReadOnlyList<ReadOnlyMemory<byte>> Choose(long bundle, int width, IReadOnlyList<ReadOnlyMemory<byte>>? stored)
    {
        var published = Try(() => _tiles.ReadBundle(bundle, width));
        var hashes = Try(() => _tiles.ReadTile(0, bundle, width));
        return new[] { stored, published }.FirstOrDefault(entries => entries is not null && hashes is not null && entries.Select(entry => MerkleTree.LeafHash(entry.Span)).SequenceEqual(hashes))
            ?? stored ?? published ?? throw new InvalidDataException($"The entries from {bundle * TileLayout.Width} on are missing. Neither the store nor a bundle has them: take the folder from a copy.");
    }

    private static T? Try<T>(Func<T> read) where T : class
    {
        try
        {
            return read();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>A journal that is damaged, or older than the tree, begins anew at the tree's size: what the tree has it need not have. Entries behind the tree are carried over.</summary>
    private async Task<int> RepairJournalAsync(Checkpoint checkpoint, Quarantine quarantine, CancellationToken cancel)
    {
        if (StoreNameOf(_files!.Directory) is not null || (_store is not null and not FileLogStore) || VerifyStore(checkpoint, cancel) is null)
            return 0;
        if (FileSystemFlush.IsSupported)
            FileSystemFlush.Flush(_files.Directory);
        _settled = checkpoint.Size;
        WriteSettled();
        await JournalRepair.RunAsync(_files.Directory, checkpoint.Size, quarantine, cancel).ConfigureAwait(false);
        return 1;
    }
}
