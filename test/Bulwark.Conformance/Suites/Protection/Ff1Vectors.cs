using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>FF1: Wycheproof's string tests and NIST's samples.</summary>
internal static class Ff1Vectors
{
    // Vectors of the first edition have domains from 100 texts; the product's own limit is 10^6 (revision 1), so the limit is lowered here.
    private const int FirstEditionMinimum = 100;
    private const string Base36 = "0123456789abcdefghijklmnopqrstuvwxyz";

    internal static bool IsMatch(JsonElement root) =>
        root.Text("algorithm") == "AES-FF1" || (root.Has("samples") && root.GetProperty("samples").First().Has("radix", "pt", "ct"));

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root)
    {
        foreach (var group in root.List("testGroups"))
        {
            foreach (var test in group.List("tests"))
            {
                var id = $"{file}#{test.GetProperty("tcId")}";
                yield return group.Has("alphabet")
                    ? Vectors.Judge(id, () => Run(id, group.Text("alphabet"), test, "msg", test.Text("result") == "valid"))
                    : CaseResult.Skip(id, "not built: FF1 on digit lists");
            }
        }

        foreach (var sample in root.List("samples"))
        {
            var id = $"{file}#{sample.GetProperty("n")}";
            yield return Vectors.Judge(id, () => Run(id, Base36[..sample.GetProperty("radix").GetInt32()], sample, "pt", valid: true));
        }
    }

    private static CaseResult Run(string id, string alphabet, JsonElement test, string plaintext, bool valid)
    {
        try
        {
            using var ff1 = new Ff1(test.Hex("key"), alphabet, FirstEditionMinimum);
            var tweak = test.Hex("tweak");
            var encrypted = ff1.Encrypt(test.Text(plaintext), tweak);
            if (!valid)
                return CaseResult.Fail(id, "must be refused and was encrypted");
            return CaseResult.Of(id, encrypted == test.Text("ct") && ff1.Decrypt(test.Text("ct"), tweak) == test.Text(plaintext), $"encrypted to {encrypted}");
        }
        catch (ArgumentException refusal)
        {
            return CaseResult.Of(id, !valid, $"must encrypt and was refused: {refusal.Message}");
        }
    }
}
