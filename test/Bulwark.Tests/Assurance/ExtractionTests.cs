using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

public class ExtractionTests
{
    [Fact]
    public void Copies_come_nearer_with_questions_and_with_what_answers_say()
    {
        using var scorer = Victims.Scorer();
        var target = new TabularExtraction(scorer, Victims.Schema) { Pool = Points(Victims.Rows(300, 8).Raw) };
        var (raw, labels) = Victims.Rows(400, 9);
        var options = new ExtractionOptions { Queries = [20, 200] };
        var report = ModelExtraction.Run(target, Points(raw), labels, options, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(12, report.Curves.Count);
        Assert.Equal(1, report.ModelAccuracy!.Rate);
        Assert.All(report.Curves, curve => Assert.Equal([20, 200], curve.Points.Select(point => point.Queries)));
        Assert.All(report.Curves.Where(curve => curve.View == OutputView.Full), curve => Assert.InRange(curve.Points[^1].Fidelity.Rate, 0.85, 1));
        double Mean(int at) => report.Curves.Average(curve => curve.Points[at].Fidelity.Rate);
        Assert.True(Mean(1) > Mean(0));
        // The model labels its rows itself: fidelity is accuracy.
        Assert.All(report.Curves, curve => Assert.Equal(curve.Points[^1].Fidelity, curve.Points[^1].Accuracy));
        // Judged rows once; blind and pool questions once for all three views, adaptive ones for each.
        Assert.Equal(400 + (2 * 200) + (6 * 200), report.Asked);
    }

    [Fact]
    public void A_view_hides_what_it_should()
    {
        float[] answers = [0.126f, 0.874f, 0.6f, 0.4f];
        Assert.Equal([0, 1, 1, 0], ModelExtraction.Blur(answers, 2, OutputView.Label, 2));
        Assert.Equal([0.1f, 0.9f, 0.6f, 0.4f], ModelExtraction.Blur(answers, 2, OutputView.Rounded, 1));
        Assert.Equal(answers, ModelExtraction.Blur(answers, 2, OutputView.Full, 1));
    }

    [Fact]
    public void Only_rows_that_the_schema_allows_are_asked()
    {
        var asked = new List<float[]>();
        using var inner = Victims.Scorer();
        using var scorer = new BentScorer(inner, (rows, scores) =>
        {
            asked.AddRange(rows.Chunk(3));
            return scores;
        });
        var target = new TabularExtraction(scorer, Victims.Schema) { Pool = Points(Victims.Rows(100, 8).Raw) };
        ModelExtraction.Run(target, Points(Victims.Rows(20).Raw), [], new() { Queries = [60], Views = [OutputView.Label] }, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(20 + (4 * 60), asked.Count);
        Assert.All(asked, row =>
        {
            Assert.InRange(row[0], 0, 1000);
            Assert.Equal(MathF.Round(row[1]), row[1]);
            Assert.InRange(row[2], 0, 100);
        });
    }

    [Fact]
    public void Many_classes_are_copied()
    {
        var model = new QueriedNetwork(new DifferentiableNetwork<float>(PlantedModels.Network));
        var draws = new SeededDraws(4);
        var target = new PointExtraction(model, logits: true) { Pool = [.. Enumerable.Range(0, 400 * PlantedModels.Width).Select(_ => (float)draws.Uniform())] };
        var report = ModelExtraction.Run(target, PlantedModels.Inputs, PlantedModels.Labels, new() { Queries = [50, 1000], Strategies = [ExtractionStrategy.Jacobian], Views = [OutputView.Full] }, cancel: TestContext.Current.CancellationToken);
        Assert.True(report.Curves[0].Points[1].Fidelity.Rate > Math.Max(0.75, report.Curves[0].Points[0].Fidelity.Rate));
    }

    [Fact]
    public void What_cannot_be_tried_is_refused()
    {
        using var scorer = Victims.Scorer();
        var target = new TabularExtraction(scorer, Victims.Schema);
        var held = Points(Victims.Rows(20).Raw);
        Assert.Contains("ascending", Assert.Throws<ArgumentException>(() => ModelExtraction.Run(target, held, [], new() { Queries = [100, 50] }, cancel: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Contains("holds no rows", Assert.Throws<ArgumentException>(() => ModelExtraction.Run(target, held, [], new() { Queries = [50] }, cancel: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Contains("held-out", Assert.Throws<ArgumentException>(() => ModelExtraction.Run(target, [], [], new(), cancel: TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Points_that_fool_the_copy_fool_the_model_and_their_questions_are_counted()
    {
        var target = new PointTarget(new QueriedNetwork(new DifferentiableNetwork<float>(PlantedModels.Network)), null);
        var report = AttackSuite.Run(target, PlantedModels.Inputs, PlantedModels.Labels, new() { Strengths = [0.15], Queries = 50, Attacks = ["transfer"], Checks = false }, cancel: TestContext.Current.CancellationToken);
        Assert.InRange(report.Curve[0].AttackSuccess.Rate, 0.3, 1);
        Assert.All(report.Rows, row => Assert.InRange(row.Queries, 3, 50));
    }

    private static float[] Points(float[] raw)
    {
        using var scorer = Victims.Scorer();
        return new TabularExtraction(scorer, Victims.Schema).Points(raw);
    }
}
