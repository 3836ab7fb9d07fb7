using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;

namespace Bulwark.Conformance.Suites.Protection;

/// <summary>C2SP FLOE messages: known answers, and mutations that must be refused.</summary>
internal static class FloeVectors
{
    internal static bool IsMatch(JsonElement root) => root.Has("tests") && root.GetProperty("tests").First().Has("key", "ct", "segLen");

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root) =>
        root.List("tests").Select((test, i) => Vectors.Judge($"{file}#{i} {test.Text("name")}", () => Run($"{file}#{i} {test.Text("name")}", test)));

    private static CaseResult Run(string id, JsonElement test)
    {
        var valid = test.Text("result") == "valid";
        var aad = test.Has("aadAscii") ? Encoding.ASCII.GetBytes(test.Text("aadAscii")) : test.Hex("aad");
        var rotation = test.TryGetProperty("rotationMask", out var mask) ? mask.GetInt32() : FloeMessage.DefaultRotationBits;
        try
        {
            var plaintext = Floe.Decrypt(test.Hex("key"), aad, test.Hex("ct"), rotation);
            return valid
                ? CaseResult.Of(id, plaintext.AsSpan().SequenceEqual(test.Hex("pt")), "another plaintext")
                : CaseResult.Fail(id, "must be refused and was opened");
        }
        catch (Exception refusal) when (refusal is CryptographicException or ArgumentException)
        {
            return CaseResult.Of(id, !valid, $"must open and was refused: {refusal.Message}");
        }
    }
}
