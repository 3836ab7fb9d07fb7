using Bulwark.Models;
using Bulwark.Privacy;
using Bulwark.Tests.Privacy;
using Bulwark.Training;

namespace Bulwark.Tests.Training;

public sealed class AdditiveModelTests : LedgerOfOne
{
    [Fact]
    public void A_curve_that_no_line_follows_is_learnt_within_epsilon_and_booked_first()
    {
        var options = new TrainingOptions { Hidden = [], Additive = new AdditiveOptions(), Private = new PrivacyOptions() };
        var run = Trainer.Train(Rows(8000, 1), null, options, new PrivacyAccount(Ledger, "data"), cancel: TestContext.Current.CancellationToken);
        var test = Rows(4000, 2);
        Assert.True(Evaluation.Of(Trainer.Score(run.Network, test), test.Labels).Auc > 0.9);
        Assert.InRange(run.Privacy!.Epsilon, 0.99, 1);
        Assert.Equal(Trainer.Cost(options, features: 2), Ledger.Entries[1].Event);
        var events = Assert.IsType<ComposedEvent>(run.Privacy.Event).Events;
        Assert.Equal(12 * 3, Assert.IsType<SelfComposedEvent>(events[1]).Count);
    }

    [Fact]
    public void Without_privacy_the_same_model_needs_no_ledger()
    {
        var run = Trainer.Train(Rows(4000, 1), null, new TrainingOptions { Hidden = [], Additive = new AdditiveOptions() }, cancel: TestContext.Current.CancellationToken);
        var test = Rows(4000, 2);
        Assert.Null(run.Privacy);
        Assert.True(Evaluation.Of(Trainer.Score(run.Network, test), test.Labels).Auc > 0.95);
    }

    [Fact]
    public void A_number_without_bins_is_refused()
    {
        var rows = new EncodedDataset([0.5f, 0.2f], 1, [0, 1], [true], [0]);
        var fault = Assert.Throws<ArgumentException>(() => Trainer.Train(rows, null, new TrainingOptions { Hidden = [], Additive = new AdditiveOptions() }, cancel: TestContext.Current.CancellationToken));
        Assert.Contains("bins", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Positive in the middle of the first feature's range; the second is noise.</summary>
    private static EncodedDataset Rows(int count, int seed)
    {
        var encoder = new FeatureEncoder(new FeatureSchema
        {
            Label = "y",
            Features = [new Feature { Name = "x", Minimum = 0, Maximum = 1 }.WithEqualBins(10), new Feature { Name = "z", Minimum = 0, Maximum = 1 }.WithEqualBins(4)],
        });
        var random = new Random(seed);
        float[] raw = [.. Enumerable.Range(0, 2 * count).Select(_ => random.NextSingle())];
        int[] labels = [.. Enumerable.Range(0, count).Select(row => raw[2 * row] is > 0.3f and < 0.7f ? 1 : 0)];
        return new EncodedDataset(encoder.Encode(raw), encoder.EncodedWidth, labels, [], [.. encoder.Columns.Select(column => column.Feature)]);
    }
}
