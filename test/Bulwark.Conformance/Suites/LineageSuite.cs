using System.Text.Json;
using Bulwark.Conformance.Suites.Lineage;

namespace Bulwark.Conformance.Suites;

/// <summary>The transparency log, its proofs, notes and envelopes.</summary>
internal static class LineageSuite
{
    internal static Suite? Cases => directory =>
        Vectors.JsonFiles(directory).SelectMany(file => CasesOf(file.Id, file.Root)).Concat(LogVectors.Cases(directory)).Concat(ModelSigningVectors.Cases(directory)).Concat(NotBuilt(directory));

    internal static bool IsMatch(JsonElement root) => MerkleVectors.IsMatch(root) || NoteVectors.IsMatch(root);

    private static IEnumerable<CaseResult> CasesOf(string file, JsonElement root) =>
        MerkleVectors.IsMatch(root) ? MerkleVectors.Cases(file, root) : NoteVectors.IsMatch(root) ? NoteVectors.Cases(file, root) : [];

    private static IEnumerable<CaseResult> NotBuilt(DirectoryInfo directory) => directory.EnumerateFiles("*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(directory.FullName, file.FullName))
        .Where(file => file.Split(Path.DirectorySeparatorChar)[0] is "sigstore" or "witness")
        .Order(StringComparer.Ordinal)
        .Select(file => CaseResult.Skip(file, file.StartsWith("witness", StringComparison.Ordinal) ? "not built: witnesses (issue 4)" : "not built: keyless signatures of Sigstore"));
}
