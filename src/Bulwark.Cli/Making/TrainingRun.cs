using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Privacy;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>One trained model as a folder of files: train, export, check the export, fit the screen, evaluate, write, log.</summary>
internal static class TrainingRun
{
    /// <summary>Noise of the moments that the input screen of a private model is fitted to, over their sensitivity.</summary>
    private const double MomentsNoise = 20;

    /// <summary>Runs all steps. Nothing is written when one fails.</summary>
    /// <param name="request">Data and options.</param>
    /// <param name="workspace">Ledger and log; null only when the run is not private, and then nothing is logged.</param>
    /// <param name="progress">Told often.</param>
    /// <param name="cancel">Stops before anything is written.</param>
    /// <exception cref="CommandException">A private run lacks declared bounds or a workspace, or the exported graph does not score as the network does.</exception>
    internal static async Task<TrainingReport> RunAsync(TrainingRequest request, Workspace? workspace, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        TrainedModel.RequireName(request.Name);
        var started = DateTimeOffset.UtcNow;
        var encoder = new FeatureEncoder(request.Train.Schema);
        var options = WithMask(request.Options, encoder);
        var faults = options.Faults().ToList();
        if (faults.Count > 0)
            throw new CommandException(string.Join(" ", faults));
        FittedScreen.RequireSound(request);
        using var ledger = options.Private is null ? null : OpenLedger(request, options.Private, workspace);
        var account = ledger is null ? null : new PrivacyAccount(ledger, LedgerName(request));
        var (train, test) = (request.Train.Encode(encoder), request.Test.Encode(encoder));

        if (options.Private is not null)
        {
            ledger!.RequireRoom(account!.Dataset, Cost(options, request.Train.Schema.Width));   // before the moments are paid for
            options = WithMoments(options);
        }

        var moments = options.Private is null ? null : await Task.Run(() => Moments(train, request.Train.Schema, ledger!, account!.Dataset), cancel);
        var trained = await Task.Run(() => Trainer.Train(train, null, options, account, progress, cancel), cancel);

        var scores = Trainer.Score(trained.Network, test);
        var onnx = OnnxModel.Export(request.Train.Schema, trained.Network);
        var difference = ExportCheck.RequireSameScores(onnx, trained.Network, request.Test, test, scores);
        var screen = moments is null ? await Task.Run(() => FittedScreen.Of(request, train, test, cancel), cancel) : FittedScreen.OfPrivate(request, moments, test);
        var report = Report(request, options, trained, Evaluation.Of(scores, test.Labels), screen, difference) with { ScreenRefusals = ScreenRefusals.Of(screen, request.Test, test) };
        cancel.ThrowIfCancellationRequested();
        var model = TrainedModel.Of(request, report.Model, report.Shape, report.Options, onnx, report.Evaluation, screen, started) with { Created = report.Created, Privacy = report.Privacy, LedgerHead = ledger?.Head, Notes = report.Notes };
        model.Save(request.Output, report);
        return report with { LogIndex = await model.LogAsync(workspace, request.DataCommitted, cancel) };
    }

    /// <summary>Features whose bounds or categories nobody declared make a private run impossible: reading them off the rows is itself a release.</summary>
    private static PrivacyLedger OpenLedger(TrainingRequest request, PrivacyOptions options, Workspace? workspace)
    {
        if (request.Train.Schema.InferredFeatures() is { Count: > 0 } inferred)
        {
            throw new CommandException(
                $"Private training needs declared bounds and categories; these features have none: {string.Join(", ", inferred)}.",
                "declare them with --schema FILE (minimum and maximum, or categories), or pay for numeric bounds with --bounds-epsilon 0.1");
        }

        if (workspace is null)
            throw new CommandException("Private training books its cost in a workspace's ledger before it starts; there is no workspace.", "bulwark init");
        var ledger = workspace.OpenLedger();
        var dataset = LedgerName(request);
        if (ledger.BudgetOf(dataset) is null)
            ledger.SetBudget(dataset, new PrivacyBudget(request.BudgetEpsilon ?? options.Epsilon, options.Delta));
        return ledger;
    }

    private static string LedgerName(TrainingRequest request) => request.Train.Commitment.ToString();

    /// <summary>The attacker of a robust run moves what is mutable and, whole numbers and flags being what they are, can be moved within his radius at all.</summary>
    internal static TrainingOptions WithMask(TrainingOptions options, FeatureEncoder encoder)
    {
        if (options.Robust is not { Mutable.Count: 0 } robust)
            return options;
        if (!encoder.MutableMask.Contains(true))
            throw new CommandException("Robust training moves mutable features; none is declared so.", "name them with --mutable NAME, or in the schema");
        return options with { Robust = AttackerReach.Within(robust with { Mutable = encoder.MutableMask.ToArray() }, encoder) };
    }

    /// <summary>All that a private run will release beside what is paid already: the moments for its screen, then the training.</summary>
    internal static PrivacyEvent Cost(TrainingOptions options, int features) => new ComposedEvent([new GaussianEvent(MomentsNoise), Trainer.Cost(WithMoments(options), features)]);

    private static TrainingOptions WithMoments(TrainingOptions options) =>
        options with { Private = options.Private! with { Also = Joined(options.Private.Also, new GaussianEvent(MomentsNoise)) } };

    private static PrivacyEvent Joined(PrivacyEvent? first, PrivacyEvent second) => first is null ? second : new ComposedEvent([first, second]);

    /// <summary>An encoded row has one value of at most 1 per feature, and one more where a missing value is marked.</summary>
    private static PrivateMoments Moments(EncodedDataset train, FeatureSchema schema, PrivacyLedger ledger, string dataset)
    {
        var longest = Math.Sqrt(schema.Features.Sum(feature => feature.Missing == MissingPolicy.Indicator ? 2 : 1));
        return PrivateMoments.Release(train.Features, train.Width, longest, MomentsNoise, ledger, dataset);
    }

    private static TrainingReport Report(TrainingRequest request, TrainingOptions options, TrainedNetwork trained, Evaluation evaluation, InputScreen screen, double difference) => new()
    {
        Name = request.Name,
        Model = options.Additive is not null ? "additive model" : options.Hidden.Count == 0 ? "logistic regression" : "multilayer perceptron",
        Shape = trained.Network.Shape.ToString(),
        Created = DateTimeOffset.UtcNow,
        Dataset = request.Train.Commitment,
        TestSet = request.Test.Commitment,
        TrainingRows = options.Private is null ? request.Train.Rows : null,
        Options = options with { Robust = options.Robust is null ? null : options.Robust with { Mutable = options.Robust.Costs.Count > 0 ? options.Robust.Mutable : [], Units = [] } },
        Evaluation = evaluation,
        Privacy = trained.Privacy,
        Epochs = trained.Epochs,
        BestEpoch = trained.BestEpoch,
        Steps = trained.Steps,
        TrainingSeconds = trained.Seconds,
        LargestExportDifference = difference,
        ScreenFalsePositiveRate = screen.Calibration?.FalsePositiveRate,
        ScreenRelations = screen.Relations.Count,
        ScreenRelationCheck = screen.RelationCheck,
        CodeVersion = TrainedModel.CodeVersion,
        Notes = trained.Privacy is null ? [] :
        [
            "The figures on test rows, the screen's threshold and what declared relations were checked on are computed from the test rows without noise; epsilon covers the training rows.",
        ],
    };
}
