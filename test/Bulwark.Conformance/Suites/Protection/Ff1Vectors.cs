using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>FF1: Wycheproof's tests on strings and on lists of digits, and NIST's samples. One text at a time and in a batch.</summary>
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
                var alphabet = group.Has("alphabet") ? group.Text("alphabet") : Symbols(group.GetProperty("radix").GetInt32());
                yield return Vectors.Judge(id, () => Run(id, alphabet, test, "msg", test.Text("result") == "valid"));
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
            var (plain, expected) = (Text(test, plaintext), Text(test, "ct"));
            var encrypted = ff1.Encrypt(plain, tweak);
            if (!valid)
                return CaseResult.Fail(id, "must be refused and was encrypted");
            if (ff1.EncryptMany([plain, plain], tweak)[1] != expected || ff1.DecryptMany([expected, expected], tweak)[1] != plain)
                return CaseResult.Fail(id, "a batch comes out differently");
            return CaseResult.Of(id, encrypted == expected && ff1.Decrypt(expected, tweak) == plain, $"encrypted to {encrypted}");
        }
        catch (ArgumentException refusal)
        {
            return CaseResult.Of(id, !valid, $"must encrypt and was refused: {refusal.Message}");
        }
    }

    /// <summary>A list of digits as a text whose characters' numbers are the digits.</summary>
    private static string Text(JsonElement test, string name) => test.GetProperty(name).ValueKind == JsonValueKind.Array
        ? string.Concat(test.List(name).Select(digit => digit.GetInt32() is >= 0 and <= char.MaxValue and var number ? (char)number : throw new ArgumentException("A digit is outside every radix.")))
        : test.Text(name);

    private static string Symbols(int radix) => string.Concat(Enumerable.Range(0, radix).Select(digit => (char)digit));
}
