using System.Reflection;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>What a training run came to, whatever the kind of model: its folder says so, and so does the log.</summary>
internal sealed record TrainedModel
{
    internal required string Name { get; init; }

    internal string Version { get; init; } = "1";

    /// <summary>What it is, for people.</summary>
    internal required string Kind { get; init; }

    internal required string Shape { get; init; }

    /// <summary>How it was trained, for the log.</summary>
    internal required object Options { get; init; }

    internal required byte[] Onnx { get; init; }

    /// <summary>Of a table's rows; null for images.</summary>
    internal InputScreen? Screen { get; init; }

    internal required Digest Dataset { get; init; }

    internal required Digest TestSet { get; init; }

    /// <summary>What the training table was read of, where it is not known by its own root.</summary>
    internal IReadOnlyList<DataOrigin> MadeFrom { get; init; } = [];

    /// <summary>The same of the test table.</summary>
    internal IReadOnlyList<DataOrigin> TestMadeFrom { get; init; } = [];

    /// <summary>Null when private: neighbours differ in it.</summary>
    internal int? TrainingRows { get; init; }

    internal IReadOnlyList<string> Columns { get; init; } = [];

    internal string? Label { get; init; }

    internal required int TestRows { get; init; }

    internal required double Accuracy { get; init; }

    internal IReadOnlyDictionary<string, double> Figures { get; init; } = new Dictionary<string, double>();

    internal PrivacyStatement? Privacy { get; init; }

    /// <summary>Of the privacy ledger, after the run.</summary>
    internal string? LedgerHead { get; init; }

    internal required DateTimeOffset Started { get; init; }

    internal DateTimeOffset Created { get; init; } = DateTimeOffset.UtcNow;

    internal IReadOnlyList<string> Notes { get; init; } = [];

    internal static string CodeVersion { get; } =
        Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>A model of a table's rows.</summary>
    internal static TrainedModel Of(TrainingRequest request, string kind, string shape, object options, byte[] onnx, Evaluation evaluation, InputScreen screen, DateTimeOffset started) => new()
    {
        Name = request.Name,
        Version = request.Version,
        Kind = kind,
        Shape = shape,
        Options = options,
        Onnx = onnx,
        Screen = screen,
        Dataset = request.Train.Commitment,
        TestSet = request.Test.Commitment,
        MadeFrom = request.MadeFrom,
        TestMadeFrom = request.TestMadeFrom,
        TrainingRows = request.Options.Private is null ? request.Train.Rows : null,
        Columns = [.. request.Train.Schema.Features.Select(feature => feature.Name)],
        Label = request.Train.Schema.Label,
        TestRows = evaluation.Rows,
        Accuracy = evaluation.Accuracy,
        Figures = FiguresOf(evaluation),
        Started = started,
    };

    /// <summary>Before anything costs time.</summary>
    /// <exception cref="CommandException">It is no model's name.</exception>
    internal static void RequireName(string name)
    {
        if (!ModelManifest.IsName(name))
            throw new CommandException($"'{name}' cannot be a model's name.", "letters, digits, '.', '_' and '-'; --name gives one");
    }

    /// <summary>Writes the folder.</summary>
    internal void Save<T>(DirectoryInfo output, T report)
    {
        var manifest = new ModelManifest
        {
            Name = Name,
            Version = Version,
            Created = Created,
            DataCommitment = Dataset,
            Epsilon = Privacy?.Epsilon,
            Delta = Privacy?.Delta,
            PrivacyUnit = Privacy is { } privacy ? $"{privacy.Adjacency}; {privacy.Unit}" : null,
            Privacy = Privacy is { } stated ? ModelNotice.Of(stated).ToJson() : null,
            Accuracy = Accuracy,
            Metrics = Figures,
            CodeVersion = CodeVersion,
            Dependencies = new Dictionary<string, string> { [".NET"] = Environment.Version.ToString(), ["Microsoft.ML.OnnxRuntime"] = VersionOf("Microsoft.ML.OnnxRuntime") },
            InsecureNotes = Notes,
        };
        var files = new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [ModelFolder.OnnxName] = Onnx,
            [TrainingReport.FileName] = JsonSerializer.SerializeToUtf8Bytes(report, Cli.Screen.JsonOptions),
        };
        if (Screen is not null)
            files[ModelFolder.ScreenName] = Screen.ToJson();
        new ModelFolder(manifest, files).Save(output.FullName);
    }

    /// <summary>Data, run and figures, each an entry of the log.</summary>
    /// <param name="workspace">Whose log; null for none.</param>
    /// <param name="dataCommitted">True when the log knows the training data already.</param>
    /// <param name="cancel">Stops between entries.</param>
    /// <returns>Where the run stands; null without a log.</returns>
    internal async Task<long?> LogAsync(Workspace? workspace, bool dataCommitted, CancellationToken cancel)
    {
        if (workspace is null)
            return null;
        if (!dataCommitted && TestSet != Dataset)
            await workspace.AppendAsync(TrainingClaims.TestCommitted(this), cancel);
        if (!dataCommitted)
            await workspace.AppendAsync(TrainingClaims.Committed(this), cancel);
        var run = await workspace.AppendAsync(TrainingClaims.Provenance(this), cancel);
        await workspace.AppendAsync(TrainingClaims.Evaluation(this), cancel);
        return run.Index;
    }

    /// <summary>What stands behind "written" on the screen.</summary>
    internal static string Entry(long? index) => index is { } at ? $", log entry {at}" : "";

    private static Dictionary<string, double> FiguresOf(Evaluation evaluation)
    {
        var figures = new Dictionary<string, double> { ["auc"] = evaluation.Auc, ["prAuc"] = evaluation.PrAuc, ["logLoss"] = evaluation.LogLoss };
        foreach (var point in evaluation.RecallAtFpr)
            figures[$"recallAtFpr{point.At:0.###}"] = point.Value;
        foreach (var point in evaluation.FprAtRecall)
            figures[$"fprAtRecall{point.At:0.###}"] = point.Value;
        return figures.Where(figure => double.IsFinite(figure.Value)).ToDictionary();
    }

    private static string VersionOf(string assembly) =>
        AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(loaded => loaded.GetName().Name == assembly)?.GetName().Version?.ToString() ?? "unknown";
}
