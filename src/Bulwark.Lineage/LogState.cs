using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A log at one size, as far as a writer or an incremental check needs it: the growing tiles of its right edge.</summary>
internal sealed class LogState
{
    private const int Levels = 8;   // 256^8 entries: more than a long counts
    private readonly List<Digest>[] _edge;
    private readonly MemoryStream _bundle;
    private int _bundleCount;

    private LogState(long size, List<Digest>[] edge, MemoryStream bundle, int bundleCount) => (Size, _edge, _bundle, _bundleCount) = (size, edge, bundle, bundleCount);

    /// <summary>Entries, also those not yet published.</summary>
    internal long Size { get; private set; }

    /// <summary>A log of nothing.</summary>
    internal static LogState Empty() => new(0, [.. Enumerable.Range(0, Levels).Select(_ => new List<Digest>())], new MemoryStream(), 0);

    /// <summary>Reads the right edge and checks that it gives the checkpoint's root.</summary>
    /// <param name="tiles">The log's files.</param>
    /// <param name="checkpoint">The size and root to begin from.</param>
    /// <param name="withBundle">False when no entry bundles will be rendered from here: their entries are then not read.</param>
    /// <exception cref="InvalidDataException">It does not, or a file is missing.</exception>
    internal static LogState Load(ITileSource tiles, Checkpoint checkpoint, bool withBundle = true)
    {
        var edge = new List<Digest>[Levels];
        for (var level = 0; level < Levels; level++)
        {
            var (tile, width) = EdgeOf(level, checkpoint.Size);
            edge[level] = width == 0 ? [] : [.. tiles.ReadTile(level, tile, width)];
        }

        var count = withBundle ? (int)(checkpoint.Size % TileLayout.Width) : 0;
        var bundle = new MemoryStream();
        if (count > 0)
        {
            var entries = tiles.ReadBundle(checkpoint.Size / TileLayout.Width, count);
            for (var i = 0; i < count; i++)
            {
                if (MerkleTree.LeafHash(entries[i].Span) != edge[0][i])
                    throw new InvalidDataException($"Entry {checkpoint.Size - count + i} was changed: it does not give the tree's hash. Run log fsck.");
                TileLayout.AppendToBundle(bundle, entries[i].Span);
            }
        }

        var state = new LogState(checkpoint.Size, edge, bundle, count);
        if (state.Root() != checkpoint.Root)
            throw new InvalidDataException("The log's tiles do not give the root that its checkpoint signs: run log fsck.");
        return state;
    }

    /// <summary>The state at a multiple of 256 from whole tiles only, for when partial ones cannot be believed.</summary>
    internal static LogState LoadWhole(ITileSource tiles, long size)
    {
        var state = Empty();
        state.Size = size;
        for (var level = 1; level < Levels; level++)
        {
            var (tile, width) = EdgeOf(level, size);
            for (var i = 0; i < width; i++)
                state._edge[level].Add(MerkleTree.Root(tiles.ReadTile(level - 1, tile * TileLayout.Width + i, TileLayout.Width)));
        }

        return state;
    }

    /// <summary>Removes what a writer that died left beyond the published right edge. Only under the log's lock.</summary>
    internal void RemoveUnpublished(TileStore files)
    {
        files.RemoveTemporary();
        files.RemoveUnpublished(TileLayout.BundlePath(Size / TileLayout.Width, TileLayout.Width), _bundleCount);
        for (var level = 0; level < Levels; level++)
            files.RemoveUnpublished(TileLayout.TilePath(level, EdgeOf(level, Size).Tile, TileLayout.Width), _edge[level].Count);
    }

    /// <summary>Adds an entry; <paramref name="files"/> receives every file that becomes whole on the way.</summary>
    internal void Add(ReadOnlySpan<byte> entry, Digest leaf, List<(string Path, byte[] Bytes)> files)
    {
        TileLayout.AppendToBundle(_bundle, entry);
        if (++_bundleCount == TileLayout.Width)
        {
            files.Add((TileLayout.BundlePath(Size / TileLayout.Width, TileLayout.Width), _bundle.ToArray()));
            _bundle.SetLength(0);
            _bundleCount = 0;
        }

        Size++;
        AddHash(0, leaf, (level, tile, hashes) => files.Add((TileLayout.TilePath(level, tile, TileLayout.Width), TileLayout.JoinTile(hashes))));
    }

    /// <summary>Adds an entry's hash; <paramref name="whole"/> hears of every tile that becomes whole.</summary>
    internal void Add(Digest leaf, Action<int, long, List<Digest>> whole)
    {
        Size++;
        AddHash(0, leaf, whole);
    }

    /// <summary>The partial files of the right edge as it is now.</summary>
    internal IEnumerable<(string Path, byte[] Bytes)> PartialFiles()
    {
        if (_bundleCount > 0)
            yield return (TileLayout.BundlePath(Size / TileLayout.Width, _bundleCount), _bundle.ToArray());
        for (var level = 0; level < Levels; level++)
        {
            if (_edge[level].Count > 0)
                yield return (TileLayout.TilePath(level, EdgeOf(level, Size).Tile, _edge[level].Count), TileLayout.JoinTile(_edge[level]));
        }
    }

    /// <summary>The growing tiles of the right edge.</summary>
    internal IEnumerable<(int Level, long Tile, IReadOnlyList<Digest> Hashes)> Edge() =>
        Enumerable.Range(0, Levels).Where(level => _edge[level].Count > 0).Select(level => (level, EdgeOf(level, Size).Tile, (IReadOnlyList<Digest>)_edge[level]));

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

    /// <summary>The hash of a complete subtree, from its tile.</summary>
    internal static Digest Node(ITileSource tiles, long size, int level, long index, Dictionary<(int, long), Digest[]> cache)
    {
        var tileLevel = level / TileLayout.Height;
        var span = 1 << (level % TileLayout.Height);   // hashes of the tile that the subtree covers
        var first = index * span;
        var tile = first / TileLayout.Width;
        if (!cache.TryGetValue((tileLevel, tile), out var hashes))
        {
            hashes = tiles.ReadTile(tileLevel, tile, TileLayout.WidthOf(tileLevel, tile, size));
            cache[(tileLevel, tile)] = hashes;
        }

        return MerkleTree.Root(hashes.AsSpan((int)(first % TileLayout.Width), span).ToArray());
    }

    private static (long Tile, int Width) EdgeOf(int level, long size)
    {
        var hashes = level * TileLayout.Height >= 63 ? 0 : size >> (level * TileLayout.Height);
        return (hashes / TileLayout.Width, (int)(hashes % TileLayout.Width));
    }

    private void AddHash(int level, Digest hash, Action<int, long, List<Digest>> whole)
    {
        _edge[level].Add(hash);
        if (_edge[level].Count < TileLayout.Width)
            return;
        whole(level, EdgeOf(level, Size).Tile - 1, _edge[level]);
        var parent = MerkleTree.Root(_edge[level]);
        _edge[level].Clear();
        AddHash(level + 1, parent, whole);
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
}
