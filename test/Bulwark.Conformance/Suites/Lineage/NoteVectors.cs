using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
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
            return [.. SignedNote.Parse(test.Text("note")).Verify([.. test.List("vkeys").Select(key => NoteKey.TryParse(key.GetString()!) ?? throw new FormatException())]).Select(key => key.Name)];
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
        var envelope = root.GetProperty("envelope");
        foreach (var (signature, i) in envelope.List("signatures").Select((signature, i) => (signature, i)))
        {
            var id = $"{file}#signature {i}";
            yield return Vectors.Judge(id, () =>
            {
                var (key, signed) = (KeyOf(root), Dsse.PreAuthenticationEncoding(envelope.Text("payloadType"), Convert.FromBase64String(envelope.Text("payload"))));
                var format = root.Text("signatureFormat").Contains("P1363", StringComparison.Ordinal) ? DSASignatureFormat.IeeeP1363FixedFieldConcatenation : DSASignatureFormat.Rfc3279DerSequence;
                var bytes = Convert.FromBase64String(signature.Text("sig"));
                var accepted = key.Verify(signed, bytes, format);
                signed[^1] ^= 1;
                return CaseResult.Of(id, accepted && !key.Verify(signed, bytes, format), "the signature was refused, or accepted for another payload");
            });
        }
    }

    /// <summary>The published key: a point in decimal.</summary>
    private static EcdsaKey KeyOf(JsonElement root)
    {
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = root.Text("curve") switch { "P-256" => ECCurve.NamedCurves.nistP256, "P-384" => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 },
            Q = new ECPoint { X = Coordinate(root, "X"), Y = Coordinate(root, "Y") },
        });
        return EcdsaKey.Of(key);
    }

    private static byte[] Coordinate(JsonElement root, string name)
    {
        var bytes = BigInteger.Parse(root.Text(name), CultureInfo.InvariantCulture).ToByteArray(isUnsigned: true, isBigEndian: true);
        var size = root.Text("curve") switch { "P-256" => 32, "P-384" => 48, _ => 66 };
        return [.. new byte[size - bytes.Length], .. bytes];
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
