using Bulwark.Assurance;
using Bulwark.Models;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Making;

/// <summary>Boosted trees as a model folder: grown, exported, the export checked on every test row.</summary>
internal static class TreeRun
{
    private const double Tolerance = 1e-5;

    /// <summary>What it came to: the folder's <c>report.json</c>.</summary>
    internal sealed record Report(string Name, int Trees, int Depth, double? AttackEpsilon, Bulwark.Cryptography.Digest Dataset, Bulwark.Cryptography.Digest TestSet, int TrainingRows, Evaluation Evaluation, double LargestExportDifference)
    {
        public string Format { get; init; } = "tree-training-report/v1";

        /// <summary>What the input screen refuses of the test rows.</summary>
        public ScreenRefusals? ScreenRefusals { get; init; }

        /// <summary>Where the run's statement is in the log; only known after the folder is written.</summary>
        public long? LogIndex { get; init; }
    }

    /// <param name="request">Data and output; its options are not used.</param>
    /// <param name="options">How trees grow.</param>
    /// <param name="epsilon">How far the attacker moves a mutable value, as a share of its range; null trains without one.</param>
    /// <param name="workspace">Whose log keeps the run; null for none.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancel">Stops before anything is written.</param>
    internal static async Task<Report> RunAsync(TrainingRequest request, TreeTrainingOptions options, double? epsilon, Workspace? workspace, IProgress<double> progress, CancellationToken cancel)
    {
        var (report, model) = await Task.Run(() => Run(request, options, epsilon, progress, cancel), cancel);
        return report with { LogIndex = await model.LogAsync(workspace, request.DataCommitted, cancel) };
    }

    private static (Report Report, TrainedModel Model) Run(TrainingRequest request, TreeTrainingOptions options, double? epsilon, IProgress<double> progress, CancellationToken cancel)
    {
        TrainedModel.RequireName(request.Name);
        var started = DateTimeOffset.UtcNow;
        var (train, test, schema) = (request.Train, request.Test, request.Train.Schema);
        if (epsilon is { } radius)
        {
            if (!schema.Features.Any(feature => feature.Mutable))
                throw new CommandException("Robust training moves mutable features; none is declared so.", "name them with --mutable NAME, or in the schema");
            options = options with { Radii = [.. schema.Features.Select(feature => feature.Mutable ? radius * ((feature.Maximum ?? 1) - (feature.Minimum ?? 0)) : 0)] };
        }

        TreeEnsemble ensemble;
        try
        {
            ensemble = TreeTrainer.Train(train.Raw.ToArray(), [.. train.Labels], schema.Width, options, progress, cancel);
        }
        catch (ArgumentException fault)
        {
            throw new CommandException(fault.Message);
        }

        var onnx = OnnxModel.WithSchema(TreeGraph.Write(ensemble), schema);
        float[] scores = [.. Enumerable.Range(0, test.Rows).Select(row => (float)(1 / (1 + Math.Exp(-ensemble.Margin(test.Row(row))))))];
        var difference = Difference(onnx, test, scores);
        var report = new Report(request.Name, ensemble.Trees.Count, options.Depth, epsilon, train.Commitment, test.Commitment, train.Rows, Evaluation.Of(scores, test.Labels), difference);
        var encoder = new FeatureEncoder(schema);
        var encoded = test.Encode(encoder);
        var screen = FittedScreen.Of(request, train.Encode(encoder), encoded, cancel);
        report = report with { ScreenRefusals = ScreenRefusals.Of(screen, test, encoded) };
        cancel.ThrowIfCancellationRequested();
        var model = TrainedModel.Of(request, "boosted trees", $"{ensemble.Trees.Count} trees of depth {options.Depth}", new { epsilon, training = options }, onnx, report.Evaluation, screen, started);
        model.Save(request.Output, report);
        return (report, model);
    }

    internal static void Draw(IAnsiConsole console, Report report, DirectoryInfo output)
    {
        console.MarkupLine($"accuracy {report.Evaluation.Accuracy:P2}, AUC {report.Evaluation.Auc:f4}, PR-AUC {report.Evaluation.PrAuc:f4} on {report.Evaluation.Rows} test rows");
        console.MarkupLine($"{report.Trees} trees of depth {report.Depth}{(report.AttackEpsilon is { } epsilon ? $", splits robust within {epsilon}" : "")}");
        report.ScreenRefusals?.Draw(console);
        console.MarkupLine($"written: {Markup.Escape(output.FullName)}{TrainedModel.Entry(report.LogIndex)} (bulwark attack trees -t {Markup.Escape(Path.Combine(output.Name, ModelFolder.OnnxName))} says what it withstands)");
    }

    private static double Difference(byte[] onnx, Dataset test, float[] expected)
    {
        using var scorer = new OnnxScorer(onnx);
        var scored = new float[test.Rows];
        scorer.Score(test.Raw, test.Rows, scored);
        var worst = scored.Zip(expected).Max(pair => Math.Abs((double)pair.First - pair.Second));
        return worst <= Tolerance ? worst : throw new CommandException($"The exported trees score differently from the trained ones, by up to {worst:g3} on the test rows; nothing was written.");
    }
}
