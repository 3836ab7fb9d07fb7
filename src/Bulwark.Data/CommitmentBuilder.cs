using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Data;

/// <summary>Commits to a table that passes in batches: the same root as <see cref="DatasetCommitment"/> of the whole. Keeps 32 bytes for each 4096 rows.</summary>
public sealed class CommitmentBuilder
{
    private readonly List<Digest> _blocks = [];
    private string[]? _names;
    private bool _ended;

    /// <summary>Rows so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Adds the next rows.</summary>
    /// <param name="batch">A multiple of <see cref="DatasetCommitment.BlockRows"/> rows, but for the last.</param>
    /// <exception cref="ArgumentException">The columns are others than before, or a batch follows one that was the last.</exception>
    public void Add(Table batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var names = batch.Columns.Select(column => column.Name).ToArray();
        _names ??= names;
        if (_ended || !names.SequenceEqual(_names))
            throw new ArgumentException("The batch does not follow those before it.", nameof(batch));
        var blocks = new Digest[(batch.Rows + DatasetCommitment.BlockRows - 1) / DatasetCommitment.BlockRows];
        var first = Rows;
        Parallel.For(0, blocks.Length, block => blocks[block] = MerkleTree.LeafHash(DatasetCommitment.Block(batch, block, first)));
        _blocks.AddRange(blocks);
        Rows += batch.Rows;
        _ended = batch.Rows % DatasetCommitment.BlockRows != 0;
    }

    /// <summary>The commitment to all rows; of no batch at all, to no rows of <paramref name="columns"/>.</summary>
    /// <param name="columns">The columns' names.</param>
    /// <param name="key">What blinds the leaves; null for a root that hides nothing.</param>
    public Digest Root(IEnumerable<string> columns, CommitmentKey? key = null)
    {
        var leaves = Leaves(columns);
        using var blinding = key?.For(MerkleTree.Root(leaves));
        return blinding?.Root(leaves) ?? MerkleTree.Root(leaves);
    }

    /// <summary>The key of the rows so far, for whoever shall be able to compute the commitment anew.</summary>
    internal DatasetBlinding Blinding(IEnumerable<string> columns, CommitmentKey key) => key.For(MerkleTree.Root(Leaves(columns)));

    /// <summary>The commitment under a key that is known.</summary>
    internal Digest Root(IEnumerable<string> columns, DatasetBlinding blinding) => blinding.Root(Leaves(columns));

    private Digest[] Leaves(IEnumerable<string> columns) => [MerkleTree.LeafHash(DatasetCommitment.Header(Rows, _names ?? columns)), .. _blocks];
}
