using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Reads a log's entries from a known state on and checks that each tile is what the entries make it, in one pass and little memory.</summary>
internal sealed class LogRebuild(ITileSource tiles, long size)
{
    private LogReport? _fault;

    /// <summary>The root that the entries give; meaningful when <see cref="Run"/> found no fault.</summary>
    internal Digest Root { get; private set; }

    /// <summary>The first fault, or null.</summary>
    /// <param name="state">Where to begin: <see cref="LogState.Empty"/> for everything, a checked state for what came after it.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Ends the work.</param>
    internal LogReport? Run(LogState state, IProgress<double>? progress, CancellationToken cancel)
    {
        try
        {
            return CheckAll(state, progress, cancel);
        }
        catch (InvalidDataException failure)
        {
            return new LogReport(LogVerdict.Incomplete, size, failure.Message);
        }
    }

    private LogReport? CheckAll(LogState state, IProgress<double>? progress, CancellationToken cancel)
    {
        var begin = state.Size;
        while (state.Size < size && _fault is null)
        {
            cancel.ThrowIfCancellationRequested();
            var bundle = state.Size / TileLayout.Width;
            var width = TileLayout.WidthOf(0, bundle, size);
            var entries = tiles.ReadBundle(bundle, width);
            for (var i = (int)(state.Size % TileLayout.Width); i < width; i++)
                state.Add(MerkleTree.LeafHash(entries[i].Span), (level, tile, hashes) => Check(level, tile, hashes));
            progress?.Report((double)(state.Size - begin) / (size - begin));
        }

        foreach (var (level, tile, hashes) in state.Edge())
            Check(level, tile, hashes);
        Root = state.Root();
        return _fault;
    }

    private void Check(int level, long tile, IReadOnlyList<Digest> expected)
    {
        if (_fault is not null)
            return;
        var stored = tiles.ReadTile(level, tile, expected.Count);
        for (var i = 0; i < stored.Length; i++)
        {
            if (stored[i] == expected[i])
                continue;
            var place = tile * TileLayout.Width + i;
            _fault = new LogReport(LogVerdict.EntriesDiffer, size, level == 0
                ? $"Entry {place} does not give the hash that the tree has for it: changed, dropped, reordered or inserted."
                : $"Hash {place} of level {level} is not what the tiles beneath it give.");
            return;
        }
    }
}
