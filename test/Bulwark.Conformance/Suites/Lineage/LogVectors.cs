using System.Text.RegularExpressions;
using Bulwark.Lineage;

namespace Bulwark.Conformance.Suites.Lineage;

/// <summary>Logs that other programs wrote in tlog-tiles form: every checkpoint, every proof, the whole tree again.</summary>
internal static partial class LogVectors
{
    internal static IEnumerable<CaseResult> Cases(DirectoryInfo directory)
    {
        var keys = Keys(directory);
        foreach (var checkpoint in directory.EnumerateFiles("checkpoint", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            var id = Path.GetRelativePath(directory.FullName, checkpoint.Directory!.FullName);
            foreach (var result in Log(id, checkpoint.Directory!, keys))
                yield return result;
        }
    }

    private static IEnumerable<CaseResult> Log(string id, DirectoryInfo folder, IReadOnlyList<NoteKey> keys)
    {
        var newest = Checkpoint.Parse(File.ReadAllBytes(Path.Combine(folder.FullName, "checkpoint")));
        if (keys.FirstOrDefault(key => key.Name == newest.Origin) is not { } known)
        {
            yield return CaseResult.Fail(id, $"no vkey of {newest.Origin} is stated in the directory");
            yield break;
        }

        var log = TransparencyLog.OpenAsync(folder.FullName, trustedKey: known.Key).GetAwaiter().GetResult();
        var report = log.VerifyAsync().GetAwaiter().GetResult();
        yield return CaseResult.Of($"{id}#log", report.Verdict == LogVerdict.Verified, report.Detail);
        var checkpoints = folder.EnumerateFiles("checkpoint*").Select(file => (file.Name, Checkpoint: Checkpoint.Parse(File.ReadAllBytes(file.FullName))))
            .OrderBy(one => one.Checkpoint.Size).ToArray();
        foreach (var (name, checkpoint) in checkpoints)
        {
            yield return CaseResult.Of($"{id}/{name}#signature", checkpoint.IsSignedBy(known.Key), "not signed by the stated key");
            yield return CaseResult.Of($"{id}/{name}#root", log.RootAt(checkpoint.Size) == checkpoint.Root, "the tiles give another root");
            var proved = Enumerable.Range(0, (int)checkpoint.Size)
                .All(index => log.ProveInclusion(index, checkpoint.Size).Verify(log.ReadEntry(index).Span, checkpoint.Root));
            yield return CaseResult.Of($"{id}/{name}#inclusion", proved, "an entry is not proved");
            var consistent = checkpoints.Where(older => older.Checkpoint.Size is > 0 && older.Checkpoint.Size <= checkpoint.Size)
                .All(older => log.ProveConsistency(older.Checkpoint.Size, checkpoint.Size).Verify(older.Checkpoint.Root, checkpoint.Root));
            yield return CaseResult.Of($"{id}/{name}#consistency", consistent, "an earlier checkpoint is not proved");
        }

        foreach (var result in WitnessVectors.Cases(id, known, log, checkpoints))
            yield return result;
    }

    /// <summary>The vkeys that the directory's own notes state.</summary>
    private static List<NoteKey> Keys(DirectoryInfo directory) =>
    [
        .. directory.EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.Extension is ".md" or ".vkey" or ".pub" or ".txt" && file.Length < 1 << 20)
            .SelectMany(file => VkeyPattern().Matches(File.ReadAllText(file.FullName)).Select(match => match.Value)).Distinct().Select(NoteKey.Parse),
    ];

    [GeneratedRegex(@"[^\s+""`|]+\+[0-9a-f]{8}\+A[0-9A-Za-z+/]{43}")]
    private static partial Regex VkeyPattern();
}
