using System.Text.Json;
using Bulwark.Assurance;

namespace Bulwark.Conformance.Suites.Robustness;

/// <summary>What a membership score is worth: area, balanced accuracy, true positives at low false-positive rates.</summary>
internal static class CurveCases
{
    internal static bool AreCurves(JsonElement v) =>
        v.GetProperty("rows") is { ValueKind: JsonValueKind.Array } rows && rows.GetArrayLength() > 0
        && rows[0].ValueKind == JsonValueKind.Object && rows[0].TryGetProperty("score", out _) && rows[0].TryGetProperty("member", out _);

    internal static IEnumerable<CaseResult> Rows(string name, JsonElement v)
    {
        var index = 0;
        foreach (var row in v.GetProperty("rows").EnumerateArray())
        {
            var id = $"{name}/{index++}";
            yield return Vectors.Try(id, () => Metrics(id, row.Flat("score"), row.Flags("member"), row.GetProperty("metrics")));
        }
    }

    /// <summary>The last model of the published scores is the target; its own half is the members.</summary>
    internal static IEnumerable<CaseResult> Lira(string name, JsonElement v)
    {
        var keep = v.GetProperty("keep");
        var member = keep[keep.GetArrayLength() - 1].Flat().Select(value => value != 0).ToArray();
        foreach (var metrics in v.GetProperty("metrics").EnumerateObject())
        {
            var id = $"{name}/{metrics.Name}/metrics";
            yield return Vectors.Try(id, () => Metrics(id, v.GetProperty("methods").Flat(metrics.Name), member, metrics.Value));
        }

        yield return CaseResult.Skip($"{name}/methods", "not built: LiRA");
        if (v.TryGetProperty("logit_scaling", out _))
            yield return CaseResult.Skip($"{name}/logit_scaling", "not built: LiRA");
    }

    internal static IEnumerable<CaseResult> Rmia(string name, JsonElement v)
    {
        foreach (var method in v.GetProperty("out").EnumerateObject())
        {
            var id = $"{name}/{method.Name}/metrics";
            yield return Vectors.Try(id, () => Metrics(id, method.Value.Flat("score"), v.Flags("member"), method.Value.GetProperty("metrics")));
        }

        yield return CaseResult.Skip($"{name}/score", "not built: RMIA");
    }

    private static CaseResult Metrics(string id, double[] scores, bool[] member, JsonElement v)
    {
        var curve = MembershipCurve.Of(scores, member);
        List<double> expected = [v.Number("auc"), v.Number("balanced_accuracy"), v.Number("P"), v.Number("N")];
        List<double> actual = [curve.Auc, curve.BalancedAccuracy, curve.Members, curve.Others];
        foreach (var entry in v.EnumerateObject().Where(entry => entry.Name.StartsWith("tpr_at_fpr_", StringComparison.Ordinal)))
        {
            var point = curve.At(double.Parse(entry.Name["tpr_at_fpr_".Length..]));
            expected.AddRange([entry.Value.Number("tpr"), entry.Value.Number("tp"), entry.Value.Number("fp"), entry.Value.Number("realized_fpr")]);
            actual.AddRange([point.TruePositiveRate, point.TruePositives, point.FalsePositives, point.RealizedFalsePositiveRate]);
        }

        return Vectors.Close(id, [.. expected], [.. actual], 1e-12);
    }
}
