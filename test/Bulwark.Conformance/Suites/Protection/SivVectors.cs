using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>AES-SIV: Wycheproof's deterministic and nonce-based tests, and the examples of RFC 5297. One value at a time and in a batch.</summary>
internal static class SivVectors
{
    internal static bool IsMatch(JsonElement root) =>
        root.Text("algorithm") is "AES-SIV-CMAC" or "AEAD-AES-SIV-CMAC" || (root.ValueKind == JsonValueKind.Array && root.First().Has("key", "ad", "pt", "out"));

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Array)
        {
            foreach (var example in root.EnumerateArray())
            {
                var id = $"{file}#{example.Text("name")}";
                byte[][] parts = [.. example.GetProperty("ad").EnumerateArray().Select(part => Convert.FromHexString(part.GetString()!))];
                yield return Vectors.Judge(id, () => Run(id, example.Hex("key"), example.Hex("pt"), example.Hex("out"), parts, valid: true));
            }

            yield break;
        }

        foreach (var test in root.List("testGroups").SelectMany(group => group.List("tests")))
        {
            var id = $"{file}#{test.GetProperty("tcId")}";
            byte[][] parts = test.Has("iv") ? [test.Hex("aad"), test.Hex("iv")] : [test.Hex("aad")];
            byte[] output = test.Has("tag") ? [.. test.Hex("tag"), .. test.Hex("ct")] : test.Hex("ct");   // the synthetic IV is the tag
            yield return Vectors.Judge(id, () => Run(id, test.Hex("key"), test.Hex("msg"), output, parts, test.Text("result") == "valid"));
        }
    }

    private static CaseResult Run(string id, byte[] key, byte[] plaintext, byte[] output, byte[][] parts, bool valid)
    {
        AesSiv siv;
        try
        {
            siv = new AesSiv(key);
        }
        catch (ArgumentException refusal)
        {
            return CaseResult.Of(id, !valid, $"the key must be taken and was refused: {refusal.Message}");
        }

        using (siv)
        {
            byte[]? opened = null;
            try
            {
                opened = siv.Decrypt(output, parts);
            }
            catch (CryptographicException)
            {
                // judged below
            }

            if (!valid)
                return CaseResult.Of(id, opened is null && !Batch(siv, output, parts, out _), "must be refused and was opened");
            if (!plaintext.AsSpan().SequenceEqual(opened))
                return CaseResult.Fail(id, "must open and did not");
            if (!Batch(siv, output, parts, out var together) || !together.AsSpan().SequenceEqual(plaintext))
                return CaseResult.Fail(id, "must open in a batch and did not");
            var encrypted = new byte[plaintext.Length + AesSiv.OverheadInBytes];
            siv.EncryptBatch(plaintext, [plaintext.Length], encrypted, parts);
            return CaseResult.Of(id, encrypted.AsSpan().SequenceEqual(output) && siv.Encrypt(plaintext, parts).AsSpan().SequenceEqual(output), $"encrypted to {Convert.ToHexStringLower(encrypted)}");
        }
    }

    private static bool Batch(AesSiv siv, byte[] output, byte[][] parts, out byte[] plaintext)
    {
        plaintext = new byte[Math.Max(0, output.Length - AesSiv.OverheadInBytes)];
        try
        {
            return siv.DecryptBatch(output, [output.Length], plaintext, new bool[1], parts);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
