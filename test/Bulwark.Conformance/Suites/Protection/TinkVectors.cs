using System.Security.Cryptography;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Interchange;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>Tink's AES-GCM-HKDF streaming encryption: known answers, and mutations that must be refused.</summary>
internal static class TinkVectors
{
    internal static bool IsMatch(JsonElement root) => root.Has("tests") && root.GetProperty("tests").First().Has("hkdfHash", "segmentSize", "ct");

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root) =>
        root.List("tests").Select((test, i) => (Id: $"{file}#{i}", Test: test)).Select(one => Vectors.Judge(one.Id, () => Run(one.Id, one.Test)));

    private static CaseResult Run(string id, JsonElement test)
    {
        var valid = test.Text("result") == "valid";
        using var key = new TinkStreamingKey(
            test.Hex("key"), test.GetProperty("segmentSize").GetInt32(), test.GetProperty("derivedKeySize").GetInt32(), new HashAlgorithmName(test.Text("hkdfHash")));
        foreach (var forward in new[] { false, true })
        {
            using var plaintext = new MemoryStream();
            try
            {
                if (forward)
                    TinkFile.OpenToAsync(new MemoryStream(test.Hex("ct")), plaintext, key, test.Hex("aad"), threads: 2).GetAwaiter().GetResult();
                else
                    Seekable(test, key).CopyTo(plaintext);
                if (!valid)
                    return CaseResult.Fail(id, "must be refused and was opened");
                if (!plaintext.ToArray().AsSpan().SequenceEqual(test.Hex("pt")))
                    return CaseResult.Fail(id, "another plaintext");
            }
            catch (CryptographicException refusal)
            {
                if (valid)
                    return CaseResult.Fail(id, $"must open and was refused: {refusal.Message}");
            }
        }

        return CaseResult.Pass(id);
    }

    private static SegmentedStream Seekable(JsonElement test, TinkStreamingKey key)
    {
        var source = new MemoryStream(test.Hex("ct"));
        var header = new byte[TinkMessage.HeaderSize(key)];
        if (source.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            throw SegmentedMessage.Refused();
        return new SegmentedStream(source, TinkMessage.Open(key, test.Hex("aad"), header));
    }
}
