using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>Ed25519 verification: Wycheproof, and CCTV's edge cases on which verifiers differ.</summary>
internal static class Ed25519Vectors
{
    // The strict rule that VerificationKey states: no small-order point, no other encoding of a point, the equation without its cofactor.
    private static readonly string[] Refused = ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue", "reencoded_k"];

    internal static bool IsMatch(JsonElement root) =>
        (root.Has("testGroups") && root.GetProperty("testGroups").First() is var group && group.Text("type") == "EddsaVerify"
            && group.Has("publicKey") && group.GetProperty("publicKey").Text("curve") == "edwards25519")
        || root.First().Has("key", "sig", "msg", "flags");

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Array)
        {
            return root.EnumerateArray().Select(test => (Id: $"{file}#{test.GetProperty("number")}", Test: test)).Select(one => Vectors.Judge(one.Id, () => Compare(
                one.Id, one.Test.Hex("key"), Encoding.UTF8.GetBytes(one.Test.Text("msg")), one.Test.Hex("sig"),
                expected: !one.Test.List("flags").Any(flag => Refused.Contains(flag.GetString())))));
        }

        return root.List("testGroups").SelectMany(group => group.List("tests").Select(test => (Id: $"{file}#{test.GetProperty("tcId")}", Test: test)).Select(one => Vectors.Judge(
            one.Id, () => Compare(one.Id, group.GetProperty("publicKey").Hex("pk"), one.Test.Hex("msg"), one.Test.Hex("sig"), one.Test.Text("result") == "valid"))));
    }

    private static CaseResult Compare(string id, byte[] key, byte[] message, byte[] signature, bool expected)
    {
        var accepted = key.Length == VerificationKey.SizeInBytes && new VerificationKey(key).Verify(message, signature);
        return CaseResult.Of(id, accepted == expected, expected ? "must verify and was refused" : "must be refused and verified");
    }
}
