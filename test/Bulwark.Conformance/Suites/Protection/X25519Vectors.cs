using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>X25519, Wycheproof. An "acceptable" case may be refused or must give the stated secret.</summary>
internal static class X25519Vectors
{
    internal static bool IsMatch(JsonElement root) => root.List("testGroups").FirstOrDefault().Text("type") == "XdhComp" && root.List("testGroups").FirstOrDefault().Text("curve") == "curve25519";

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root) => root.List("testGroups").SelectMany(group => group.List("tests"))
        .Select(test => (Id: $"{file}#{test.GetProperty("tcId")}", Test: test)).Select(one => Vectors.Judge(one.Id, () => Run(one.Id, one.Test)));

    private static CaseResult Run(string id, JsonElement test)
    {
        using var pair = X25519KeyPair.Import(test.Hex("private"));
        try
        {
            using var shared = pair.Agree(new X25519PublicKey(test.Hex("public")));
            return CaseResult.Of(id, test.Text("result") != "invalid" && shared.Span.SequenceEqual(test.Hex("shared")), "another secret");
        }
        catch (ArgumentException)
        {
            return CaseResult.Of(id, test.Text("result") != "valid", "must agree and was refused");
        }
    }
}
