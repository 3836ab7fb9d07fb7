using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>The hash tree of RFC 6962: one root for a list of entries, short proofs that one is in it and that a list only grew.</summary>
/// <remarks>Source: RFC 6962 §2.1 and RFC 9162 §2.1.3.2 (inclusion), §2.1.4.2 (consistency). Sizes and indexes count entries, from 0.</remarks>
public static class MerkleTree
{
    /// <summary>One hash object a thread: making one costs more than hashing a node.</summary>
    [ThreadStatic]
    private static IncrementalHash? s_hash;

    private static ReadOnlySpan<byte> LeafPrefix => [0];

    /// <summary>The root of a tree of no entries: SHA-256 of nothing.</summary>
    public static Digest EmptyRoot { get; } = Digest.Of([]);

    /// <summary>SHA-256(00 | entry).</summary>
    public static Digest LeafHash(ReadOnlySpan<byte> entry)
    {
        var hash = s_hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(LeafPrefix);
        hash.AppendData(entry);
        Span<byte> bytes = stackalloc byte[Digest.SizeInBytes];
        hash.GetHashAndReset(bytes);
        return new Digest(bytes);
    }

    /// <summary>SHA-256(01 | left | right).</summary>
    public static Digest NodeHash(Digest left, Digest right)
    {
        Span<byte> buffer = stackalloc byte[1 + 2 * Digest.SizeInBytes];
        buffer[0] = 1;
        left.Bytes.CopyTo(buffer[1..]);
        right.Bytes.CopyTo(buffer[(1 + Digest.SizeInBytes)..]);
        var hash = s_hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(buffer);
        var bytes = buffer[..Digest.SizeInBytes];
        hash.GetHashAndReset(bytes);
        return new Digest(bytes);
    }

    /// <summary>The root over leaf hashes in their order; <see cref="EmptyRoot"/> for none.</summary>
    public static Digest Root(IEnumerable<Digest> leafHashes)
    {
        ArgumentNullException.ThrowIfNull(leafHashes);
        var subtrees = new Stack<(int Level, Digest Hash)>();
        foreach (var leaf in leafHashes)
        {
            var (level, hash) = (0, leaf);
            while (subtrees.TryPeek(out var left) && left.Level == level)
                (level, hash) = (level + 1, NodeHash(subtrees.Pop().Hash, hash));
            subtrees.Push((level, hash));
        }

        return subtrees.Count == 0 ? EmptyRoot : subtrees.Select(subtree => subtree.Hash).Aggregate((right, left) => NodeHash(left, right));
    }

    /// <summary>True when <paramref name="proof"/> leads from the leaf to the root.</summary>
    /// <param name="index">The entry's place; at least 0 and below <paramref name="size"/>, else false.</param>
    /// <param name="size">Entries in the tree.</param>
    /// <param name="leafHash">The entry's <see cref="LeafHash"/>.</param>
    /// <param name="proof">From the leaf upwards.</param>
    /// <param name="root">The tree's root.</param>
    public static bool VerifyInclusion(long index, long size, Digest leafHash, IReadOnlyList<Digest> proof, Digest root)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (index < 0 || index >= size)
            return false;
        var (node, last, hash) = (index, size - 1, leafHash);
        foreach (var sibling in proof)
        {
            if (last == 0)
                return false;
            if ((node & 1) == 1 || node == last)
            {
                hash = NodeHash(sibling, hash);
                while ((node & 1) == 0 && node != 0)
                    (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                hash = NodeHash(hash, sibling);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && hash == root;
    }

    /// <summary>True when <paramref name="proof"/> shows that the tree of <paramref name="size2"/> begins with the tree of <paramref name="size1"/>.</summary>
    /// <param name="size1">The older size; 1 or more: everything begins with nothing, so there is nothing to prove.</param>
    /// <param name="size2">The newer size; at least <paramref name="size1"/>.</param>
    /// <param name="root1">The older root.</param>
    /// <param name="root2">The newer root.</param>
    /// <param name="proof">Empty when the sizes are equal.</param>
    public static bool VerifyConsistency(long size1, long size2, Digest root1, Digest root2, IReadOnlyList<Digest> proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (size1 < 1 || size1 > size2)
            return false;
        if (size1 == size2)
            return proof.Count == 0 && root1 == root2;
        if (proof.Count == 0)
            return false;
        var (node, last) = (size1 - 1, size2 - 1);
        while ((node & 1) == 1)
            (node, last) = (node >> 1, last >> 1);
        var wholeTree = (size1 & (size1 - 1)) == 0;   // the old root is then itself the first node
        var (older, newer) = wholeTree ? (root1, root1) : (proof[0], proof[0]);
        foreach (var sibling in proof.Skip(wholeTree ? 0 : 1))
        {
            if (last == 0)
                return false;
            if ((node & 1) == 1 || node == last)
            {
                (older, newer) = (NodeHash(sibling, older), NodeHash(sibling, newer));
                while ((node & 1) == 0 && node != 0)
                    (node, last) = (node >> 1, last >> 1);
            }
            else
            {
                newer = NodeHash(newer, sibling);
            }

            (node, last) = (node >> 1, last >> 1);
        }

        return last == 0 && older == root1 && newer == root2;
    }
}

/// <summary>The hashes that lead from one entry to a root.</summary>
/// <param name="Index">The entry's place, from 0.</param>
/// <param name="Size">The tree that the root belongs to.</param>
/// <param name="Hashes">From the leaf upwards.</param>
public sealed record InclusionProof(long Index, long Size, IReadOnlyList<Digest> Hashes)
{
    /// <summary>True when the entry is in the tree with this root.</summary>
    public bool Verify(ReadOnlySpan<byte> entry, Digest root) => MerkleTree.VerifyInclusion(Index, Size, MerkleTree.LeafHash(entry), Hashes, root);
}

/// <summary>The hashes that show that a tree only grew.</summary>
/// <param name="OldSize">The older size.</param>
/// <param name="NewSize">The newer size.</param>
/// <param name="Hashes">In the order of RFC 9162 §2.1.4.1.</param>
public sealed record ConsistencyProof(long OldSize, long NewSize, IReadOnlyList<Digest> Hashes)
{
    /// <summary>True when the newer tree begins with the older one.</summary>
    public bool Verify(Digest oldRoot, Digest newRoot) => MerkleTree.VerifyConsistency(OldSize, NewSize, oldRoot, newRoot, Hashes);
}
