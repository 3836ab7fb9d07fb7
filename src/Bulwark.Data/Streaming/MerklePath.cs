using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Data;

/// <summary>RFC 6962 section 2.1.1, PATH(m, D[n]).</summary>
internal static class MerklePath
{
    internal static List<Digest> Of(int index, ReadOnlySpan<Digest> leaves)
    {
        if (leaves.Length == 1)
            return [];
        var split = 1 << (31 - int.LeadingZeroCount(leaves.Length - 1));
        var left = index < split;
        var path = left ? Of(index, leaves[..split]) : Of(index - split, leaves[split..]);
        path.Add(MerkleTree.Root((left ? leaves[split..] : leaves[..split]).ToArray()));
        return path;
    }
}
