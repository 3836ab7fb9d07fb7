using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>Roots and proofs of any size of a growing tree, from the hashes of its complete subtrees.</summary>
/// <param name="node">The hash of the complete subtree that covers 2^level leaves beginning at index · 2^level.</param>
internal sealed class MerkleProver(Func<int, long, Digest> node)
{
    /// <summary>RFC 6962 §2.1, MTH(D[begin:end]); a complete, aligned range is one stored node.</summary>
    internal Digest Root(long begin, long end)
    {
        if (begin == end)
            return MerkleTree.EmptyRoot;
        var count = end - begin;
        if ((count & (count - 1)) == 0 && begin % count == 0)
            return node(long.TrailingZeroCount(count) is var level ? (int)level : 0, begin / count);
        var split = begin + SplitOf(count);
        return MerkleTree.NodeHash(Root(begin, split), Root(split, end));
    }

    /// <summary>RFC 6962 §2.1.1, PATH(m, D[n]).</summary>
    internal IReadOnlyList<Digest> Inclusion(long index, long size)
    {
        var path = new List<Digest>();
        var (begin, end) = (0L, size);
        while (end - begin > 1)
        {
            var split = begin + SplitOf(end - begin);
            path.Add(index < split ? Root(split, end) : Root(begin, split));
            (begin, end) = index < split ? (begin, split) : (split, end);
        }

        path.Reverse();
        return path;
    }

    /// <summary>RFC 6962 §2.1.2, PROOF(m, D[n]).</summary>
    internal IReadOnlyList<Digest> Consistency(long oldSize, long newSize)
    {
        if (oldSize == newSize)
            return [];
        var path = new List<Digest>();
        var (begin, end, whole) = (0L, newSize, true);
        while (oldSize != end)
        {
            var split = begin + SplitOf(end - begin);
            if (oldSize <= split)
            {
                path.Add(Root(split, end));
                end = split;
            }
            else
            {
                path.Add(Root(begin, split));
                (begin, whole) = (split, false);
            }
        }

        if (!whole)
            path.Add(Root(begin, end));
        path.Reverse();
        return path;
    }

    /// <summary>The largest power of two below <paramref name="count"/>, which is 2 or more.</summary>
    private static long SplitOf(long count) => 1L << (63 - (int)long.LeadingZeroCount(count - 1));
}
