namespace Bulwark.Lineage;

public sealed partial class TransparencyLog
{
    /// <summary>Derives every tile and bundle again from the entries and writes those that are missing or differ. Needs no key: it signs nothing.</summary>
    /// <remarks>Entries come from the store where it still has them, else from the bundles. Nothing is written unless they give the root that the checkpoint signs.</remarks>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Ends the work.</param>
    /// <returns>How the log stands afterwards, and how many files were put right.</returns>
    public async Task<(LogReport Report, int Mended)> RepairAsync(IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        if (_files is null)
            throw new InvalidOperationException("Only a log in a folder can be put right.");
        using var held = await Cryptography.FileLock.AcquireAsync(_files.RenderLockPath, cancel: cancel).ConfigureAwait(false);
        if (ReadSigned(out var checkpoint) is { } refused)
            return (refused, 0);
        try
        {
            var state = LogState.Empty();
            await RenderAsync(state, checkpoint, _ => { }, null, cancel).ConfigureAwait(false);
            if (state.Root() != checkpoint.Root)
                return (new LogReport(LogVerdict.RootDiffers, checkpoint.Size, $"The entries give the root {state.Root()}; the checkpoint signs {checkpoint.Root}. Nothing was changed."), 0);
            var mended = 0;
            state = LogState.Empty();
            await RenderAsync(state, checkpoint, Mend, progress, cancel).ConfigureAwait(false);
            Mend([.. state.PartialFiles()]);

            void Mend(List<(string Path, byte[] Bytes)> files)
            {
                foreach (var (path, bytes) in files.Where(file => !_files.Has(file.Path, file.Bytes)))
                {
                    _files.WriteNew(path, bytes, replace: true);
                    mended++;
                }
            }

            return (await Task.Run(() => Verify(null, null, cancel), cancel).ConfigureAwait(false), mended);
        }
        catch (InvalidDataException failure)
        {
            return (new LogReport(LogVerdict.Incomplete, checkpoint.Size, $"{failure.Message} Neither the store nor a bundle has it: take the folder from a copy."), 0);
        }
    }

    private async Task RenderAsync(LogState state, Checkpoint checkpoint, Action<List<(string Path, byte[] Bytes)>> write, IProgress<double>? progress, CancellationToken cancel)
    {
        var store = OpenStoreToRead();
        var (first, count) = store is null ? (long.MaxValue, 0) : (await store.FirstAsync(cancel).ConfigureAwait(false), await store.CountAsync(cancel).ConfigureAwait(false));
        var files = new List<(string Path, byte[] Bytes)>();
        while (state.Size < checkpoint.Size)
        {
            cancel.ThrowIfCancellationRequested();
            var bundle = state.Size / TileLayout.Width;
            var width = TileLayout.WidthOf(0, bundle, checkpoint.Size);
            var end = bundle * TileLayout.Width + width;
            var entries = state.Size >= first && end <= count
                ? await store!.ReadAsync(state.Size, (int)(end - state.Size), cancel).ConfigureAwait(false)
                : _tiles.ReadBundle(bundle, width)[(int)(state.Size % TileLayout.Width)..];
            if (entries.Count == 0)
                throw new InvalidDataException($"Entry {state.Size} is missing.");
            foreach (var entry in entries)
                state.Add(entry.Span, MerkleTree.LeafHash(entry.Span), files);
            write(files);
            files.Clear();
            progress?.Report((double)state.Size / checkpoint.Size);
        }
    }
}
