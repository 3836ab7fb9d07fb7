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

        foreach (var member in (string[])["certify", "predict"])
        {
            if (v.TryGetProperty(member, out var rows))
                yield return CaseResult.Skip($"{name}/{member} ({rows.GetArrayLength()} rows)", "not built: randomised smoothing");
        }
    }
}
