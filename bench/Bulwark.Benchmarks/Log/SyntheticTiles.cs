using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Benchmarks.Log;

/// <summary>The files of a log whose entries repeat every 256: each whole subtree of 256^k entries has one hash, so any file is derived at once.</summary>
internal sealed class SyntheticTiles : ITileSource
{
    private static readonly ReadOnlyMemory<byte>[] s_entries = [.. Enumerable.Range(0, TileLayout.Width).Select(i => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($"entry {i} of each bundle, {new string('x', 270)}"))];
    private static readonly Digest[][] s_levels = Levels();

    internal SyntheticTiles(long size, Signer signer)
    {
        var cache = new Dictionary<(int, long), Digest[]>();
        var root = new MerkleProver((level, index) => LogState.Node(this, size, level, index, cache)).Root(0, size);
        Checkpoint = Sign(new Checkpoint("bench.example/large", size, root), signer);
    }

    internal Checkpoint Checkpoint { get; }

    public string Place => "memory";

    public byte[] ReadCheckpoint() => Encoding.UTF8.GetBytes(Checkpoint.Note!.Note);

    public Digest[] ReadTile(int level, long index, int width) => s_levels[level][..width];

    public List<ReadOnlyMemory<byte>> ReadBundle(long index, int width) => [.. s_entries.AsSpan(0, width)];

    internal static ReadOnlySpan<byte> EntryAt(long index) => s_entries[index % TileLayout.Width].Span;

    internal static Checkpoint Sign(Checkpoint checkpoint, Signer signer) => checkpoint with { Note = SignedNote.Sign(checkpoint.Body, checkpoint.Origin, signer) };

    private static Digest[][] Levels()
    {
        var levels = new List<Digest[]> { s_entries.Select(entry => MerkleTree.LeafHash(entry.Span)).ToArray() };
        while (levels.Count < 8)
            levels.Add([.. Enumerable.Repeat(MerkleTree.Root(levels[^1]), TileLayout.Width)]);
        return [.. levels];
    }
}
