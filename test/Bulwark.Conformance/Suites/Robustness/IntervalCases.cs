using System.Text.Json;
using Bulwark.Assurance;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>Clopper-Pearson intervals.</summary>
internal static class IntervalCases
{
    internal static IEnumerable<CaseResult> Run(string name, JsonElement v)
    {
        foreach (var row in v.GetProperty("intervals").EnumerateArray())
        {
            var (k, n, alpha) = ((long)row.Number("k"), (long)row.Number("n"), row.Number("alpha"));
            var id = $"{name}/interval {k} of {n}, alpha {alpha}";
            yield return Vectors.Try(id, () =>
            {
                var (lower, upper) = ClopperPearson.Interval(k, n, alpha);
                return Vectors.Close(
                    id,
                    [row.Number("lower_one_sided"), row.Number("upper_one_sided"), row.Number("lower_two_sided"), row.Number("upper_two_sided")],
                    [ClopperPearson.Lower(k, n, alpha), ClopperPearson.Upper(k, n, alpha), lower, upper],
                    1e-9);
            });
        }

        foreach (var row in v.GetProperty("certify").EnumerateArray())
        {
            var (votes, n, alpha, sigma) = ((long)row.Number("nA"), (long)row.Number("n"), row.Number("alpha"), row.Number("sigma"));
            var id = $"{name}/certify {votes} of {n}, alpha {alpha}, sigma {sigma}";
            yield return Vectors.Try(id, () => Radius(id, row, RandomizedSmoothing.Radius(votes, n, alpha, sigma)));
        }

        if (!v.TryGetProperty("predict", out var predictions))
            yield break;
        foreach (var row in predictions.EnumerateArray())
        {
            var (first, second) = ((long)row.Number("count1"), (long)row.Number("count2"));
            var id = $"{name}/predict {first} to {second}";
            yield return Vectors.Try(id, () => Vectors.Close(id, [row.Number("p_value")], [RandomizedSmoothing.PValue(Math.Max(first, second), Math.Min(first, second))], 1e-12));
        }
    }

    private static CaseResult Radius(string id, JsonElement row, double? radius)
    {
        if (row.GetProperty("abstain").GetBoolean() || radius is null)
            return CaseResult.Of(id, row.GetProperty("abstain").GetBoolean() && radius is null, $"abstains {radius is null}, published {row.GetProperty("abstain").GetBoolean()}");
        return Vectors.Close(id, [row.Number("radius")], [radius.Value], 1e-9);
    }
}
