using System.Buffers.Binary;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Data;

/// <summary>One row group of a protected file, as it stands there: who has the file can check it without a key.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="Offset">Where its bytes begin in the file.</param>
/// <param name="Bytes">How many.</param>
/// <param name="Digest">SHA-256 of them.</param>
public sealed record ProtectedRowGroup(int Rows, long Offset, long Bytes, Digest Digest);

/// <summary>One file of a protected dataset.</summary>
/// <param name="Path">Its name; in a folder the path from it, with slashes. Bound into every module of the file.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Digest">SHA-256 of the file.</param>
/// <param name="RowGroups">Its row groups in order.</param>
/// <param name="Partition">The value of the partition column that all its rows share; null without a partition column or where that is missing.</param>
public sealed record ProtectedPart(string Path, long Rows, long Bytes, Digest Digest, IReadOnlyList<ProtectedRowGroup> RowGroups, string? Partition = null);

/// <summary>A Merkle tree over every row group of a protected dataset: proves that one is part of it, with no key and without the others.</summary>
/// <remarks>
/// RFC 6962. Leaf k stands for the k-th row group, part by part: <c>bulwark.dev/row-group/v1</c>, LF, the dataset, LF, the part's path, LF,
/// then the group's number in the part, its rows, offset and bytes (u64, big-endian) and the SHA-256 of its bytes. They are ciphertext, so the tree tells nothing of the rows.
/// </remarks>
public static class RowGroupTree
{
    /// <summary>The root.</summary>
    /// <param name="dataset">The dataset's name and version.</param>
    /// <param name="parts">Its parts in order.</param>
    public static Digest Root(string dataset, IEnumerable<ProtectedPart> parts) => MerkleTree.Root(Leaves(dataset, parts).Select(leaf => MerkleTree.LeafHash(leaf)));

    /// <summary>The proof that a row group is part of the dataset.</summary>
    /// <param name="dataset">The dataset's name and version.</param>
    /// <param name="parts">Its parts in order.</param>
    /// <param name="path">The part.</param>
    /// <param name="group">The group's number in it.</param>
    /// <exception cref="ArgumentException">There is no such row group.</exception>
    public static InclusionProof Prove(string dataset, IReadOnlyList<ProtectedPart> parts, string path, int group)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var before = parts.TakeWhile(part => part.Path != path).Sum(part => part.RowGroups.Count);
        var found = parts.FirstOrDefault(part => part.Path == path);
        if (found is null || group < 0 || group >= found.RowGroups.Count)
            throw new ArgumentException($"The dataset has no row group {group} of '{path}'.");
        var leaves = Leaves(dataset, parts).Select(leaf => MerkleTree.LeafHash(leaf)).ToArray();
        return new(before + group, leaves.Length, MerklePath.Of(before + group, leaves));
    }

    /// <summary>The bytes that the leaf of a row group hashes.</summary>
    public static byte[] Leaf(string dataset, string path, int group, ProtectedRowGroup rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var head = Encoding.UTF8.GetBytes($"bulwark.dev/row-group/v1\n{dataset}\n{path}\n");
        var leaf = new byte[head.Length + 32 + Digest.SizeInBytes];
        head.CopyTo(leaf, 0);
        var tail = leaf.AsSpan(head.Length);
        BinaryPrimitives.WriteInt64BigEndian(tail, group);
        BinaryPrimitives.WriteInt64BigEndian(tail[8..], rows.Rows);
        BinaryPrimitives.WriteInt64BigEndian(tail[16..], rows.Offset);
        BinaryPrimitives.WriteInt64BigEndian(tail[24..], rows.Bytes);
        rows.Digest.Bytes.CopyTo(tail[32..]);
        return leaf;
    }

    private static IEnumerable<byte[]> Leaves(string dataset, IEnumerable<ProtectedPart> parts) =>
        parts.SelectMany(part => part.RowGroups.Select((rows, group) => Leaf(dataset, part.Path, group, rows)));
}
