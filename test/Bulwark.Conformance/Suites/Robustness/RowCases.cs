using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Monitoring.Queries;
using Bulwark.Monitoring.Statistics;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>Files that are a list of rows, known by what a row holds: query fingerprints, the one-run audit, the Shapiro-Wilk test.</summary>
internal static class RowCases
{
    internal static Func<string, JsonElement, IEnumerable<CaseResult>>? Of(JsonElement v)
    {
        if (v.GetProperty("rows") is not { ValueKind: JsonValueKind.Array } rows || rows.GetArrayLength() == 0 || rows[0].ValueKind != JsonValueKind.Object)
            return null;
        return rows[0].TryGetProperty("quant", out _) ? Fingerprints : rows[0].TryGetProperty("p_value_at", out _) ? Audits : rows[0].TryGetProperty("W", out _) ? Normality : null;
    }

    private static IEnumerable<CaseResult> Fingerprints(string name, JsonElement v) => Each(name, v, (id, row) =>
    {
        int Number(string member) => row.GetProperty(member).GetInt32();
        var method = new SegmentFingerprint(Number("window"), Number("step"), Number("quant"), Number("keep"));
        string[] one = method.Of(row.Flat("x")), other = method.Of(row.Flat("x2"));
        string[] expected = [.. row.GetProperty("hashes").EnumerateArray().Select(hash => hash.GetString()!)];
        return !one.Select(hash => hash[..16]).SequenceEqual(expected) ? CaseResult.Fail(id, "other hashes than published")
            : Vectors.Close(id, [row.Number("overlap")], [SegmentFingerprint.Shared(one, other)], 0);
    });

    private static IEnumerable<CaseResult> Audits(string name, JsonElement v) => Each(name, v, (id, row) =>
    {
        var (m, r, right, delta) = (row.GetProperty("m").GetInt32(), row.GetProperty("r").GetInt32(), row.GetProperty("v").GetInt32(), row.Number("delta"));
        var points = row.GetProperty("p_value_at").EnumerateArray().ToList();
        return Vectors.Close(
            id,
            [row.Number("eps_lower"), .. points.Select(point => point.Number("p"))],
            [OneRunAudit.LowerBound(m, r, right, delta, row.Number("p")).EpsilonLower, .. points.Select(point => OneRunAudit.PValue(m, r, right, point.Number("eps"), delta))],
            1e-9);
    });

    private static IEnumerable<CaseResult> Normality(string name, JsonElement v) => Each(name, v, (id, row) =>
    {
        // The published figures were computed in single precision: what that leaves open in W (1e-6) moves p by more than 1e-4, so p is that of the published W.
        double[] x = row.Flat("x");
        var (w, p) = (ShapiroWilk.Test(x).W, ShapiroWilk.Chance(row.Number("W"), x.Length));
        var ratio = p / row.Number("p");
        return Math.Abs(ratio - 1) <= 1e-4 ? Vectors.Close(id, [row.Number("W")], [w], 1e-6) : CaseResult.Fail(id, $"p is {p:R}, published {row.Number("p"):R}");
    });

    private static IEnumerable<CaseResult> Each(string name, JsonElement v, Func<string, JsonElement, CaseResult> run) =>
        v.GetProperty("rows").EnumerateArray().Select((row, index) => Vectors.Try($"{name}/{index}", () => run($"{name}/{index}", row)));
}
