using Bulwark.Assurance;
using Bulwark.Data;
using Bulwark.Models;
using Bulwark.Training;

namespace Bulwark.Tests.Assurance;

public sealed class ModelFingerprintTests
{
    private static readonly FingerprintOptions s_options = new() { References = 16 };
    private static readonly Lazy<(Dataset Data, NetworkScorer Owner, TrainedNetwork Trained, ModelFingerprint Print)> s_made = new(Make);

    [Fact]
    public void Copies_are_named_and_independent_models_are_not()
    {
        var (data, owner, trained, print) = s_made.Value;
        Assert.True(print.Identify(owner) is { Derived: true, Score: > 0.999 });
        var outcomes = FingerprintTrial.Run(print, owner, trained.Network, data, models: 2, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(5, outcomes.Count);
        foreach (var outcome in outcomes.Where(outcome => outcome.Kind.StartsWith("copied", StringComparison.Ordinal) || outcome.Kind.StartsWith("fine", StringComparison.Ordinal)))
            Assert.Equal(outcome.Models, outcome.Named);
        Assert.Equal(0, outcomes.Single(outcome => !outcome.Derived).Named);
    }

    [Fact]
    public void It_comes_back_from_its_document_and_a_changed_one_is_refused()
    {
        var print = s_made.Value.Print;
        var json = print.ToJson();
        Assert.Equal(json, ModelFingerprint.Parse(json).ToJson());
        Assert.Throws<InvalidDataException>(() => ModelFingerprint.Parse(json.Replace("fingerprint/v1", "fingerprint/v9", StringComparison.Ordinal)));
        Assert.Throws<InvalidDataException>(() => ModelFingerprint.Parse(json.Replace($"\"width\": {print.Width}", $"\"width\": {print.Width + 1}", StringComparison.Ordinal)));
        Assert.Throws<InvalidDataException>(() => ModelFingerprint.Parse("{}"));
    }

    [Fact]
    public void Answers_that_are_too_few_or_no_probabilities_are_refused()
    {
        var print = s_made.Value.Print;
        Assert.Throws<ArgumentException>(() => print.Identify(new float[print.Count - 1]));
        Assert.Throws<ArgumentException>(() => print.Identify([.. Enumerable.Repeat(1.5f, print.Count)]));
        Assert.False(print.Identify([.. Enumerable.Repeat(0.5f, print.Count)]).Derived);   // a constant follows nobody
    }

    private static (Dataset, NetworkScorer, TrainedNetwork, ModelFingerprint) Make()
    {
        var data = DatasetReader.Read(Rows(1500), new SchemaOptions { Label = "y", Positive = ["1"] });
        var trained = Trainer.Train(data.Encode(), null, new TrainingOptions { Seed = 99, Epochs = 10, KeepBest = false });
        var owner = new NetworkScorer(data.Schema, trained.Network);
        return (data, owner, trained, FingerprintMaker.Make(owner, "sha256:none", data, s_options));
    }

    /// <summary>Noisy labels of a bent boundary: enough for chance to leave each model a shape of its own.</summary>
    private static Table Rows(int rows)
    {
        var random = new Random(3);
        double[][] x = [.. Enumerable.Range(0, 6).Select(_ => Enumerable.Range(0, rows).Select(_ => random.NextDouble()).ToArray())];
        var labels = Enumerable.Range(0, rows).Select(row =>
        {
            var odds = (4 * Math.Sin(6 * x[0][row])) + (3 * x[1][row] * x[2][row]) - x[3][row];
            return random.NextDouble() < 1 / (1 + Math.Exp(-odds)) ? 1.0 : 0.0;
        });
        return new Table([.. x.Select((values, index) => new NumberColumn($"x{index}", values)), new NumberColumn("y", [.. labels])]);
    }
}
