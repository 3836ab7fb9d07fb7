namespace Bulwark.Cli.Making;

/// <summary>The pipeline of the demo: the simulated card payments, four variants, an attacker who moves what a cardholder's behaviour moves.</summary>
internal static class FraudPipeline
{
    internal static PipelineFile Create() => new()
    {
        Name = "card-fraud",
        Data = new PipelineData { Train = "train.parquet", Test = "test.parquet", Holdout = "holdout.parquet" },
        Label = "is_fraud",
        Positive = ["1"],
        Drop = ["time"],
        BaseRate = 0.01,
        Features =
        [
            Amount("amount", isMutable: true),
            new PipelineFeature { Name = "is_weekend", Kind = "binary" },
            new PipelineFeature { Name = "is_night", Kind = "binary" },
            .. new[] { 1, 7, 30 }.SelectMany(days => new[] { Count($"customer_count_{days}d", 40 * days, isMutable: true), Amount($"customer_mean_amount_{days}d", isMutable: true) }),
            .. new[] { 1, 7, 30 }.SelectMany(days => new[] { Count($"terminal_count_{days}d", 200 * days, isMutable: false), Share($"terminal_risk_{days}d") }),
        ],
        Attack = new PipelineAttack { Epsilon = 0.05, Strengths = [0.01, 0.02, 0.05, 0.1], Samples = 600, FalsePositiveRate = 0.01 },
        Variants =
        [
            new PipelineVariant { Name = "plain" },
            Private("private"),
            new PipelineVariant { Name = "robust", Robust = true },
            Private("private-robust", isRobust: true),
        ],
        Seal = "private-robust",
    };

    /// <summary>Longer and faster steps than the default: rare positives need them. Chosen on simulated payments, which are nobody's.</summary>
    private static PipelineVariant Private(string name, bool isRobust = false) => new()
    {
        Name = name,
        Robust = isRobust,
        Epochs = 60,
        LearningRate = 3,
        Private = new PipelinePrivacy { Epsilon = 1, Delta = 1e-6 },
    };

    private static PipelineFeature Amount(string name, bool isMutable) => new() { Name = name, Minimum = 0, Maximum = 5000, Scaling = "log", Mutable = isMutable };

    private static PipelineFeature Count(string name, int maximum, bool isMutable) => new() { Name = name, Kind = "integer", Minimum = 0, Maximum = maximum, Scaling = "log", Mutable = isMutable };

    private static PipelineFeature Share(string name) => new() { Name = name, Minimum = 0, Maximum = 1 };
}
