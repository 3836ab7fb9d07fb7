using System.Text.Json;
using Bulwark.Conformance.Suites.Lineage;

namespace Bulwark.Conformance.Suites;

/// <summary>The transparency log, its proofs, notes and envelopes.</summary>
internal static class LineageSuite
{
    internal static Suite? Cases => directory =>
        Vectors.JsonFiles(directory).SelectMany(file => CasesOf(file.Id, file.Root)).Concat(LogVectors.Cases(directory)).Concat(ModelSigningVectors.Cases(directory)).Concat(NotBuilt(directory));

    internal static bool IsMatch(JsonElement root) => MerkleVectors.IsMatch(root) || NoteVectors.IsMatch(root) || ScriptVectors.IsMatch(root);

    private static IEnumerable<CaseResult> CasesOf(string file, JsonElement root) =>
        MerkleVectors.IsMatch(root) ? MerkleVectors.Cases(file, root) : NoteVectors.IsMatch(root) ? NoteVectors.Cases(file, root) : ScriptVectors.IsMatch(root) ? ScriptVectors.Cases(file, root) : [];

    private static IEnumerable<CaseResult> NotBuilt(DirectoryInfo directory) => directory.EnumerateFiles("*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(directory.FullName, file.FullName))
        .Where(file => file.Split(Path.DirectorySeparatorChar)[0] is "sigstore")
        .Order(StringComparer.Ordinal)
        .Select(file => CaseResult.Skip(file, "not built: keyless signatures of Sigstore"));
}
