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

        foreach (var method in v.GetProperty("methods").EnumerateObject())
        {
            var id = $"{name}/{method.Name}";
            yield return Vectors.Try(id, () => Vectors.Close(id, method.Value.Flat(), Scores(v, method.Name), 1e-9));
        }

        if (v.TryGetProperty("logit_scaling", out var scaling))
        {
            yield return Vectors.Try($"{name}/logit_scaling", () => Vectors.Close($"{name}/logit_scaling", scaling.Flat("phi"),
                [.. scaling.GetProperty("probs").EnumerateArray().Zip(scaling.Whole("y"), (row, label) => LikelihoodRatio.Confidence(row.Flat(), label))], 1e-12));
        }
    }

    internal static IEnumerable<CaseResult> Rmia(string name, JsonElement v)
    {
        foreach (var method in v.GetProperty("out").EnumerateObject())
        {
            var id = $"{name}/{method.Name}/metrics";
            yield return Vectors.Try(id, () => Metrics(id, method.Value.Flat("score"), v.Flags("member"), method.Value.GetProperty("metrics")));
        }

        foreach (var method in v.GetProperty("out").EnumerateObject())
        {
            var id = $"{name}/{method.Name}/score";
            yield return Vectors.Try(id, () => Vectors.Close(id, method.Value.Flat("score"),
                ReferenceRatio.Scores(v.Flat("target_x"), Rows(v.GetProperty("ref_x")), v.Flat("target_z"), Rows(v.GetProperty("ref_z")), double.Parse(method.Name["a=".Length..])), 1e-12));
        }
    }

    /// <summary>Every model but the last is a shadow; one augmentation a row.</summary>
    private static double[] Scores(JsonElement v, string method)
    {
        var scores = Rows(v.GetProperty("scores"));
        var kept = v.GetProperty("keep").EnumerateArray().Select(model => model.Flat().Select(value => value != 0).ToArray()).ToArray();
        return LikelihoodRatio.Scores(scores[..^1], kept[..^1], scores[^1], method switch
        {
            "online" => LikelihoodRatioKind.Online,
            "online_fixed_published" => LikelihoodRatioKind.OnlinePublished,
            "online_fixed_pooled" => LikelihoodRatioKind.OnlinePooled,
            "offline_published_neg_logpdf" => LikelihoodRatioKind.OfflinePublished,
            "offline_one_sided_logcdf" => LikelihoodRatioKind.Offline,
            "global_threshold" => LikelihoodRatioKind.Global,
            _ => throw new NotSupportedException($"Unknown method {method}."),
        });
    }

    private static double[][] Rows(JsonElement matrix) => [.. matrix.EnumerateArray().Select(row => row.Flat())];

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
