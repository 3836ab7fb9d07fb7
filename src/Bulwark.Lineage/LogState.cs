using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A log at one size, as far as a writer needs it: its checkpoint and the growing tiles of its right edge.</summary>
internal sealed class LogState
{
    private const int Levels = 8;   // 256^8 entries: more than a long counts
    private readonly TileStore _store;
    private readonly List<Digest>[] _edge;
    private readonly MemoryStream _bundle;
    private int _bundleCount;

    private LogState(TileStore store, Checkpoint checkpoint, List<Digest>[] edge, MemoryStream bundle, int bundleCount) =>
        (_store, Checkpoint, Size, _edge, _bundle, _bundleCount) = (store, checkpoint, checkpoint.Size, edge, bundle, bundleCount);

    /// <summary>The last published one.</summary>
    internal Checkpoint Checkpoint { get; private set; }

    /// <summary>Entries, also those not yet published.</summary>
    internal long Size { get; private set; }

    /// <summary>Reads the right edge and checks that it gives the checkpoint's root.</summary>
    /// <exception cref="InvalidDataException">It does not, or a file is missing.</exception>
    internal static LogState Load(TileStore store, Checkpoint checkpoint)
    {
        var edge = new List<Digest>[Levels];
        for (var level = 0; level < Levels; level++)
        {
            var hashes = level * TileLayout.Height >= 63 ? 0 : checkpoint.Size >> (level * TileLayout.Height);
            var width = (int)(hashes % TileLayout.Width);
            edge[level] = width == 0 ? [] : [.. store.ReadTile(level, hashes / TileLayout.Width, width)];
        }

        var count = (int)(checkpoint.Size % TileLayout.Width);
        var bundle = new MemoryStream();
        if (count > 0)
        {
            foreach (var entry in store.ReadBundle(checkpoint.Size / TileLayout.Width, count))
                TileLayout.AppendToBundle(bundle, entry.Span);
        }

        var state = new LogState(store, checkpoint, edge, bundle, count);
        if (state.Root() != checkpoint.Root)
            throw new InvalidDataException("The log's tiles do not give the root that its checkpoint signs: run log verify.");
        return state;
    }

    /// <summary>Removes what a writer that died left beyond the published right edge. Only under the log's lock.</summary>
    internal void RemoveUnpublished()
    {
        _store.RemoveTemporary();
        _store.RemoveUnpublished(TileLayout.BundlePath(Size / TileLayout.Width, TileLayout.Width), _bundleCount);
        for (var level = 0; level < Levels; level++)
            _store.RemoveUnpublished(TileLayout.TilePath(level, (Size >> (level * TileLayout.Height)) / TileLayout.Width, TileLayout.Width), _edge[level].Count);
    }

    /// <summary>Adds entries; <paramref name="files"/> receives every file that becomes whole on the way.</summary>
    internal Digest Add(ReadOnlySpan<byte> entry, List<(string, byte[])> files)
    {
        var leaf = MerkleTree.LeafHash(entry);
        TileLayout.AppendToBundle(_bundle, entry);
        if (++_bundleCount == TileLayout.Width)
        {
            files.Add((TileLayout.BundlePath(Size / TileLayout.Width, TileLayout.Width), _bundle.ToArray()));
            _bundle.SetLength(0);
            _bundleCount = 0;
        }

        Size++;
        AddHash(0, leaf, files);
        return leaf;
    }

    /// <summary>The partial files of the right edge as it is now.</summary>
    internal IEnumerable<(string Path, byte[] Bytes)> PartialFiles()
    {
        if (_bundleCount > 0)
            yield return (TileLayout.BundlePath(Size / TileLayout.Width, _bundleCount), _bundle.ToArray());
        for (var level = 0; level < Levels; level++)
        {
            if (_edge[level].Count > 0)
                yield return (TileLayout.TilePath(level, (Size >> (level * TileLayout.Height)) / TileLayout.Width, _edge[level].Count), Bytes(_edge[level]));
        }
    }

    /// <summary>The root of everything added.</summary>
    internal Digest Root()
    {
        Digest? root = null;
        for (var level = 0; level < Levels; level++)
        {
            foreach (var subtree in Subtrees(_edge[level]))
                root = root is { } right ? MerkleTree.NodeHash(subtree, right) : subtree;
        }

        return root ?? MerkleTree.EmptyRoot;
    }

    internal void Published(Checkpoint checkpoint) => Checkpoint = checkpoint;

    /// <summary>The hash of a complete subtree, from memory where it is at the edge, else from its tile.</summary>
    internal static Digest Node(TileStore store, long size, int level, long index, Dictionary<(int, long), Digest[]> cache)
    {
        var tileLevel = level / TileLayout.Height;
        var span = 1 << (level % TileLayout.Height);   // hashes of the tile that the subtree covers
        var first = index * span;
        var tile = first / TileLayout.Width;
        if (!cache.TryGetValue((tileLevel, tile), out var hashes))
        {
            hashes = store.ReadTile(tileLevel, tile, TileLayout.WidthOf(tileLevel, tile, size));
            cache[(tileLevel, tile)] = hashes;
        }

        return MerkleTree.Root(hashes.AsSpan((int)(first % TileLayout.Width), span).ToArray());
    }

    private void AddHash(int level, Digest hash, List<(string, byte[])> files)
    {
        _edge[level].Add(hash);
        if (_edge[level].Count < TileLayout.Width)
            return;
        var index = (Size >> (level * TileLayout.Height)) / TileLayout.Width - 1;
        files.Add((TileLayout.TilePath(level, index, TileLayout.Width), Bytes(_edge[level])));
        var parent = MerkleTree.Root(_edge[level]);
        _edge[level].Clear();
        AddHash(level + 1, parent, files);
    }

    /// <summary>The complete subtrees of a partial tile, smallest (rightmost) first.</summary>
    private static IEnumerable<Digest> Subtrees(List<Digest> hashes)
    {
        for (var (end, width) = (hashes.Count, 1); end > 0; width <<= 1)
        {
            if ((end & width) == 0)
                continue;
            yield return MerkleTree.Root(hashes.GetRange(end - width, width));
            end -= width;
        }
    }

    private static byte[] Bytes(List<Digest> hashes)
    {
        var bytes = new byte[hashes.Count * Digest.SizeInBytes];
        for (var i = 0; i < hashes.Count; i++)
            hashes[i].Bytes.CopyTo(bytes.AsSpan(i * Digest.SizeInBytes));
        return bytes;
    }
}
