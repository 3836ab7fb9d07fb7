using Bulwark.Cryptography;

namespace Bulwark.Lineage;

public sealed partial class TransparencyLog
{
    /// <summary>The hashes that lead from an entry to the current root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    public InclusionProof ProveInclusion(long index)
    {
        AwaitTree(index);
        return ProveInclusion(index, Size);
    }

    /// <summary>The hashes that lead from an entry to the root at <paramref name="size"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry or size.</exception>
    public InclusionProof ProveInclusion(long index, long size)
    {
        RequireSize(size);
        if (index < 0 || index >= size)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The tree has {size} entries.");
        return new InclusionProof(index, size, Prover(Size).Inclusion(index, size));
    }

    /// <summary>The hashes that show that the tree at <paramref name="newSize"/> begins with the tree at <paramref name="oldSize"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of range.</exception>
    public ConsistencyProof ProveConsistency(long oldSize, long newSize)
    {
        RequireSize(newSize);
        if (oldSize < 1 || oldSize > newSize)
            throw new ArgumentOutOfRangeException(nameof(oldSize), oldSize, $"Consistency is proved from 1 to {newSize} entries.");
        return new ConsistencyProof(oldSize, newSize, Prover(Size).Consistency(oldSize, newSize));
    }

    /// <summary>The root that the log had at an earlier size.</summary>
    public Digest RootAt(long size)
    {
        RequireSize(size);
        return Prover(Size).Root(0, size);
    }

    /// <summary>An offline proof of one entry under the current checkpoint; waits for the tree when the entry was only just appended.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    public TlogProof ProofFor(long index)
    {
        AwaitTree(index);
        return ProofUnder(Checkpoint, index);
    }

    /// <summary>As <see cref="ProofFor"/>, without holding a thread while it waits.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    /// <exception cref="IOException">The entry is durable, but the tree cannot follow: the disk refuses.</exception>
    public async Task<TlogProof> ProofForAsync(long index, CancellationToken cancel = default) =>
        ProofUnder(await IntegratedAsync(index, cancel).ConfigureAwait(false), index);

    /// <summary>An offline proof under the last checkpoint that carries the witnesses' cosignatures; null while none covers the entry.</summary>
    public TlogProof? WitnessedProofFor(long index) => Witnessed is { } witnessed && index >= 0 && index < witnessed.Size ? ProofUnder(witnessed, index) : null;

    private TlogProof ProofUnder(Checkpoint checkpoint, long index)
    {
        if (index < 0 || index >= checkpoint.Size)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The log has {checkpoint.Size} entries.");
        return new TlogProof(index, Prover(checkpoint.Size).Inclusion(index, checkpoint.Size), checkpoint);
    }

    private MerkleProver Prover(long size)
    {
        var cache = new Dictionary<(int, long), Digest[]>();
        return new MerkleProver((level, index) => LogState.Node(_tiles, size, level, index, cache));
    }

    /// <summary>A writer reads what it wrote: an entry that is durable and not yet in the tree is waited for.</summary>
    private void AwaitTree(long index)
    {
        if (_signer is not null && index >= Size && index < Volatile.Read(ref _durable))
            IntegratedAsync(index).GetAwaiter().GetResult();
    }

    private long RequireIndex(long index)
    {
        AwaitTree(index);
        var size = Size;
        return index >= 0 && index < size ? size : throw new ArgumentOutOfRangeException(nameof(index), index, $"The log has {size} entries.");
    }

    private void RequireSize(long size)
    {
        if (size < 0 || size > Size)
            throw new ArgumentOutOfRangeException(nameof(size), size, $"The log has {Size} entries.");
    }
}
