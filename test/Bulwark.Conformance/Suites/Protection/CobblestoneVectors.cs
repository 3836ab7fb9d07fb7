using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>C2SP chunked encryption, Wycheproof: Cobblestone-256. The ciphertexts are zlib-compressed.</summary>
internal static class CobblestoneVectors
{
    internal static bool IsMatch(JsonElement root) => root.Text("algorithm").StartsWith("Cobblestone", StringComparison.Ordinal);

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root)
    {
        var is256 = root.Text("algorithm") == "Cobblestone-256";
        return root.List("testGroups").SelectMany(group => group.List("tests")).Select(test => (Id: $"{file}#{test.GetProperty("tcId")}", Test: test)).Select(one => is256
            ? Vectors.Judge(one.Id, () => Run(one.Id, one.Test))
            : CaseResult.Skip(one.Id, "not built: Cobblestone-128, because Bulwark encrypts with 256-bit keys only"));
    }

    private static CaseResult Run(string id, JsonElement test)
    {
        var valid = test.Text("result") == "valid";
        var message = Inflate(test.Hex("ct"));
        try
        {
            var plaintext = CobblestoneMessage.Decrypt(test.Hex("key"), test.Hex("ctx"), message);
            if (!valid)
                return CaseResult.Fail(id, "must be refused and was opened");
            return CaseResult.Of(
                id, plaintext.Length == test.GetProperty("msgLength").GetInt32() && SHA512.HashData(plaintext).AsSpan().SequenceEqual(test.Hex("msgSha512")), "another plaintext");
        }
        catch (Exception refusal) when (refusal is CryptographicException)
        {
            return CaseResult.Of(id, !valid && PrefixIsRight(test, message), $"must open and was refused, or gave out another prefix: {refusal.Message}");
        }
    }

    /// <summary>Streaming gives out the longest valid prefix and nothing else, and fails.</summary>
    private static bool PrefixIsRight(JsonElement test, byte[] message)
    {
        if (!test.Has("msgSha512"))
            return true;
        using var opened = CobblestoneMessage.Open(test.Hex("key"), test.Hex("ctx"), message.AsSpan(0, CobblestoneMessage.HeaderSizeInBytes));
        using var prefix = new MemoryStream();
        try
        {
            SegmentPipeline.OpenAsync(opened, new MemoryStream(message, CobblestoneMessage.HeaderSizeInBytes, message.Length - CobblestoneMessage.HeaderSizeInBytes), prefix, threads: 1).GetAwaiter().GetResult();
            return false;
        }
        catch (CryptographicException)
        {
            // The pipeline writes a batch of chunks at once, so that its prefix may be shorter than the longest.
            return prefix.Length == 0 || (prefix.Length == test.GetProperty("msgLength").GetInt64() && SHA512.HashData(prefix.ToArray()).AsSpan().SequenceEqual(test.Hex("msgSha512")));
        }
    }

    private static byte[] Inflate(byte[] compressed)
    {
        using var inflated = new MemoryStream();
        using var zlib = new ZLibStream(new MemoryStream(compressed), CompressionMode.Decompress);
        zlib.CopyTo(inflated);
        return inflated.ToArray();
    }
}
