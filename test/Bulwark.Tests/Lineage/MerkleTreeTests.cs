using Bulwark.Cryptography;
using Bulwark.Lineage;
using FsCheck;
using FsCheck.Fluent;

namespace Bulwark.Tests.Lineage;

public class MerkleTreeTests
{
    [Fact]
    public void The_empty_tree_and_one_leaf_have_the_roots_of_rfc_6962()
    {
        Assert.Equal("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", MerkleTree.Root([]).ToString());
        Assert.Equal("sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", MerkleTree.Root([MerkleTree.LeafHash([])]).ToString());
    }

    [Fact]
    public void Every_inclusion_and_consistency_of_small_trees_is_proved_and_no_other_is()
    {
        var leaves = Leaves(20);
        for (var size = 1; size <= leaves.Length; size++)
        {
            var root = MerkleTree.Root(leaves[..size]);
            var prover = Prover(leaves[..size]);
            for (var index = 0; index < size; index++)
            {
                var proof = prover.Inclusion(index, size);
                Assert.True(MerkleTree.VerifyInclusion(index, size, leaves[index], proof, root));
                for (var other = 0; other < size; other++)
                {
                    if (other != index)
                        Assert.False(MerkleTree.VerifyInclusion(other, size, leaves[index], proof, root));
                }
            }

            for (var older = 1; older <= size; older++)
            {
                var proof = prover.Consistency(older, size);
                Assert.True(MerkleTree.VerifyConsistency(older, size, MerkleTree.Root(leaves[..older]), root, proof));
                Assert.False(MerkleTree.VerifyConsistency(older, size, Digest.Of("forged"u8), root, proof));
                Assert.False(MerkleTree.VerifyConsistency(older, size, MerkleTree.Root(leaves[..older]), root, [.. proof, root]));
            }
        }
    }

    [Fact]
    public void A_proof_with_a_changed_missing_or_added_hash_is_refused()
    {
        var gen = Gen.Choose(1, 600).SelectMany(size => Gen.Choose(0, size - 1).SelectMany(index => Gen.Choose(0, 20).Select(at => (size, index, at))));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(Arb.From(gen), sample =>
        {
            var (size, index, at) = sample;
            var leaves = Leaves(size);
            var root = MerkleTree.Root(leaves);
            var proof = Prover(leaves).Inclusion(index, size);
            var ok = MerkleTree.VerifyInclusion(index, size, leaves[index], proof, root)
                && !MerkleTree.VerifyInclusion(index, size, leaves[index], [.. proof, root], root)
                && !MerkleTree.VerifyInclusion(index, size, Digest.Of("x"u8), proof, root);
            if (proof.Count > 0)
            {
                var changed = proof.ToArray();
                changed[at % changed.Length] = Digest.Of("y"u8);
                ok &= !MerkleTree.VerifyInclusion(index, size, leaves[index], changed, root)
                    && !MerkleTree.VerifyInclusion(index, size, leaves[index], [.. proof.Skip(1)], root);
            }

            return ok;
        }));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 0)]
    public void A_place_outside_of_the_tree_is_refused(long index, long size)
    {
        var leaf = MerkleTree.LeafHash([]);
        Assert.False(MerkleTree.VerifyInclusion(index, size, leaf, [], leaf));
    }

    [Fact]
    public void Nothing_is_proved_from_an_empty_tree() =>
        Assert.False(MerkleTree.VerifyConsistency(0, 1, MerkleTree.EmptyRoot, MerkleTree.LeafHash([]), []));

    private static Digest[] Leaves(int count) => [.. Enumerable.Range(0, count).Select(i => MerkleTree.LeafHash(BitConverter.GetBytes(i)))];

    private static MerkleProver Prover(Digest[] leaves) =>
        new((level, index) => MerkleTree.Root(leaves.AsSpan((int)(index << level), 1 << level).ToArray()));
}
