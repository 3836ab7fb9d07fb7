using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Conformance.Suites.Lineage;

/// <summary>The published checkpoints of a foreign log, put to a witness and into proof files: each answer of the protocols, and each refusal.</summary>
internal static class WitnessVectors
{
    internal static IEnumerable<CaseResult> Cases(string id, NoteKey known, TransparencyLog log, (string Name, Checkpoint Checkpoint)[] checkpoints)
    {
        var folder = Directory.CreateTempSubdirectory("bulwark-witness-");
        try
        {
            return [.. Follow(id, known, log, checkpoints, folder.FullName), .. checkpoints.SelectMany(one => Proofs($"{id}/{one.Name}", known, log, one.Checkpoint))];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static List<CaseResult> Follow(string id, NoteKey known, TransparencyLog log, (string Name, Checkpoint Checkpoint)[] checkpoints, string folder)
    {
        using var signer = Signer.FromSeed(Digest.Of("a witness of the conformance suite"u8).Bytes);
        var witness = new Witness("witness.example/conformance", signer, [known], folder);
        var stranger = new Witness("witness.example/stranger", signer, [new NoteKey("log.example/another", known.Key)], Path.Combine(folder, "stranger"));
        var results = new List<CaseResult>();
        var cosigned = 0L;
        foreach (var (name, checkpoint) in checkpoints.DistinctBy(one => one.Checkpoint.Size))
        {
            void Expect(string what, int status, WitnessAnswer answer, string? body = null) => results.Add(CaseResult.Of($"{id}/{name}#witness {what}",
                answer.Status == status && (body is null || (answer.Body == body && answer.ContentType == Witness.SizeContentType)), $"answered {answer.Status} {answer.Body.Trim()}"));

            var proof = cosigned > 0 && cosigned < checkpoint.Size ? log.ProveConsistency(cosigned, checkpoint.Size).Hashes : [];
            Expect("unknown log", 404, Ask(stranger, cosigned, proof, checkpoint.Note!.Note));
            Expect("broken signature", 403, Ask(witness, cosigned, proof, Broken(checkpoint.Note.Note)));
            Expect("old above new", 400, Ask(witness, checkpoint.Size + 1, proof, checkpoint.Note.Note));
            if (cosigned > 0 && cosigned + 1 <= checkpoint.Size)
                Expect("other old size", 409, Ask(witness, cosigned + 1, proof, checkpoint.Note.Note), $"{cosigned}\n");
            if (proof.Count > 0)
                Expect("broken proof", 422, Ask(witness, cosigned, [.. proof.Skip(1), MerkleTree.EmptyRoot], checkpoint.Note.Note));
            else if (cosigned == 0)
                Expect("proof from nothing", 422, Ask(witness, 0, [MerkleTree.EmptyRoot], checkpoint.Note.Note));
            var answer = Ask(witness, cosigned, proof, checkpoint.Note.Note);
            Expect("growth", 200, answer);
            results.Add(CaseResult.Of($"{id}/{name}#cosignature", answer.Status == 200
                && SignedNote.Parse($"{checkpoint.Body}\n{answer.Body}").Verify([witness.Key]).Count == 1, "the cosignature does not verify"));
            cosigned = checkpoint.Size;
        }

        return results;
    }

    private static IEnumerable<CaseResult> Proofs(string id, NoteKey known, TransparencyLog log, Checkpoint checkpoint)
    {
        for (var index = 0L; index < checkpoint.Size; index++)
        {
            var proof = new TlogProof(index, log.ProveInclusion(index, checkpoint.Size).Hashes, checkpoint);
            var (entry, text) = (log.ReadEntry(index).ToArray(), proof.Format());
            yield return CaseResult.Of($"{id}#tlog-proof {index}", TlogProof.Parse(text).Format() == text && TlogProof.Parse(text).Verify(entry, known.Key) == LogVerdict.Verified, "not read back and verified");
            yield return CaseResult.Of($"{id}#tlog-proof {index} of another entry", proof.Verify([.. entry, 0], known.Key) == LogVerdict.NotIncluded, "accepted");
            yield return CaseResult.Of($"{id}#tlog-proof {index} at another place", checkpoint.Size == 1 || (proof with { Index = (index + 1) % checkpoint.Size }).Verify(entry, known.Key) == LogVerdict.NotIncluded, "accepted");
            yield return CaseResult.Of($"{id}#tlog-proof {index} with one hash more", (proof with { Hashes = [.. proof.Hashes, MerkleTree.EmptyRoot] }).Verify(entry, known.Key) == LogVerdict.NotIncluded, "accepted");
        }
    }

    private static WitnessAnswer Ask(Witness witness, long old, IReadOnlyList<Digest> proof, string note) => witness.AddCheckpointAsync(
        Encoding.UTF8.GetBytes($"old {old}\n{string.Concat(proof.Select(hash => Convert.ToBase64String(hash.ToArray()) + "\n"))}\n{note}")).GetAwaiter().GetResult();

    /// <summary>The same note with a bit of its first signature turned.</summary>
    private static string Broken(string note)
    {
        var line = note[(note.LastIndexOf("\n\n", StringComparison.Ordinal) + 2)..].Split('\n')[0];
        var blob = Convert.FromBase64String(line[(line.LastIndexOf(' ') + 1)..]);
        blob[^1] ^= 1;
        return note.Replace(line, $"{line[..(line.LastIndexOf(' ') + 1)]}{Convert.ToBase64String(blob)}", StringComparison.Ordinal);
    }
}
