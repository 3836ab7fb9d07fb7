using System.Text.Json;
using Bulwark.Conformance.Suites.Protection;

namespace Bulwark.Conformance.Suites;

/// <summary>Data protection: every family that goes through Bulwark's public API is run; the others say that they are not built.</summary>
internal static class ProtectionSuite
{
    private static readonly string[] OfLineage = ["merkle", "tlog", "dsse", "oms", "sigstore"];

    internal static Suite? Cases => directory => Vectors.JsonFiles(directory).SelectMany(file => CasesOf(file.Id, file.Root)).Concat(AgeVectors.Cases(directory)).Concat(ParquetVectors.Cases(directory));

    private static IEnumerable<CaseResult> CasesOf(string file, JsonElement root)
    {
        if (OfLineage.Contains(Family(file)) || Family(file) == "parquet" || LineageSuite.IsMatch(root))
            return [];
        if (root.Has("definitions"))
            return [];   // describes vectors, holds none
        if (FloeVectors.IsMatch(root))
            return FloeVectors.Cases(file, root);
        if (CobblestoneVectors.IsMatch(root))
            return CobblestoneVectors.Cases(file, root);
        if (TinkVectors.IsMatch(root))
            return TinkVectors.Cases(file, root);
        if (X25519Vectors.IsMatch(root))
            return X25519Vectors.Cases(file, root);
        if (AeadVectors.IsMatch(root))
            return AeadVectors.Cases(file, root);
        if (Ff1Vectors.IsMatch(root))
            return Ff1Vectors.Cases(file, root);
        if (SivVectors.IsMatch(root))
            return SivVectors.Cases(file, root);
        if (Ed25519Vectors.IsMatch(root))
            return Ed25519Vectors.Cases(file, root);
        if (KeyVectors.IsMatch(root))
            return KeyVectors.Cases(file, root);
        return Tests(root).Select(test => CaseResult.Skip($"{file}#{test}", $"not built: {Family(file)} is not in Bulwark.Cryptography's public API, and no format here uses it"));
    }

    private static IEnumerable<string> Tests(JsonElement root)
    {
        var tests = root.ValueKind != JsonValueKind.Object ? [] : root.List("testGroups").SelectMany(group => group.List("tests")).Concat(root.List("tests")).ToArray();
        return tests.Length == 0 ? ["file"] : tests.Select((test, i) => test.TryGetProperty("tcId", out var id) ? id.ToString() : $"{i}");
    }

    private static string Family(string file) => file.Split(Path.DirectorySeparatorChar)[0];
}
