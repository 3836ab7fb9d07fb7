using Bulwark.Assurance;
using Bulwark.Cli.Making;
using Bulwark.Cli.Serving;
using Bulwark.Cryptography;
using Bulwark.Privacy;
using Bulwark.Training;

namespace Bulwark.Tests.Making;

/// <summary>Findings of a run that never was, made by hand.</summary>
internal static class SmallRun
{
    private static readonly Digest s_digest = Digest.Of("rows"u8);

    internal static RunFindings OnlyTrained() => new()
    {
        Pipeline = new PipelineFile { Name = "case", Variants = [new PipelineVariant { Name = "plain" }] },
        Command = "bulwark run case.yaml",
        Folder = "runs/case",
        Workspace = ".bulwark",
        TrainingRows = 80,
        TestRows = 4,
        Variants = [Variant("plain", null)],
        Evasion = [],
        Membership = [],
        Seconds = 1,
    };

    internal static RunFindings Everything() => OnlyTrained() with
    {
        Pipeline = new PipelineFile { Name = "case", Seal = "private", Variants = [new PipelineVariant { Name = "plain" }, new PipelineVariant { Name = "private", Private = new() }] },
        Simulation = Step("simulate", new SimulationFinding("t.parquet", 100, 2, 30, 1000)),
        Scan = Step("scan", new ScanFinding(100, 100, [new ScanColumn("ssn", "SocialSecurityNumber", 1, "encrypt", "name and form")])),
        Protection = Step("protect", new ProtectionFinding("p.parquet", "case", s_digest, ["ssn"], ["card"], 1000, 1200, 0.01, 0.012, "refused", 1)),
        Features = Step("features", new FeatureFinding("train.parquet", "test.parquet", 80, 4, 2, 2, 15)),
        Variants = [Variant("plain", null), Variant("private", Privacy())],
        Evasion = [Step("evasion-plain", new EvasionFinding("plain", Evasion(), new ScreenFinding(0.05, 10, 3, 100, 1, 2e-6), 2))],
        Membership = [Step("membership-plain", new MembershipFinding("plain", 0.52, 0.02, 0.01, 0.01, 0.03, 80, 80))],
        Seal = Step("seal", new SealFinding("case.bulwark", "case-private", "1", s_digest, "ed25519:key", 1000, 1500, 0.001, 0.002, true, "refused", 64, 3)),
        Serving = Step("serve", Serving()),
        Plan = Step("plan", new PlanFinding(1, ["sealed-model"], 2, true, [], 3, "measures.json")),
        Deployment = Step("deploy", new DeploymentFinding("deploy", 8, 0)),
    };

    private static StepRecord<T> Step<T>(string name, T result) => new(name, s_digest, DateTimeOffset.UnixEpoch, 0.5, [], result);

    private static StepRecord<VariantFinding> Variant(string name, PrivacyStatement? privacy) => Step($"train-{name}", new VariantFinding(name, $"models/{name}", new TrainingReport
    {
        Name = $"case-{name}",
        Model = "multilayer perceptron",
        Shape = "3-4-1",
        Created = DateTimeOffset.UnixEpoch,
        Dataset = s_digest,
        TestSet = s_digest,
        Options = new TrainingOptions(),
        Evaluation = Evaluation.Of([0.1f, 0.4f, 0.35f, 0.8f], [0, 0, 1, 1]),
        Privacy = privacy,
        Epochs = [],
        Steps = 10,
        TrainingSeconds = 1,
        LargestExportDifference = 1e-7,
        CodeVersion = "1",
        LogIndex = 1,
    }));

    private static PrivacyStatement Privacy() => new()
    {
        Epsilon = 1,
        EpsilonLower = 0.9,
        Delta = 1e-5,
        SamplingProbability = 1,
        NoiseMultiplier = 4,
        Steps = 1,
        ClippingNorm = 1,
        Event = new GaussianEvent(4),
    };

    private static EvasionReport Evasion() => new()
    {
        Rows = 20,
        Positives = 10,
        PositiveShare = 0.5,
        Threshold = 0.5,
        MutableFeatures = ["amount"],
        WhiteBox = true,
        CleanAccuracy = 0.9,
        CleanRecall = new(9, 10, 0.9, 0.6, 1),
        CleanFalsePositives = new(1, 10, 0.1, 0, 0.4),
        Outcomes = [],
        WorstCase = [Outcome(0.01), Outcome(0.05)],
        Flags = [],
    };

    private static EvasionOutcome Outcome(double strength) => new()
    {
        Attack = "worst case",
        Strength = strength,
        RobustAccuracy = 0.7,
        PositivesEvaded = new(3, 9, 1 / 3.0, 0.1, 0.7),
        NegativesRaised = new(0, 9, 0, 0, 0.3),
    };

    private static ServingFinding Serving() => new()
    {
        SessionSeconds = 0.1,
        RequestMedianSeconds = 0.002,
        RequestP99Seconds = 0.004,
        AppendMedianSeconds = 0.001,
        BareScoreSeconds = 1e-5,
        Requests = 200,
        EvidenceKind = "simulated",
        WorkerKey = "ed25519:key",
        Links = [new("log", true, "entry 4")],
        Refusals = [new("no token", "token-", "401 token-missing", true)],
    };
}
