using System.Text.Json;
using Bulwark.Server;

namespace Bulwark.Conformance.Suites;

/// <summary>Wycheproof's JSON Web Signature and Key tests, through the reader that the gateway uses.</summary>
internal static class JoseSuite
{
    internal static Suite? Cases => Run;

    private static IEnumerable<CaseResult> Run(DirectoryInfo directory)
    {
        foreach (var file in directory.EnumerateFiles("*.json", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file.FullName));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("testGroups", out var groups))
                continue;
            foreach (var group in groups.EnumerateArray())
                foreach (var test in group.GetProperty("tests").EnumerateArray())
                    yield return JudgeOrFail($"{file.Name}#{test.GetProperty("tcId")}", group, test);
        }
    }

    private static CaseResult JudgeOrFail(string id, JsonElement group, JsonElement test)
    {
        try
        {
            return Judge(id, group, test);
        }
        catch (Exception fault)
        {
            return CaseResult.Fail(id, fault.Message);   // one case that cannot be read must not hide the others
        }
    }

    private static CaseResult Judge(string id, JsonElement group, JsonElement test)
    {
        if (!test.TryGetProperty("jws", out var token))
            return CaseResult.Skip(id, "not built: JWE");
        var expected = test.GetProperty("result").GetString() == "valid";
        var key = group.TryGetProperty("public", out var half) ? half : group.GetProperty("private");
        var compact = token.ValueKind == JsonValueKind.String ? token.GetString()! : token.GetRawText();
        var outcome = Verdict(key, compact);
        var accepted = outcome == nameof(JwsVerdict.Valid);
        if (expected && !accepted && Contradiction(key, compact) is { } contradiction)
            return CaseResult.Skip(id, contradiction);
        return CaseResult.Of(id, expected == accepted, $"expected {test.GetProperty("result")} ({test.GetProperty("comment")}); got {outcome}");
    }

    private static string Verdict(JsonElement key, string compact)
    {
        try
        {
            var json = key.GetRawText();
            var keys = key.TryGetProperty("keys", out _) ? JsonWebKeySet.Parse(json) : new JsonWebKeySet(JsonWebKey.Parse(json));
            return JwsReader.Read(compact, keys, allowed: null, out _).ToString();
        }
        catch (FormatException fault)
        {
            return $"key refused: {fault.Message}";
        }
    }

    /// <summary>Two published cases say "valid" against the RFCs that they test; refusing them is right.</summary>
    private static string? Contradiction(JsonElement key, string compact)
    {
        if (compact.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            return "the vector calls a token valid that holds a character outside base64url (RFC 7515, section 2)";
        var header = JsonDocument.Parse(Convert.FromBase64String(Padded(compact.Split('.')[0]))).RootElement;
        return key.TryGetProperty("alg", out var pinned) && pinned.GetString() != header.GetProperty("alg").GetString()
            ? "the vector calls a token valid whose algorithm is not the one that its key names (RFC 7517, section 4.4)" : null;
    }

    private static string Padded(string text) => text.Replace('-', '+').Replace('_', '/').PadRight((text.Length + 3) / 4 * 4, '=');
}
