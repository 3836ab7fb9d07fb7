using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

// Tiles are written without a flush: the store is durable, and they can be made again. Now and then one flush settles them all, and the store may forget.
public sealed partial class TransparencyLog
{
    private const string SettledFile = "settled";
    private const long SettleEntries = 1 << 15;
    private long _settled = -1;
    private bool _settling;

    /// <summary>What stands in flushed tiles, and on which running of the machine the rest was written.</summary>
    private sealed record SettledState(long Size, string? Boot);

    /// <summary>Once for each object: what a machine that went down may have lost of the tiles is rendered again, and the store is held against the tree.</summary>
    private async Task RecoverAsync(Checkpoint checkpoint)
    {
        if (_recovered)
            return;
        var settled = ReadSettled();
        if (settled?.Size > checkpoint.Size)
            throw new InvalidDataException($"The checkpoint has {checkpoint.Size} entries, but {settled.Size} were settled: an older checkpoint was put in its place. Going on from it would sign a fork.");
        if (await _store!.FirstAsync().ConfigureAwait(false) is var kept && kept > checkpoint.Size)
            throw new InvalidDataException($"The checkpoint has {checkpoint.Size} entries, but {_store.Name} begins with entry {kept}: an older checkpoint was put in its place, or the store is another log's.");
        if (settled is null && checkpoint.Size > 0 && FileSystemFlush.IsSupported)
            FileSystemFlush.Flush(_files!.Directory);   // what is called settled from here on must be
        _settled = settled is null ? checkpoint.Size : Math.Min(settled.Size, checkpoint.Size);
        if (settled is not null && (FileSystemFlush.BootId is null || settled.Boot != FileSystemFlush.BootId))
            await RenderAgainAsync(checkpoint).ConfigureAwait(false);
        await RequireSameStoreAsync(checkpoint).ConfigureAwait(false);
        if (settled?.Boot != FileSystemFlush.BootId || settled is null)
            WriteSettled();
        _recovered = true;
    }

    /// <summary>Renders everything since the last settling once more from the store; files that are right already stay.</summary>
    private async Task RenderAgainAsync(Checkpoint checkpoint)
    {
        var begin = Math.Max(_settled / TileLayout.Width * TileLayout.Width, 0);
        if (begin < await _store!.FirstAsync().ConfigureAwait(false))
            return;   // the store has forgotten it, so it was settled; a fault that shows none the less is for fsck
        var state = LogState.LoadWhole(_tiles, begin);
        var files = new List<(string Path, byte[] Bytes)>();
        while (state.Size < checkpoint.Size)
        {
            var entries = await _store.ReadAsync(state.Size, (int)Math.Min(checkpoint.Size - state.Size, BatchEntries)).ConfigureAwait(false);
            if (entries.Count == 0)
                throw new InvalidDataException($"{_store.Name} ends before entry {state.Size}, but the tree has {checkpoint.Size}: it was rolled back. Run log fsck.");
            foreach (var entry in entries)
                state.Add(entry.Span, MerkleTree.LeafHash(entry.Span), files);
            Mend(files);
        }

        if (state.Root() != checkpoint.Root)
            throw new InvalidDataException($"The entries in {_store.Name} do not give the root that the checkpoint at {checkpoint.Size} signs: the store or the checkpoint is not this log's. Run log fsck.");
        files.AddRange(state.PartialFiles());
        Mend(files);
    }

    private void Mend(List<(string Path, byte[] Bytes)> files)
    {
        foreach (var (path, bytes) in files.Where(file => !_files!.Has(file.Path, file.Bytes)))
            _files!.WriteNew(path, bytes, replace: true);

        files.Clear();
    }

    /// <summary>The store must reach as far as the tree, and hold the same entries at its right edge.</summary>
    private async Task RequireSameStoreAsync(Checkpoint checkpoint)
    {
        var count = await _store!.CountAsync().ConfigureAwait(false);
        if (count < checkpoint.Size)
            throw new InvalidDataException($"{_store.Name} holds {count} entries, but the tree has {checkpoint.Size}: the store was rolled back, or is another log's. Run log fsck.");
        lock (_treeGate)
            _durable = Math.Max(_durable, count);
        var first = Math.Max(await _store.FirstAsync().ConfigureAwait(false), Math.Max(checkpoint.Size - 1, 0) / TileLayout.Width * TileLayout.Width);
        if (first >= checkpoint.Size)
            return;
        var kept = await _store.ReadAsync(first, (int)(checkpoint.Size - first)).ConfigureAwait(false);
        var bundle = first / TileLayout.Width;
        var hashes = _tiles.ReadTile(0, bundle, TileLayout.WidthOf(0, bundle, checkpoint.Size));
        for (var i = 0; i < kept.Count; i++)
        {
            if (MerkleTree.LeafHash(kept[i].Span) != hashes[(int)(first % TileLayout.Width) + i])
                throw new InvalidDataException($"Entry {first + i} in {_store.Name} is not the one in the tree: the store was changed, or is another log's. Run log fsck.");
        }
    }

    private void SettleWhenDue()
    {
        if ((Checkpoint.Size - _settled >= SettleEntries || !FileSystemFlush.IsSupported) && !Interlocked.Exchange(ref _settling, true))
            _ = Task.Run(SettleAsync);
    }

    /// <summary>Flushes all that was rendered, then lets the store forget it. Failing, it is tried again later: nothing is lost, because nothing was forgotten.</summary>
    private async Task SettleAsync()
    {
        try
        {
            var size = Checkpoint.Size;
            if (FileSystemFlush.IsSupported)
                FileSystemFlush.Flush(_files!.Directory);
            _settled = size;
            WriteSettled();
            await _store!.ForgetAsync(size / TileLayout.Width * TileLayout.Width).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // See above.
        }
        finally
        {
            Volatile.Write(ref _settling, false);
        }
    }

    private SettledState? ReadSettled()
    {
        var path = Path.Combine(_files!.Directory, SettledFile);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), SettledJson.Default.SettledState) : null;
        }
        catch (JsonException)
        {
            return new SettledState(0, null);
        }
    }

    private void WriteSettled() => AtomicFile.Write(Path.Combine(_files!.Directory, SettledFile),
        JsonSerializer.SerializeToUtf8Bytes(new SettledState(_settled, FileSystemFlush.BootId), SettledJson.Default.SettledState));

    [System.Text.Json.Serialization.JsonSerializable(typeof(SettledState))]
    private sealed partial class SettledJson : System.Text.Json.Serialization.JsonSerializerContext;
}
