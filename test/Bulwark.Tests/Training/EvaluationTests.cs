using System.Text.Json;
using Bulwark.Training;

namespace Bulwark.Tests.Training;

public class EvaluationTests
{
    [Fact]
    public void Figures_follow_from_their_definitions()
    {
        var evaluation = Evaluation.Of([0.9f, 0.8f, 0.8f, 0.3f, 0.2f], [1, 1, 0, 1, 0]);
        Assert.Equal(3, evaluation.Positives);
        Assert.Equal(0.6, evaluation.Accuracy, 12);
        // Pairs: 0.9 beats both; 0.8 ties one (half) and beats one; 0.3 loses one and beats one: 4.5 of 6.
        Assert.Equal(0.75, evaluation.Auc, 12);
        // Steps: recall 1/3 at precision 1; to 2/3 at 2/3; to 1 at 3/4.
        Assert.Equal((1 + (2.0 / 3) + 0.75) / 3, evaluation.PrAuc, 12);
    }

    [Fact]
    public void Equal_scores_are_worth_half() => Assert.Equal(0.5, Evaluation.Of([0.4f, 0.4f, 0.4f, 0.4f], [1, 0, 1, 0]).Auc);

    [Fact]
    public void A_score_that_is_no_number_is_refused() => Assert.Throws<ArgumentException>(() => Evaluation.Of([0.1f, float.NaN], [0, 1]));

    [Fact]
    public void Rates_are_read_off_the_same_curve()
    {
        var scores = Enumerable.Range(0, 1000).Select(i => i / 1000f).ToArray();
        var labels = Enumerable.Range(0, 1000).Select(i => i >= 900 || i == 400 ? 1 : 0).ToArray();
        var evaluation = Evaluation.Of(scores, labels);
        Assert.Equal(100.0 / 101, evaluation.RecallAtFpr.Single(point => point.At == 0.01).Value, 12);
        Assert.Equal(0, evaluation.FprAtRecall.Single(point => point.At == 0.95).Value);
        Assert.InRange(evaluation.RocCurve.Count, 2, 200);
        Assert.Equal(new CurvePoint(1, 1), evaluation.RocCurve[^1]);
        Assert.Equal(1000, evaluation.Scores.Negatives.Sum() + evaluation.Scores.Positives.Sum());
    }

    [Fact]
    public void Auc_with_ties_equals_the_outside_judge()
    {
        using var vectors = JsonDocument.Parse(File.ReadAllBytes(SharedFiles.Require("vectors", "robustness", "roc_ties.json")));
        foreach (var row in vectors.RootElement.GetProperty("rows").EnumerateArray())
        {
            var scores = row.GetProperty("score").EnumerateArray().Select(value => value.GetSingle()).ToArray();
            var labels = row.GetProperty("member").EnumerateArray().Select(value => value.GetInt32()).ToArray();
            Assert.Equal(row.GetProperty("metrics").GetProperty("auc").GetDouble(), Evaluation.Of(scores, labels).Auc, 1e-9);
        }
    }
}
