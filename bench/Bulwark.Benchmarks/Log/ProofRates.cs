using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Benchmarks.Fields;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Benchmarks.Log;

/// <summary>Checks per second of one core, by CPU time, beside the hashes that they cannot do without.</summary>
internal static class ProofRates
{
    private const int Depth = 20;

    internal static void Run(TimeSpan duration)
    {
        using var signer = Signer.Generate();
        var size = 1L << Depth;
        var entry = new byte[AppendRates.EntryBytes];
        var path = Enumerable.Range(0, Depth).Select(level => Digest.Of([(byte)level])).ToArray();
        const long Index = 0b1010_1100_0101_1101_0110;
        var leaf = MerkleTree.LeafHash(entry);
        var root = leaf;
        for (var level = 0; level < Depth; level++)
            root = (Index >> level & 1) == 1 ? MerkleTree.NodeHash(path[level], root) : MerkleTree.NodeHash(root, path[level]);
        var checkpoint = SyntheticTiles.Sign(new Checkpoint("bench.example/log", size, root), signer);
        var note = System.Text.Encoding.UTF8.GetBytes(checkpoint.Note!.Note);
        var block = new byte[65];
        var rates = ThreadRate.Measure(
        [
            (100, () => Times(100, () => MerkleTree.VerifyInclusion(Index, size, MerkleTree.LeafHash(entry), path, root))),
            (100 * (Depth + 1), () => Times(100 * (Depth + 1), () => SHA256.HashData(block, stackalloc byte[32]) == 32)),
            (10, () => Times(10, () => Checkpoint.Parse(note).IsSignedBy(signer.PublicKey))),
        ], duration);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"inclusion proofs of depth {Depth}: {rates[0]:0}/s a core, {100 * rates[0] * (Depth + 1) / rates[1]:0}% of what its {Depth + 1} SHA-256 allow ({rates[1]:0}/s of 65 bytes, one call each)"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"checkpoints read and verified: {rates[2]:0}/s a core"));
    }

    private static void Times(int count, Func<bool> check)
    {
        for (var i = 0; i < count; i++)
        {
            if (!check())
                throw new InvalidOperationException("What must verify was refused.");
        }
    }
}
