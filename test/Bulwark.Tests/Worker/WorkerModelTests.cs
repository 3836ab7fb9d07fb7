using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Networks;
using Bulwark.Worker;

namespace Bulwark.Tests.Worker;

public class WorkerModelTests
{
    private static readonly FeatureSchema Schema = new()
    {
        Label = "y",
        Features =
        [
            new() { Name = "amount", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 10 },
            new() { Name = "country", Kind = FeatureKind.Categorical, Categories = ["DE", "FR"], Missing = MissingPolicy.Indicator },
        ],
    };

    [Fact]
    public void Without_a_screen_the_schemas_contract_is_the_screen()
    {
        using var model = Open(screen: null);
        Assert.False(model.Screen.MeasuresDistance);
        var scores = new float[2];
        Assert.Equal((ScreenOutcome.Accepted, -1), Outcome(model, [1, 0, 9, -1], 2, scores));
        Assert.All(scores, score => Assert.InRange(score, 0, 1));
        Assert.Equal((ScreenOutcome.OutOfBounds, 1), Outcome(model, [1, 0, 11, 1], 2, scores));
        Assert.Equal((ScreenOutcome.UnknownCategory, 0), Outcome(model, [1, 2], 1, scores));
        Assert.Equal((ScreenOutcome.NotFinite, 0), Outcome(model, [float.NaN, 1], 1, scores));
    }

    [Fact]
    public void When_one_row_is_refused_none_is_scored()
    {
        using var model = Open(screen: null);
        var scores = new[] { -1f, -1f };
        Outcome(model, [1, 0, 11, 1], 2, scores);
        Assert.Equal([-1f, -1f], scores);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Values_that_make_no_rows_are_of_the_wrong_width(int values)
    {
        using var model = Open(screen: null);
        Assert.Equal(ScreenOutcome.WrongWidth, Outcome(model, new float[values], 1, new float[1]).Outcome);
    }

    [Fact]
    public void A_screen_that_was_never_calibrated_refuses_every_row()
    {
        var encoder = new FeatureEncoder(Schema);
        var fitted = InputScreen.Fit(ScreenContract.Of(Schema), new double[encoder.EncodedWidth], new double[encoder.EncodedWidth * encoder.EncodedWidth]);
        using var model = Open(fitted.ToJson());
        Assert.Equal((ScreenOutcome.Outlier, 0), Outcome(model, [1, 0], 1, new float[1]));
    }

    [Fact]
    public void A_screen_of_another_model_is_refused()
    {
        var narrow = InputScreen.OfContract([new() { Name = "amount", Kind = ScreenFieldKind.Numeric }]);
        Assert.Throws<InvalidDataException>(() => Open(narrow.ToJson()));
        var shallow = InputScreen.Fit(ScreenContract.Of(Schema), [0.5], [0.1]);
        Assert.Throws<InvalidDataException>(() => Open(shallow.ToJson()));
    }

    [Fact]
    public void The_workers_measurement_covers_its_own_assemblies_and_not_the_gateways()
    {
        var files = WorkerClosure.Files().Select(Path.GetFileName).ToList();
        Assert.Contains("Bulwark.Worker.dll", files);
        Assert.Contains("Bulwark.Models.dll", files);
        Assert.Contains("Bulwark.Cryptography.dll", files);
        Assert.DoesNotContain("Bulwark.Server.dll", files);
        Assert.DoesNotContain("Bulwark.Training.dll", files);
        Assert.Equal(WorkerClosure.Measure(), WorkerClosure.Measure());
    }

    private static WorkerModel Open(byte[]? screen)
    {
        var network = DenseNetwork<float>.Create(new NetworkShape(new FeatureEncoder(Schema).EncodedWidth, [], 1), seed: 1);
        return WorkerModel.Open("m", "1", Digest.Of("package"u8), OnnxModel.Export(Schema, network), screen);
    }

    private static (ScreenOutcome Outcome, int Row) Outcome(WorkerModel model, float[] rows, int count, float[] scores)
    {
        var (verdict, row) = model.Score(rows, count, scores);
        return (verdict.Outcome, row);
    }
}
