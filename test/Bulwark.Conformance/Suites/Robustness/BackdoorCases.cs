using System.Text.Json;
using Bulwark.Assurance;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>Signs of backdoors in published representations.</summary>
internal static class BackdoorCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        var (representations, rows) = (v.Flat("R"), v.GetProperty("R").GetArrayLength());
        var (width, scores) = (representations.Length / rows, new double[rows]);
        var largest = BackdoorScores.Spectral(representations, width, scores);
        yield return Vectors.Close($"{name}/sigma1", [v.Number("sigma1")], [largest], 1e-9);
        yield return Vectors.Close($"{name}/score", v.Flat("score"), scores, 1e-6);
        yield return Vectors.Close($"{name}/silhouette", [v.Number("silhouette")], [BackdoorScores.Silhouette(representations, width, v.Whole("labels"))], 1e-9);
        yield return Vectors.Close($"{name}/anomaly", v.GetProperty("nc").Flat("index"), BackdoorScores.AnomalyIndex(v.GetProperty("nc").Flat("norms")), 1e-9);
    }
}
