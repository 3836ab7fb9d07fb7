using Bulwark.Networks;
using Bulwark.Privacy;
using Bulwark.Tests.Privacy;
using Bulwark.Training;

namespace Bulwark.Tests.Training;

public sealed class TrainerTests : LedgerOfOne
{
    [Fact]
    public void A_rare_class_is_learnt_without_touching_an_option()
    {
        var network = Train(Rows(20_000, 0.01, seed: 1), new TrainingOptions { Hidden = [16] }).Network;
        var test = Rows(20_000, 0.01, seed: 2);
        var evaluation = Evaluation.Of(Trainer.Score(network, test), test.Labels);
        Assert.True(evaluation.PrAuc > 0.7, $"PR-AUC {evaluation.PrAuc}");
        Assert.True(evaluation.Auc > 0.97, $"AUC {evaluation.Auc}");
    }

    [Fact]
    public void A_plain_run_is_repeated_by_its_seed()
    {
        var options = new TrainingOptions { Hidden = [8], Epochs = 2, Seed = 5 };
        var (one, other) = (Train(Rows(800, 0.3, 1), options), Train(Rows(800, 0.3, 1), options));
        Assert.Equal(one.Network.Parameters.ToArray(), other.Network.Parameters.ToArray());
    }

    [Fact]
    public void A_private_run_keeps_epsilon_books_it_first_and_cannot_be_repeated()
    {
        var train = Rows(4000, 0.3, 1);
        var options = new TrainingOptions { Hidden = [], Epochs = 5, Private = new PrivacyOptions { Epsilon = 0.8 } };
        var run = Train(train, options, new PrivacyAccount(Ledger, "data"));
        Assert.InRange(run.Privacy!.Epsilon, 0.75, 0.8);
        Assert.Equal(LedgerEntryKind.Reserve, Ledger.Entries[1].Kind);
        Assert.Equal(run.Privacy.Event, Ledger.Entries[1].Event);
        Assert.Equal(run.Privacy.Epsilon, Ledger.Spent("data", 1e-5).Epsilon.Upper, 1e-3);
        Assert.Empty(run.Epochs);
        Assert.Throws<PrivacyBudgetException>(() => Train(train, options, new PrivacyAccount(Ledger, "data")));
    }

    [Theory]
    [InlineData(ClippingStyle.Flat)]
    [InlineData(ClippingStyle.PerLayer)]
    [InlineData(ClippingStyle.Automatic)]
    public void Every_clipping_style_learns_within_epsilon(ClippingStyle style)
    {
        var options = new TrainingOptions { Hidden = [8], Epochs = 10, Private = new PrivacyOptions { Clipping = style } };
        var run = Train(Rows(6000, 0.4, 1), options, new PrivacyAccount(Ledger, "data"));
        Assert.InRange(run.Privacy!.Epsilon, 0.95, 1);
        Assert.True(Auc(run) > 0.9, $"AUC {Auc(run)}");
    }

    [Fact]
    public void An_adaptive_norm_pays_for_its_count_from_the_same_batch()
    {
        var options = new TrainingOptions { Hidden = [], Epochs = 30, Private = new PrivacyOptions { PublicRows = 6000, SamplingProbability = 0.5, Adaptive = new AdaptiveClipping() } };
        var run = Train(Rows(6000, 0.4, 1), options, new PrivacyAccount(Ledger, "data"));
        var query = Assert.IsType<AdaptiveClipEvent>(Assert.IsType<PoissonSampledEvent>(Assert.IsType<SelfComposedEvent>(run.Privacy!.Event).Event).Event);
        Assert.Equal(5 * run.Privacy.NoiseMultiplier, 2 * query.CountNoise, 1e-9);
        Assert.Equal(1 / Math.Pow(run.Privacy.NoiseMultiplier, 2), (1 / Math.Pow(query.NoiseMultiplier, 2)) + (0.25 / Math.Pow(query.CountNoise, 2)), 1e-9);
        Assert.InRange(run.Privacy.Epsilon, 0.99, 1);
        Assert.True(Auc(run) > 0.9, $"AUC {Auc(run)}");
    }

    [Fact]
    public void Phases_are_booked_one_by_one_and_make_all_the_steps()
    {
        var options = new TrainingOptions { Hidden = [], Epochs = 100, Private = new PrivacyOptions { PublicRows = 3000, Phases = [new PrivatePhase(1, Noise: 2), new PrivatePhase(3, Clipping: 0.5)] } };
        var run = Train(Rows(3000, 0.4, 1), options, new PrivacyAccount(Ledger, "data"));
        var parts = Assert.IsType<ComposedEvent>(run.Privacy!.Event).Events.Cast<SelfComposedEvent>().ToList();
        Assert.Equal([25, 75], parts.Select(part => part.Count));
        Assert.Equal(2, Multiplier(parts[0]) / Multiplier(parts[1]), 1e-9);
        Assert.InRange(run.Privacy.Epsilon, 0.99, 1);

        static double Multiplier(SelfComposedEvent part) => ((GaussianEvent)((PoissonSampledEvent)part.Event).Event).NoiseMultiplier;
    }

    [Theory]
    [InlineData(IterateAverage.Exponential)]
    [InlineData(IterateAverage.Last)]
    public void Every_average_of_iterates_is_a_model(IterateAverage average)
    {
        var options = new TrainingOptions { Hidden = [], Private = new PrivacyOptions { Average = average } };
        Assert.True(Auc(Train(Rows(6000, 0.4, 1), options, new PrivacyAccount(Ledger, "data"))) > 0.9);
    }

    [Fact]
    public void A_private_selection_is_one_booking_within_epsilon()
    {
        var options = new TrainingOptions { Hidden = [], Epochs = 40, Selection = new SelectionOptions { Mean = 3 }, Private = new PrivacyOptions() };
        var run = Train(Rows(6000, 0.4, 1), options, new PrivacyAccount(Ledger, "data"));
        var selection = Assert.IsType<RepeatAndSelectEvent>(run.Privacy!.Event);
        Assert.Equal(3, selection.Mean);
        Assert.Contains(new GaussianEvent(100), Assert.IsType<ComposedEvent>(selection.Event).Events);
        Assert.InRange(run.Privacy.Epsilon, 0.98, 1);
        Assert.Equal(selection, Assert.Single(Ledger.Entries, entry => entry.Kind == LedgerEntryKind.Reserve).Event);
        Assert.Equal(selection, Trainer.Cost(options, 4));
        Assert.True(Auc(run) > 0.85, $"AUC {Auc(run)}");
    }

    [Fact]
    public void A_selection_without_privacy_is_refused() =>
        Assert.Contains("needs privacy", Assert.Single(new TrainingOptions { Selection = new SelectionOptions() }.Faults()), StringComparison.Ordinal);

    [Fact]
    public void Quantities_are_seen_from_the_middle_and_the_model_takes_them_as_they_are()
    {
        var rows = Rows(6000, 0.4, 1);
        var centred = new EncodedDataset(rows.Features, 4, rows.Labels, [true, true, true, true]);
        var options = new TrainingOptions { Hidden = [], Private = new PrivacyOptions { Epsilon = 1 } };
        Assert.True(Auc(Train(centred, options, new PrivacyAccount(Ledger, "data"))) > 0.95);
    }

    private static double Auc(TrainedNetwork run)
    {
        var test = Rows(4000, 0.4, seed: 9);
        return Evaluation.Of(Trainer.Score(run.Network, test), test.Labels).Auc;
    }

    [Fact]
    public void A_private_run_without_an_account_is_refused() =>
        Assert.Throws<ArgumentException>(() => Train(Rows(100, 0.3, 1), new TrainingOptions { Private = new PrivacyOptions() }));

    [Fact]
    public void A_private_run_that_is_stopped_has_spent_its_budget()
    {
        using var stop = new CancellationTokenSource();
        var options = new TrainingOptions { Hidden = [], Private = new PrivacyOptions { Epsilon = 0.9 } };
        var progress = new Stopping(stop);
        Assert.Throws<OperationCanceledException>(() => Trainer.Train(Rows(500, 0.3, 1), null, options, new PrivacyAccount(Ledger, "data"), progress, stop.Token));
        Assert.Equal(1, Ledger.Spent("data", 1e-5).Events);
    }

    [Fact]
    public void Empty_poisson_batches_are_steps()
    {
        var options = new TrainingOptions { Hidden = [], Epochs = 1, Private = new PrivacyOptions { SamplingProbability = 0.02, PublicRows = 2 } };
        var run = Train(Rows(2, 0.5, 1), options, new PrivacyAccount(Ledger, "data"));
        Assert.Equal(50, run.Steps);
        Assert.All(run.Network.Parameters.ToArray(), value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void Robust_training_withstands_its_attacker_better()
    {
        var (train, test) = (Rows(4000, 0.5, 1), Rows(1000, 0.5, 2));
        bool[] mutable = [true, true, false, false];
        var plain = Train(train, new TrainingOptions { Hidden = [16], Epochs = 10 }).Network;
        var robust = Train(train, new TrainingOptions { Hidden = [16], Epochs = 10, Robust = new RobustOptions { Epsilon = 0.3, Mutable = mutable } }).Network;
        var (before, after) = (RecallUnderAttack(plain), RecallUnderAttack(robust));
        Assert.True(after > before, $"recall under attack {before} plain, {after} robust");

        double RecallUnderAttack(Bulwark.Networks.DenseNetwork<float> network)
        {
            // Positives lie high in the mutable values: moving both down by the radius is the attack.
            var moved = test.Features.ToArray();
            for (var i = 0; i < moved.Length; i++)
                moved[i] = mutable[i % 4] && test.Labels[i / 4] == 1 ? Math.Max(0, moved[i] - 0.3f) : moved[i];
            var scores = Trainer.Score(network, new EncodedDataset(moved, 4, test.Labels));
            return scores.Where((score, row) => test.Labels[row] == 1 && score >= 0.5f).Count() / (double)test.Positives;
        }
    }

    [Fact]
    public void Private_and_robust_together_train()
    {
        var options = new TrainingOptions { Hidden = [8], Epochs = 5, Private = new PrivacyOptions(), Robust = new RobustOptions { Epsilon = 0.1 } };
        var run = Train(Rows(3000, 0.4, 1), options, new PrivacyAccount(Ledger, "data"));
        Assert.InRange(run.Privacy!.Epsilon, 0.9, 1);
    }

    [Fact]
    public void Every_fault_of_the_options_is_listed_at_once()
    {
        var options = new TrainingOptions { Epochs = 0, BatchSize = 0, PositiveWeight = double.NaN, Private = new PrivacyOptions { Epsilon = -1 }, Robust = new RobustOptions { Steps = 0 } };
        Assert.Equal(5, options.Faults().Count());
    }

    private static TrainedNetwork Train(EncodedDataset train, TrainingOptions options, PrivacyAccount? account = null) =>
        Trainer.Train(train, null, options, account, null, TestContext.Current.CancellationToken);

    /// <summary>Two values tell the classes apart (mutable in the attack tests), a third helps a little, a fourth is noise.</summary>
    private static EncodedDataset Rows(int rows, double positives, int seed)
    {
        var random = new Random(seed);
        var (features, labels) = (new float[rows * 4], new int[rows]);
        for (var row = 0; row < rows; row++)
        {
            labels[row] = random.NextDouble() < positives ? 1 : 0;
            for (var i = 0; i < 4; i++)
            {
                var shift = labels[row] == 0 ? 0 : i switch { 0 or 1 => 0.4, 2 => 0.1, _ => 0 };
                features[(row * 4) + i] = (float)Math.Clamp(0.3 + shift + (0.12 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5)), 0, 1);
            }
        }

        return new EncodedDataset(features, 4, labels);
    }

    private sealed class Stopping(CancellationTokenSource stop) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Fraction > 0.3)
                stop.Cancel();
        }
    }
}
