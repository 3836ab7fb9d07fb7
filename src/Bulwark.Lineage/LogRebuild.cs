using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Reads every entry of a log and checks that each tile is what the entries make it, in one pass and little memory.</summary>
internal sealed class LogRebuild(TileStore store, long size)
{
    private readonly List<Digest>[] _levels = [.. Enumerable.Range(0, 8).Select(_ => new List<Digest>())];
    private readonly long[] _tiles = new long[8];

    /// <summary>The root that the entries give; meaningful when <see cref="Run"/> found no fault.</summary>
    internal Digest Root { get; private set; }

    /// <summary>The first fault, or null.</summary>
    internal LogReport? Run(IProgress<double>? progress, CancellationToken cancel)
    {
        try
        {
            return CheckAll(progress, cancel);
        }
        catch (InvalidDataException failure)
        {
            return new LogReport(LogVerdict.Incomplete, size, failure.Message);
        }
    }

    private LogReport? CheckAll(IProgress<double>? progress, CancellationToken cancel)
    {
        var leaves = new Stack<(int Level, Digest Hash)>();
        for (long bundle = 0, done = 0; done < size; bundle++)
        {
            cancel.ThrowIfCancellationRequested();
            var width = TileLayout.WidthOf(0, bundle, size);
            foreach (var entry in store.ReadBundle(bundle, width))
            {
                var leaf = MerkleTree.LeafHash(entry.Span);
                Push(leaves, leaf);
                if (Add(0, leaf) is { } fault)
                    return fault;
            }

            done += width;
            progress?.Report((double)done / size);
        }

        Root = leaves.Count == 0 ? MerkleTree.EmptyRoot : leaves.Select(subtree => subtree.Hash).Aggregate((right, left) => MerkleTree.NodeHash(left, right));
        return CheckPartials();
    }

    private static void Push(Stack<(int Level, Digest Hash)> subtrees, Digest leaf)
    {
        var (level, hash) = (0, leaf);
        while (subtrees.TryPeek(out var left) && left.Level == level)
            (level, hash) = (level + 1, MerkleTree.NodeHash(subtrees.Pop().Hash, hash));
        subtrees.Push((level, hash));
    }

    private LogReport? Add(int level, Digest hash)
    {
        _levels[level].Add(hash);
        if (_levels[level].Count < TileLayout.Width)
            return null;
        if (Check(level) is { } fault)
            return fault;
        var parent = MerkleTree.Root(_levels[level]);
        _levels[level].Clear();
        _tiles[level]++;
        return Add(level + 1, parent);
    }

    private LogReport? CheckPartials() => Enumerable.Range(0, _levels.Length)
        .Where(level => _levels[level].Count > 0).Select(Check).FirstOrDefault(fault => fault is not null);

    private LogReport? Check(int level)
    {
        var expected = _levels[level];
        var stored = store.ReadTile(level, _tiles[level], expected.Count);
        for (var i = 0; i < stored.Length; i++)
        {
            if (stored[i] == expected[i])
                continue;
            var place = _tiles[level] * TileLayout.Width + i;
            return new LogReport(LogVerdict.EntriesDiffer, size, level == 0
                ? $"Entry {place} does not give the hash that the tree has for it: changed, dropped, reordered or inserted."
                : $"Hash {place} of level {level} is not what the tiles beneath it give.");
        }

        return null;
    }
}
