using Bulwark.Assurance;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>From rows to a sealed model: every variant of a pipeline trained and attacked, one of them sealed. Each step is a file in and a file out.</summary>
internal sealed class MakingLine(PipelineFile pipeline, Dataset train, Dataset test, Dataset? holdout, RunFolder folder, Workspace workspace, Screen screen)
{
    private const string Version = "1";

    /// <summary>Total ε that the variants may spend on the training data: basic composition, which what they really spend stays below.</summary>
    private double? BudgetEpsilon => pipeline.Variants.Any(variant => variant.Private is not null) ? pipeline.Variants.Sum(variant => variant.Private?.Epsilon ?? 0) : null;

    /// <summary>What the training table was read of, where it is not known by its own root.</summary>
    internal IReadOnlyList<DataOrigin> MadeFrom { get; init; } = [];

    /// <summary>The same of the test table.</summary>
    internal IReadOnlyList<DataOrigin> TestMadeFrom { get; init; } = [];

    internal string PackagePath => folder.File("registry", $"{pipeline.Name}.bulwark");

    internal string VariantFolder(string variant) => folder.File("models", variant);

    /// <summary>Logs what the variants are trained and tested on, so that a receipt leads back to it.</summary>
    internal async Task<StepRecord<CommitmentFinding>> CommitAsync(CancellationToken cancel) =>
        await folder.StepAsync("commit", new { Train = train.Commitment, Test = test.Commitment }, [], async () =>
        {
            var entry = await workspace.AppendAsync(Statement.Of($"{pipeline.Name} training data", train.Commitment, new DatasetCommitted
            {
                Step = "train",
                Columns = [.. train.Schema.Features.Select(feature => feature.Name)],
                Label = train.Schema.Label,
                Sources = [.. MadeFrom.Select(origin => origin.Root)],
                Settings = DataOrigin.Settings(MadeFrom),
                TestSet = test.Commitment,
            }), cancel);
            if (test.Commitment != train.Commitment)
                await workspace.AppendAsync(Statement.Of($"{pipeline.Name} test data", test.Commitment, new DatasetCommitted { Step = "test", Rows = test.Rows, Label = test.Schema.Label, Sources = [.. TestMadeFrom.Select(origin => origin.Root)], Settings = DataOrigin.Settings(TestMadeFrom) }), cancel);
            return new CommitmentFinding(train.Commitment, entry.Index);
        });

    internal async Task<IReadOnlyList<StepRecord<VariantFinding>>> TrainAsync(CancellationToken cancel)
    {
        var records = new List<StepRecord<VariantFinding>>();
        foreach (var variant in pipeline.Variants)
            records.Add(await TrainAsync(variant, cancel));
        return records;
    }

    /// <summary>Evasion and membership against every variant.</summary>
    internal async Task<(IReadOnlyList<StepRecord<EvasionFinding>> Evasion, IReadOnlyList<StepRecord<MembershipFinding>> Membership)> AttackAsync(
        IReadOnlyList<StepRecord<VariantFinding>> variants, CancellationToken cancel)
    {
        var evasion = new List<StepRecord<EvasionFinding>>();
        var membership = new List<StepRecord<MembershipFinding>>();
        foreach (var variant in variants)
        {
            if (train.Schema.Features.Any(feature => feature.Mutable) && !IsBinned(variant.Result.Name))   // no slope, hence no gradient attack: the report says so
                evasion.Add(await EvasionAsync(variant, cancel));
            membership.Add(await MembershipAsync(variant, cancel));
        }

        return (evasion, membership);
    }

    private bool IsBinned(string name) => pipeline.Variants.Any(variant => variant.Name == name && (variant.Bins is not null || variant.Model == "ebm"));

    /// <summary>Seals the variant that the pipeline names; null when it names none.</summary>
    internal async Task<StepRecord<SealFinding>?> SealAsync(IReadOnlyList<StepRecord<VariantFinding>> variants, IReadOnlyList<StepRecord<EvasionFinding>> evasion, CancellationToken cancel)
    {
        if (variants.FirstOrDefault(variant => variant.Result.Name == pipeline.Seal) is not { } chosen)
            return null;
        var attacked = evasion.FirstOrDefault(candidate => candidate.Result.Variant == pipeline.Seal)?.Result.Report;
        return await SealAsync(chosen, attacked is null ? null : RunReport.WorstAt(attacked, pipeline.Attack.Epsilon)?.RobustAccuracy, cancel);
    }

    private async Task<StepRecord<VariantFinding>> TrainAsync(PipelineVariant variant, CancellationToken cancel)
    {
        var output = VariantFolder(variant.Name);
        var schema = variant.Schema(train.Schema);
        var inputs = new { variant, train.Commitment, Test = test.Commitment, Schema = schema, pipeline.Seed, pipeline.BaseRate, AttackEpsilon = variant.Robust ? pipeline.Attack.Epsilon : 0 };
        string[] files = [.. new[] { ModelFolder.OnnxName, TrainingReport.FileName, ModelFolder.ScreenName, ModelFolder.ManifestName }.Select(file => Path.Combine(output, file))];
        return await folder.StepAsync($"train-{variant.Name}", inputs, files, () =>
            screen.ProgressAsync($"train {variant.Name}", async progress =>
            {
                var request = new TrainingRequest($"{pipeline.Name}-{variant.Name}", train.WithSchema(schema), test.WithSchema(schema), Options(pipeline, variant), new DirectoryInfo(output)) { Version = Version, BudgetEpsilon = BudgetEpsilon, DataCommitted = true };
                var report = await TrainingRun.RunAsync(request, workspace, new Fraction(progress), cancel);
                return new VariantFinding(variant.Name, output, report);
            }));
    }

    /// <summary>Attacks one variant with everything that its form allows, at every strength of the pipeline.</summary>
    private async Task<StepRecord<EvasionFinding>> EvasionAsync(StepRecord<VariantFinding> variant, CancellationToken cancel) =>
        await folder.StepAsync($"evasion-{variant.Result.Name}", new { variant.Fingerprint, pipeline.Attack }, [], () => screen.ProgressAsync($"attack {variant.Result.Name}: evasion", async progress =>
        {
            var onnx = await File.ReadAllBytesAsync(Path.Combine(variant.Result.Folder, ModelFolder.OnnxName), cancel);
            var imported = OnnxModel.Import(onnx);
            using var scorer = new OnnxScorer(onnx);
            var threshold = Threshold(scorer);
            var options = new EvasionOptions { Strengths = pipeline.Attack.Strengths, Samples = pipeline.Attack.Samples, Threshold = threshold, Seed = (ulong)pipeline.Seed };
            var encoder = new FeatureEncoder(train.Schema);
            var report = await Task.Run(() => EvasionEvaluation.Run(new EvasionTarget(scorer, encoder, imported.Network), test.Raw, test.Labels, options, progress, cancel), cancel);
            var entry = await LogAttackAsync("evasion", Digest.Of(onnx), new { report.Rows, report.Threshold, report.CleanAccuracy, worstCase = report.WorstCase, flags = report.Flags }, cancel);
            return new EvasionFinding(variant.Result.Name, report, ScreenCatches(variant.Result, imported.Network, encoder, options), entry.Index);
        }));

    /// <summary>One half, or the score at which the clean test rows raise as many false alarms as the pipeline allows.</summary>
    private double Threshold(OnnxScorer scorer)
    {
        if (pipeline.Attack.FalsePositiveRate is not { } rate)
            return 0.5;
        var scores = new float[test.Rows];
        scorer.Score(test.Raw, test.Rows, scores);
        float[] negatives = [.. scores.Where((_, row) => test.Labels[row] == 0).OrderDescending()];
        return Math.Clamp(Math.BitIncrement(negatives[Math.Min(negatives.Length - 1, (int)(rate * negatives.Length))]), 1e-6f, 1 - 1e-6f);
    }

    /// <summary>How many rows that gradient descent moved the input screen refuses: an attacker who does not know of it.</summary>
    private ScreenFinding ScreenCatches(VariantFinding variant, DenseNetwork<float> network, FeatureEncoder encoder, EvasionOptions options)
    {
        var inputScreen = InputScreen.FromJson(File.ReadAllBytes(Path.Combine(variant.Folder, ModelFolder.ScreenName)));
        int[] positives = [.. Enumerable.Range(0, test.Rows).Where(row => test.Labels[row] == 1).Take(options.Samples)];
        float[] raw = [.. positives.SelectMany(row => test.Row(row).ToArray())];
        var (encoded, moved, sent) = (encoder.Encode(raw), new float[positives.Length * encoder.EncodedWidth], new float[raw.Length]);
        int[] labels = [.. positives.Select(_ => 1)];
        new ProjectedGradientDescent { Epsilon = pipeline.Attack.Epsilon, Steps = options.Steps, Restarts = 1, Seed = options.Seed }.Run(network, encoded, labels, encoder.MutableMask, moved);
        encoder.Decode(moved, positives.Length, raw, sent);
        var caught = Refused(inputScreen, encoder, sent);
        var (row, code) = (test.Row(0).ToArray(), new float[encoder.EncodedWidth]);
        var seconds = Stopwatches.PerCall(() =>
        {
            encoder.Encode(row, 1, code);
            inputScreen.Check(row, code);
        });
        return new ScreenFinding(pipeline.Attack.Epsilon, positives.Length, caught, test.Rows, Refused(inputScreen, encoder, test.Raw), seconds);
    }

    private static int Refused(InputScreen inputScreen, FeatureEncoder encoder, float[] raw)
    {
        var encoded = encoder.Encode(raw);
        return Enumerable.Range(0, raw.Length / encoder.Width).Count(row => !inputScreen.Check(
            raw.AsSpan(row * encoder.Width, encoder.Width), encoded.AsSpan(row * encoder.EncodedWidth, encoder.EncodedWidth)).IsAccepted);
    }

    private async Task<StepRecord<MembershipFinding>> MembershipAsync(StepRecord<VariantFinding> variant, CancellationToken cancel) =>
        await folder.StepAsync($"membership-{variant.Result.Name}", new { variant.Fingerprint, Holdout = holdout?.Commitment, pipeline.Attack.Shadows }, [], () => screen.ProgressAsync($"attack {variant.Result.Name}: membership", async progress =>
        {
            var unseen = holdout ?? test;
            var rows = Math.Min(Math.Min(train.Rows, unseen.Rows), 20_000);
            var onnx = await File.ReadAllBytesAsync(Path.Combine(variant.Result.Folder, ModelFolder.OnnxName), cancel);
            using var scorer = new OnnxScorer(onnx);
            var reports = await Task.Run(() => MembershipReports(scorer, variant.Result.Report, train.Every(rows), unseen.Every(rows), progress, cancel), cancel);
            MembershipPoint At(MembershipReport report) => report.Points.First(candidate => candidate.TargetFalsePositiveRate == 0.01);
            var strongest = reports.MaxBy(report => At(report).Lower)!;
            var point = At(strongest);
            await LogAttackAsync("membership", Digest.Of(onnx), new { strongest.Attack, strongest.Auc, strongest.Members, strongest.Others, truePositiveRate = point.TruePositiveRate, falsePositiveRate = point.RealizedFalsePositiveRate }, cancel);
            return new MembershipFinding(variant.Result.Name, strongest.Auc, point.TruePositiveRate, point.RealizedFalsePositiveRate, point.Lower, point.Upper, strongest.Members, strongest.Others) { Attack = strongest.Attack, Attacks = reports.Count };
        }));

    /// <summary>By losses, by labels, and by shadow models of the variant's own recipe: likelihood ratio online and offline, relative to references.</summary>
    private List<MembershipReport> MembershipReports(OnnxScorer scorer, TrainingReport report, Dataset members, Dataset others, IProgress<double> progress, CancellationToken cancel)
    {
        const int ShadowRows = 4000;   // more cost minutes; fewer rows make shadows less like the model, which the attacker pays
        List<MembershipReport> reports =
        [
            MembershipAttack.Run(scorer, members.Raw, members.Labels, others.Raw, others.Labels),
            ShadowMembership.LabelOnly(scorer, members, others),
        ];
        if (pipeline.Attack.Shadows > 0)
            reports.AddRange(ShadowMembership.Run(scorer, report.Options, members.Every(ShadowRows), others.Every(ShadowRows), pipeline.Attack.Shadows, 1, progress, cancel));
        return reports;
    }

    private async Task<LogEntryReceipt> LogAttackAsync(string attack, Digest model, object report, CancellationToken cancel) => await workspace.AppendAsync(
        Statement.Of(ModelFolder.OnnxName, model, new ModelAttacked { Attack = attack, Time = DateTimeOffset.UtcNow, Report = System.Text.Json.JsonSerializer.SerializeToElement(report, Screen.JsonOptions) }), cancel);

    /// <summary>Seals one variant, verifies it without a secret, and flips bits all over a copy to see each refused.</summary>
    private async Task<StepRecord<SealFinding>> SealAsync(StepRecord<VariantFinding> variant, double? robustAccuracy, CancellationToken cancel) =>
        await folder.StepAsync("seal", new { variant.Fingerprint, robustAccuracy }, [PackagePath], () => screen.ProgressAsync($"seal {variant.Result.Name}", async progress =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(PackagePath)!);
            using var keys = WorkspaceKeys.Open(workspace, "seal model");
            using var signer = keys.Ring.OpenSigner(Workspace.SigningKey);
            var model = ModelFolder.Load(variant.Result.Folder);
            var manifest = model.Manifest with { RobustAccuracy = robustAccuracy, RobustStrength = robustAccuracy is null ? null : pipeline.Attack.Epsilon };
            var package = await SealedModel.SealAsync(model, manifest, keys.Stores, Workspace.SealingKey, signer, PackagePath, cancel);
            var entry = await workspace.AppendAsync(keys.Ring, Claims.Sealed(Path.GetFileName(PackagePath), package), cancel);
            progress.Report(0.3);
            var trusted = new[] { signer.PublicKey };
            var verified = await VerifyAsync(await File.ReadAllBytesAsync(PackagePath, cancel), trusted, cancel);
            using var cached = new KeyCache(keys.Stores);   // opening is timed, not the log
            var (plain, opened) = await Stopwatches.FastestAsync(() => ReadAndHashAsync(variant.Result.Folder), () => OpenAsync(cached, trusted), 5);
            progress.Report(0.6);
            var (refused, flipped) = await FlipsAsync(trusted, cancel);
            return new SealFinding(PackagePath, manifest.Name, manifest.Version, package.PackageDigest, signer.PublicKey.ToString(), package.PlainBytes, package.PackageBytes,
                plain, opened, verified.IsTrusted, refused, flipped, entry.Index);
        }));

    private static async Task<SealVerification> VerifyAsync(byte[] package, VerificationKey[] trusted, CancellationToken cancel)
    {
        using var stream = new MemoryStream(package, writable: false);
        return await SealedModel.VerifyAsync(stream, trusted, cancel);
    }

    private static async Task ReadAndHashAsync(string model)
    {
        foreach (var file in Directory.EnumerateFiles(model))
            Digest.Of(await File.ReadAllBytesAsync(file));
    }

    private async Task OpenAsync(KeyCache keys, VerificationKey[] trusted)
    {
        await using var stream = File.OpenRead(PackagePath);
        using var opened = await SealedModel.OpenAsync(stream, keys, trusted);
    }

    /// <summary>Flips one bit in each of 64 places spread over the package; every copy must be refused.</summary>
    private async Task<(string Refused, int Flipped)> FlipsAsync(VerificationKey[] trusted, CancellationToken cancel)
    {
        var bytes = await File.ReadAllBytesAsync(PackagePath, cancel);
        var reason = "";
        const int Places = 64;
        for (var place = 0; place < Places; place++)
        {
            var at = (int)((long)place * (bytes.Length - 1) / (Places - 1));
            bytes[at] ^= (byte)(1 << (place % 8));
            var verdict = await VerifyAsync(bytes, trusted, cancel);
            bytes[at] ^= (byte)(1 << (place % 8));
            if (verdict.IsTrusted)
                throw new InvalidDataException($"The package was trusted with a flipped bit in byte {at}.");
            reason = verdict.Reason;
        }

        return (reason, Places);
    }

    internal static TrainingOptions Options(PipelineFile pipeline, PipelineVariant variant)
    {
        var standard = new TrainingOptions();
        return standard with
        {
            Hidden = variant.Model == "mlp" ? variant.Hidden : [],
            Additive = variant.Model == "ebm" ? new AdditiveOptions() : null,
            Epochs = variant.Epochs ?? standard.Epochs,
            BatchSize = variant.BatchSize ?? standard.BatchSize,
            LearningRate = variant.LearningRate ?? standard.LearningRate,
            PositiveWeight = variant.PositiveWeight ?? standard.PositiveWeight,
            BaseRate = pipeline.BaseRate,
            Seed = (ulong)pipeline.Seed,
            Private = variant.Private is { } budget ? Clipping.Of(new PrivacyOptions { Epsilon = budget.Epsilon, Delta = budget.Delta }, budget.Clipping) : null,
            Selection = variant.Private?.Select is { } runs ? new SelectionOptions { Mean = runs } : null,
            Robust = variant.Robust ? new RobustOptions { Epsilon = pipeline.Attack.Epsilon } : null,
        };
    }

    private sealed class Fraction(IProgress<double> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => progress.Report(value.Fraction);
    }
}
