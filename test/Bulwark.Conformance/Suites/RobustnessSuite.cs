using System.Text.Json;
using Bulwark.Conformance.Suites.Robustness;

namespace Bulwark.Conformance.Suites;

/// <summary>Losses, attacks, intervals and curves against published figures; a file is recognised by what it holds, not by its name.</summary>
internal static class RobustnessSuite
{
    internal static Suite? Cases => Run;

    private static IEnumerable<CaseResult> Run(DirectoryInfo directory)
    {
        foreach (var file in directory.EnumerateFiles("*.json").OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            JsonElement vectors;
            string? fault = null;
            try
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(file.FullName));
                vectors = document.RootElement.Clone();
            }
            catch (JsonException failure)
            {
                (vectors, fault) = (default, failure.Message);
            }

            if (fault is not null || vectors.ValueKind != JsonValueKind.Object)
            {
                yield return CaseResult.Fail(file.Name, $"no vectors: {fault ?? "not an object"}");
                continue;
            }

            foreach (var result in Of(Path.GetFileNameWithoutExtension(file.Name), vectors, file.Directory!))
                yield return result;
        }
    }

    private static IEnumerable<CaseResult> Of(string name, JsonElement vectors, DirectoryInfo directory)
    {
        bool Has(params string[] members) => members.All(member => vectors.TryGetProperty(member, out _));
        if (Has("weights", "pgd_linf"))
            return NetworkAttackCases.Run(name, vectors);
        if (Has("logits_nat", "y"))
            return LossCases.Run(name, vectors);
        if (Has("arch", "file", "pgd7"))
            return ExportedModelCases.Run(name, vectors, directory);
        if (Has("hw", "grad_params"))
            return ConvolutionCases.Run(name, vectors);
        if (Has("intervals", "certify"))
            return IntervalCases.Run(name, vectors);
        if (Has("rows") && CurveCases.AreCurves(vectors))
            return CurveCases.Rows(name, vectors);
        if (Has("methods", "metrics", "keep"))
            return CurveCases.Lira(name, vectors);
        if (Has("target_x", "out"))
            return CurveCases.Rmia(name, vectors);
        if (Has("cov_unbiased", "Q"))
            return DistanceCases.Run(name, vectors);
        if (Has("url", "lcld"))
            return ConstraintCases.Run(name, vectors);
        if (Has("x_min", "weights", "out"))
            return ConstrainedAttackCases.Run(name, vectors, directory);
        if (Has("R", "sigma1"))
            return BackdoorCases.Run(name, vectors);
        if (Has("trees", "exact_linf"))
            return TreeCases.Run(name, vectors);
        if (Has("rows") && ScheduleCases.AreSchedules(vectors))
            return ScheduleCases.Run(name, vectors);
        if (Has("rows") && RowCases.Of(vectors) is { } rows)
            return rows(name, vectors);
        return [CaseResult.Skip(name, $"not built: vectors of the form of {name}")];
    }
}
