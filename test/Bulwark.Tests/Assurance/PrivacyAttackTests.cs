using Bulwark.Assurance;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Tests.Assurance;

/// <summary>Each attack finds what a model was made to remember, and nothing in one that remembers nothing.</summary>
public sealed class PrivacyAttackTests
{
    private const int Width = 8;

    private static readonly FeatureSchema s_schema = new() { Label = "y", Features = [.. Enumerable.Range(0, Width).Select(i => new Feature { Name = $"x{i}", Minimum = 0, Maximum = 1 })] };

    private static readonly TrainingOptions s_overfitted = new() { Hidden = [128, 64], Epochs = 250, BatchSize = 32, WeightDecay = 0, KeepBest = false, LearningRate = 0.01 };

    private static readonly TrainingOptions s_regular = new() { Hidden = [], KeepBest = false, Epochs = 20 };

    [Fact]
    public void Shadow_models_read_an_overfitted_model_and_not_a_regular_one()
    {
        var (members, others) = (Noisy(300, 1), Noisy(300, 2));
        var overfitted = Attack(s_overfitted, members, others);
        var regular = Attack(s_regular, members, others);
        Assert.All(overfitted, report => Assert.True(report.Auc > 0.6, $"{report.Attack}: {report.Auc}"));
        Assert.True(overfitted.Max(report => report.Points[0].Lower) > 0.05, string.Join("; ", overfitted.Select(report => $"{report.Attack}: {report.Auc} {report.Points[0]}")));   // a gate of 5 % at 1 % false positives refuses the one
        Assert.All(regular, report => Assert.InRange(report.Points[0].Lower, 0, 0.05));   // and lets the other pass
        Assert.All(regular, report => Assert.InRange(report.Auc, 0.35, 0.65));
    }

    [Fact]
    public void Shadow_models_find_nothing_that_privacy_forbids()
    {
        var (members, others) = (Noisy(300, 1), Noisy(300, 2));
        var recipe = new TrainingOptions { Hidden = [], Epochs = 20, Private = new PrivacyOptions { Epsilon = 1 } };
        using var scorer = new NetworkScorer(s_schema, RecipeRun.Train(members.Encode(), recipe, 1, TestContext.Current.CancellationToken));
        foreach (var report in ShadowMembership.Run(scorer, recipe, members, others, 4, cancel: TestContext.Current.CancellationToken))
        {
            foreach (var point in report.Points)   // true positives at most e^ε·false ones + δ, for every attack
                Assert.True(point.Lower <= (Math.E * ClopperPearson.Interval(point.FalsePositives, report.Others).Upper) + 1e-5, report.Attack);
        }
    }

    [Fact]
    public void Labels_alone_tell_an_overfitted_models_rows()
    {
        var (members, others) = (Noisy(300, 1), Noisy(300, 2));
        using var scorer = new NetworkScorer(s_schema, RecipeRun.Train(members.Encode(), s_overfitted, 1, TestContext.Current.CancellationToken));
        Assert.True(ShadowMembership.LabelOnly(scorer, members, others).Auc > 0.6);
    }

    [Fact]
    public void Every_row_is_in_half_of_the_shadow_models()
    {
        var shadows = ShadowModels.Train(Noisy(40, 1).Encode(), s_regular with { Epochs = 1 }, 6, 1, null, TestContext.Current.CancellationToken);
        for (var row = 0; row < 40; row++)
            Assert.Equal(3, shadows.IsIn.Count(model => model[row]));
    }

    [Fact]
    public void A_row_without_models_on_a_side_is_refused()
    {
        Assert.Throws<ArgumentException>(() => LikelihoodRatio.Scores([[1.0], [2.0]], [[true], [true]], [1.0], LikelihoodRatioKind.Online));
        Assert.Throws<ArgumentException>(() => LikelihoodRatio.Scores([[1.0]], [[true], [true]], [1.0], LikelihoodRatioKind.Online));
        Assert.Throws<ArgumentException>(() => ReferenceRatio.Scores([0.5], [[]], [0.5], [[0.5]], 1));
        Assert.Throws<ArgumentException>(() => ReferenceRatio.Scores([0.5], [[0.5]], [], [], 1));
    }

    [Fact]
    public void An_attribute_that_the_label_is_made_of_is_guessed_with_the_model_and_no_more_from_members()
    {
        var schema = new FeatureSchema { Label = "y", Features = [new Feature { Name = "secret", Kind = FeatureKind.Binary }, .. s_schema.Features.Skip(1)] };
        var (members, others) = (Secret(schema, 600, 1), Secret(schema, 600, 2));
        using var scorer = new NetworkScorer(schema, RecipeRun.Train(members.Encode(), s_regular, 1, TestContext.Current.CancellationToken));
        var report = AttributeInference.Run(scorer, members, others, 0);
        Assert.InRange(report.Members.Share, 0.85, 1);
        Assert.InRange(report.Imputed.Share, 0.85, 1);   // the label says it without the model: that is no leak of the model's
        Assert.InRange(report.Commonest.Share, 0.4, 0.6);
        Assert.True(report.GapLower <= 0);
        Assert.Equal((600, 300), (report.Members.Of, report.Others.Of));
    }

    [Fact]
    public void An_attribute_that_a_model_remembers_is_guessed_better_of_members()
    {
        // Labels at random: only a model that remembers rows connects the attribute with the label.
        var schema = new FeatureSchema { Label = "y", Features = [new Feature { Name = "secret", Kind = FeatureKind.Binary }, .. s_schema.Features.Skip(1)] };
        var (members, others) = (Secret(schema, 200, 3, random: true), Secret(schema, 4000, 4, random: true));
        using var scorer = new NetworkScorer(schema, RecipeRun.Train(members.Encode(), s_overfitted with { Epochs = 400 }, 1, TestContext.Current.CancellationToken));
        var report = AttributeInference.Run(scorer, members, others, 0);
        Assert.True(report.GapToOthers > 0.05, $"{report}");
        Assert.True(report.GainOverImputation > 0.05, $"{report}");
    }

    [Fact]
    public void An_inversion_does_not_beat_the_class_mean_where_public_rows_are_like_the_members()
    {
        var network = new DenseNetwork<float>(new NetworkShape(Width, [], 1));
        network.Weights(0).Fill(1);
        var report = ModelInversion.Run(network, Noisy(400, 1).Encode(), Noisy(400, 2).Encode(), 1);
        Assert.False(report.BeatsTheClassMean);
        Assert.True(report.Confidence > 0.9);
        Assert.InRange(report.Distance, 0.3, 0.7);   // the corner of the cube is far from any mean
    }

    [Fact]
    public void An_inversion_that_lands_on_training_rows_is_a_leak()
    {
        // Members of class 1 lie in the corner that the network points to; what is public of the class does not.
        var network = new DenseNetwork<float>(new NetworkShape(Width, [], 1));
        network.Weights(0).Fill(1);
        var members = new EncodedDataset([.. Enumerable.Repeat(1f, Width), .. Enumerable.Repeat(0f, Width)], Width, [1, 0]);
        var others = new EncodedDataset([.. Enumerable.Repeat(0.5f, Width), .. Enumerable.Repeat(0f, Width)], Width, [1, 0]);
        Assert.True(ModelInversion.Run(network, members, others, 1).BeatsTheClassMean);
        Assert.Throws<ArgumentException>(() => ModelInversion.Run(network, new EncodedDataset(new float[Width], Width, [0]), others, 1));
    }

    private static IReadOnlyList<MembershipReport> Attack(TrainingOptions recipe, Dataset members, Dataset others)
    {
        using var scorer = new NetworkScorer(s_schema, RecipeRun.Train(members.Encode(), recipe, 99, TestContext.Current.CancellationToken));
        return ShadowMembership.Run(scorer, recipe, members, others, 8, cancel: TestContext.Current.CancellationToken);
    }

    /// <summary>A third of the labels say the opposite: only remembering gets them right.</summary>
    private static Dataset Noisy(int rows, int seed)
    {
        var random = new Random(seed);
        var (raw, labels) = (new float[rows * Width], new int[rows]);
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < Width; i++)
                raw[(row * Width) + i] = random.NextSingle();
            labels[row] = (raw[row * Width] > 0.5f) ^ (random.NextDouble() < 0.33) ? 1 : 0;
        }

        return new Dataset(s_schema, raw, labels, new Dictionary<string, int>(), Digest.Of("rows"u8));
    }

    private static Dataset Secret(FeatureSchema schema, int rows, int seed, bool random = false)
    {
        var draws = new Random(seed);
        var (raw, labels) = (new float[rows * Width], new int[rows]);
        for (var row = 0; row < rows; row++)
        {
            for (var i = 1; i < Width; i++)
                raw[(row * Width) + i] = draws.NextSingle();
            raw[row * Width] = draws.Next(2);
            labels[row] = random ? draws.Next(2) : raw[row * Width] > 0.5f ^ (draws.NextDouble() < 0.05) ? 1 : 0;
        }

        return new Dataset(schema, raw, labels, new Dictionary<string, int>(), Digest.Of("rows"u8));
    }
}
