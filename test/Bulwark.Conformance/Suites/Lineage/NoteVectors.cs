using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Conformance.Suites.Lineage;

/// <summary>C2SP signed notes and their keys, checkpoint bodies, and the DSSE encoding.</summary>
internal static class NoteVectors
{
    internal static bool IsMatch(JsonElement root) => root.List("notes").Any() || root.First().Has("body", "wantErr") || root.Has("paeAscii", "payloadType");

    internal static IEnumerable<CaseResult> Cases(string file, JsonElement root) =>
        root.ValueKind == JsonValueKind.Array ? Bodies(file, root) : root.List("notes").Any() ? Notes(file, root) : Envelope(file, root);

    private static IEnumerable<CaseResult> Notes(string file, JsonElement root)
    {
        foreach (var test in root.List("notes"))
        {
            var id = $"{file}#{test.Text("name")}";
            yield return Vectors.Judge(id, () => CaseResult.Of(id, Verified(test).SequenceEqual(test.List("verified").Select(name => name.GetString()!)), "other signers verified"));
        }

        foreach (var vkey in root.List("badVkeys"))
        {
            var id = $"{file}#vkey {vkey}";
            yield return Vectors.Judge(id, () => CaseResult.Of(id, Refuses(() => NoteKey.Parse(vkey.GetString()!)), "a bad key was accepted"));
        }
    }

    private static IEnumerable<string> Verified(JsonElement test)
    {
        try
        {
            return [.. SignedNote.Parse(test.Text("note")).Verify([.. test.List("vkeys").Select(key => NoteKey.Parse(key.GetString()!))]).Select(key => key.Name)];
        }
        catch (FormatException)
        {
            return [];
        }
    }

    /// <summary>Upstream's parser takes a root of any length; a SHA-256 tree's has 32 bytes, and anything else is to be refused.</summary>
    private static IEnumerable<CaseResult> Bodies(string file, JsonElement root) => root.EnumerateArray().Select((test, i) =>
    {
        var id = $"{file}#{i} {test.Text("desc")}";
        return Vectors.Judge(id, () =>
        {
            var hash = test.Text("body").Split('\n') is { Length: > 2 } lines && StrictBase64.TryDecode(lines[2], out var bytes) ? bytes.Length : 0;
            var expected = !test.GetProperty("wantErr").GetBoolean() && hash == Digest.SizeInBytes;
            return CaseResult.Of(id, Refuses(() => Checkpoint.ParseBody(test.Text("body"))) != expected, expected ? "must be read and was refused" : "must be refused and was read");
        });
    });

    private static IEnumerable<CaseResult> Envelope(string file, JsonElement root)
    {
        var payload = System.Text.Encoding.UTF8.GetBytes(root.Text("payloadAscii"));
        yield return CaseResult.Of($"{file}#pae", Dsse.PreAuthenticationEncoding(root.Text("payloadType"), payload).AsSpan()
            .SequenceEqual(System.Text.Encoding.UTF8.GetBytes(root.Text("paeAscii"))), "another encoding");
        yield return CaseResult.Skip($"{file}#signature", "not built: ECDSA signatures in envelopes (issue 4)");
    }

    private static bool Refuses(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (FormatException)
        {
            return true;
        }
    }
}
