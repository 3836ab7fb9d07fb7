using System.Text.Json;
using Bulwark.Assurance;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>Exact distances to the decision boundary of a tree ensemble; an attack may not be nearer, a bound not further.</summary>
internal static class TreeCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        var ensemble = TreeFile.FromDump(v.GetProperty("trees"));
        float[] rows = [.. v.Flat("x").Select(value => (float)value)];
        var count = rows.Length / ensemble.Features;
        double[] margins = [.. Enumerable.Range(0, count).Select(row => ensemble.Margin(rows.AsSpan(row * ensemble.Features, ensemble.Features)))];
        yield return Vectors.Close($"{name}/margin", v.Flat("margin"), margins, 1e-9);
        var verifier = new TreeVerifier(ensemble);
        foreach (var (norm, member) in ((PerturbationNorm, string)[])[(PerturbationNorm.Linf, "exact_linf"), (PerturbationNorm.L2, "exact_l2")])
        {
            for (var row = 0; row < count; row++)
            {
                var (id, exact) = ($"{name}/{member}/{row}", v.GetProperty(member)[row].GetDouble());
                var one = rows.AsSpan(row * ensemble.Features, ensemble.Features).ToArray();
                yield return Vectors.Try(id, () => Distances(id, exact, verifier, new(ensemble), one, rows, norm));
            }
        }
    }

    private static CaseResult Distances(string id, double exact, TreeVerifier verifier, LeafTupleAttack attack, float[] row, float[] others, PerturbationNorm norm)
    {
        var proven = verifier.Distance(row, norm);
        if (!proven.Exact || Math.Abs(proven.Lower - exact) > 1e-6)
            return CaseResult.Fail(id, $"proven {proven.Lower:R}, published {exact:R}");
        var cut = verifier.Distance(row, norm, mostSteps: 5);
        if (cut.Lower > exact + 1e-6)
            return CaseResult.Fail(id, $"a search cut short claims {cut.Lower:R}, above {exact:R}");
        var found = attack.Run(row, others, norm);
        return CaseResult.Of(id, found is { } best && best.Distance >= exact - 1e-6, $"the attack claims {found?.Distance:R}, published {exact:R}");
    }
}
