using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Conformance.Suites.Lineage;

/// <summary>Cases as JSON lists: tlog policies, offline proofs, and scripts of requests to a witness. Known by their members, not by their files' names.</summary>
internal static class ScriptVectors
{
    internal static bool IsMatch(JsonElement root) => Tests(root).Any(test => IsPolicy(test) || IsProof(test) || IsScript(test));

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root) => Tests(root).SelectMany((test, i) =>
    {
        var id = $"{file}#{i} {(test.Text("name") is { Length: > 0 } name ? name : test.Text("desc"))}";
        return IsScript(test) ? Script(id, test, root) : [Vectors.Judge(id, () => IsProof(test) ? Proof(id, test) : Policy(id, test))];
    });

    private static bool IsPolicy(JsonElement test) => test.Has("policy") && Expected(test) is not null && !test.Has("proof");

    private static bool IsProof(JsonElement test) => test.Text("proof").StartsWith("c2sp.org/tlog-proof", StringComparison.Ordinal) && Expected(test) is not null;

    private static bool IsScript(JsonElement test) => Steps(test).Any(step => (step.Has("request") || step.Has("body")) && step.Has("status"));

    private static IEnumerable<JsonElement> Tests(JsonElement root) => root.ValueKind == JsonValueKind.Array ? root.EnumerateArray()
        : IsScriptRoot(root) ? [root]
        : ((string[])["tests", "cases", "policies", "proofs", "scripts", "notes"]).SelectMany(name => root.List(name));

    private static bool IsScriptRoot(JsonElement root) => root.ValueKind == JsonValueKind.Object && Steps(root).Any(step => step.Has("status"));

    private static IEnumerable<JsonElement> Steps(JsonElement test) => ((string[])["steps", "requests"]).SelectMany(name => test.List(name));

    /// <summary>True for what must be accepted; null where the case does not say.</summary>
    private static bool? Expected(JsonElement test) =>
        test.ValueKind != JsonValueKind.Object ? null
        : test.TryGetProperty("wantErr", out var error) && error.ValueKind is JsonValueKind.True or JsonValueKind.False ? !error.GetBoolean()
        : test.TryGetProperty("valid", out var valid) && valid.ValueKind is JsonValueKind.True or JsonValueKind.False ? valid.GetBoolean()
        : test.Text("result") is "valid" or "acceptable" ? true : test.Text("result") is "invalid" ? false : null;

    private static CaseResult Policy(string id, JsonElement test)
    {
        var accepted = LogPolicy.Faults(Encoding.UTF8.GetBytes(test.Text("policy"))).Count == 0;
        if (accepted && (test.Text("note") is { Length: > 0 } || test.Text("checkpoint") is { Length: > 0 }))
        {
            var note = test.Text("note") is { Length: > 0 } text ? text : test.Text("checkpoint");
            accepted = LogPolicy.Parse(Encoding.UTF8.GetBytes(test.Text("policy"))).Judge(Checkpoint.Parse(Encoding.UTF8.GetBytes(note))).Verdict == LogVerdict.Verified;
        }

        return CaseResult.Of(id, accepted == Expected(test), accepted ? "must be refused and was accepted" : "must be accepted and was refused");
    }

    private static CaseResult Proof(string id, JsonElement test)
    {
        bool accepted;
        try
        {
            var proof = TlogProof.Parse(test.Text("proof"));
            var entry = test.Text("entry") is { Length: > 0 } text ? Convert.FromBase64String(text) : test.Text("entryHex") is { Length: > 0 } hex ? Convert.FromHexString(hex) : null;
            accepted = entry is null
                || (test.Text("policy") is { Length: > 0 } policy && proof.Verify(entry, LogPolicy.Parse(Encoding.UTF8.GetBytes(policy))).Verdict == LogVerdict.Verified)
                || (test.Text("vkey") is { Length: > 0 } vkey && proof.Verify(entry, NoteKey.Parse(vkey).Key) == LogVerdict.Verified);
        }
        catch (FormatException)
        {
            accepted = false;
        }

        return CaseResult.Of(id, accepted == Expected(test), accepted ? "must be refused and was accepted" : "must be accepted and was refused");
    }

    private static List<CaseResult> Script(string id, JsonElement test, JsonElement root)
    {
        var folder = Directory.CreateTempSubdirectory("bulwark-witness-");
        using var signer = Signer.FromSeed(Digest.Of("a witness of the conformance suite"u8).Bytes);
        try
        {
            NoteKey[] logs = [.. new[] { test, root }.SelectMany(from => from.List("logs").Concat(from.List("vkeys"))).Select(key => NoteKey.Parse(key.ValueKind == JsonValueKind.String ? key.GetString()! : key.Text("vkey"))).Distinct()];
            var witness = new Witness("witness.example/conformance", signer, logs, folder.FullName);
            return [.. Steps(test).Select((step, i) => Vectors.Judge($"{id} step {i}", () =>
            {
                var answer = witness.AddCheckpointAsync(Encoding.UTF8.GetBytes(step.Has("request") ? step.Text("request") : step.Text("body"))).GetAwaiter().GetResult();
                var expected = step.GetProperty("status").GetInt32();
                return CaseResult.Of($"{id} step {i}", answer.Status == expected && (step.Text("response") is not { Length: > 0 } body || expected == 200 || answer.Body == body), $"answered {answer.Status} {answer.Body.Trim()}, expected {expected}");
            }))];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
