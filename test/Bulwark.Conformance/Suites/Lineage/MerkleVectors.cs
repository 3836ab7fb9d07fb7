using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Conformance.Suites.Lineage;

/// <summary>RFC 6962 trees: inclusion, consistency, roots.</summary>
internal static class MerkleVectors
{
    internal static bool IsMatch(JsonElement root) =>
        root.First().Has("leafIdx", "treeSize") || root.First().Has("size1", "size2") || root.Has("leafInputs", "rootHashesBySize");

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Object)
            return Roots(file, root);
        return root.EnumerateArray().Select((test, i) => ($"{file}#{i} {test.Text("desc")}", test))
            .Select(one => Vectors.Judge(one.Item1, () => Run(one.Item1, one.test)));
    }

    private static CaseResult Run(string id, JsonElement test)
    {
        var accepted = test.Has("leafIdx")
            ? Number(test, "leafIdx") is { } index && Number(test, "treeSize") is { } size && IsHash(test, "leafHash") && IsHash(test, "root")
                && MerkleTree.VerifyInclusion(index, size, Hash(test, "leafHash"), Proof(test), Hash(test, "root"))
            : Number(test, "size1") is { } older && Number(test, "size2") is { } newer
                && MerkleTree.VerifyConsistency(older, newer, Hash(test, "root1"), Hash(test, "root2"), Proof(test));
        var expected = !test.GetProperty("wantErr").GetBoolean();
        return CaseResult.Of(id, accepted == expected, expected ? "must verify and was refused" : "must be refused and verified");
    }

    private static IEnumerable<CaseResult> Roots(string file, JsonElement root)
    {
        var leaves = root.List("leafInputs").Select(leaf => MerkleTree.LeafHash(Convert.FromHexString(leaf.GetString()!))).ToArray();
        return root.List("rootHashesBySize").Select((expected, size) => Vectors.Judge($"{file}#{size}", () => CaseResult.Of(
            $"{file}#{size}", MerkleTree.Root(leaves[..size]).ToHex() == expected.GetString(), "another root")));
    }

    /// <summary>Null beyond what a size can be here: refused.</summary>
    private static long? Number(JsonElement test, string name) => test.GetProperty(name).TryGetInt64(out var number) ? number : null;

    /// <summary>What is no hash cannot even be put to <see cref="MerkleTree.VerifyInclusion"/>: refused.</summary>
    private static bool IsHash(JsonElement test, string name) => Convert.FromBase64String(test.Text(name)).Length == Digest.SizeInBytes;

    private static Digest[] Proof(JsonElement test) => [.. test.List("proof").Select(hash => Digested(hash.GetString()))];

    private static Digest Hash(JsonElement test, string name) => Digested(test.Text(name));

    /// <summary>Some cases carry text where a hash belongs ("don't care"): it stays equal to itself and to no hash.</summary>
    private static Digest Digested(string? base64)
    {
        var bytes = Convert.FromBase64String(base64 ?? "");
        return bytes.Length == Digest.SizeInBytes ? new Digest(bytes) : Digest.Of([.. "no hash: "u8, .. bytes]);
    }
}
