using System.Runtime.InteropServices;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;

namespace Bulwark.Cli.Making;

/// <summary>What the log says of a training run: its provenance, and how the model measured.</summary>
internal static class TrainingClaims
{
    private static readonly JsonSerializerOptions s_options = new(CanonicalJson.Options)
    {
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>What the run learns from. The number of rows stays out where the run is private: neighbours differ in it.</summary>
    internal static Statement Committed(TrainedModel model) => Statement.Of($"{model.Name} training data", model.Dataset, new DatasetCommitted
    {
        Step = "train",
        Rows = model.TrainingRows,
        Columns = model.Columns,
        Label = model.Label,
        TestSet = model.TestSet,
        Sources = [.. model.MadeFrom.Select(origin => origin.Root)],
        Settings = DataOrigin.Settings(model.MadeFrom),
    });

    /// <summary>What the run measures on, where that is another table.</summary>
    internal static Statement TestCommitted(TrainedModel model) => Statement.Of($"{model.Name} test data", model.TestSet, new DatasetCommitted
    {
        Step = "test",
        Rows = model.TestRows,
        Columns = model.Columns,
        Label = model.Label,
        Sources = [.. model.TestMadeFrom.Select(origin => origin.Root)],
        Settings = DataOrigin.Settings(model.TestMadeFrom),
    });

    internal static Statement Provenance(TrainedModel model) => Statement.Of(
        ModelFolder.OnnxName, Digest.Of(model.Onnx),
        new TrainingProvenance
        {
            BuildDefinition = new BuildDefinition(
                TrainingProvenance.BuildType,
                JsonSerializer.SerializeToElement(new { model = model.Name, kind = model.Kind, model.Shape, model.Options }, s_options),
                Inputs(model),
                new Dictionary<string, string>
                {
                    ["os"] = OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "macos" : "windows",
                    ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
                    ["runtime"] = RuntimeInformation.FrameworkDescription,
                }),
            RunDetails = new RunDetails(
                new Builder("https://bulwark.dev/trainer", new Dictionary<string, string> { ["bulwark"] = TrainedModel.CodeVersion }),
                new BuildMetadata(Guid.NewGuid().ToString("N"), model.Started, DateTimeOffset.UtcNow),
                Bulwark_privacy: model.Privacy is { } privacy ? new PrivacyCost(privacy.Epsilon, privacy.Delta, privacy.Adjacency, privacy.Unit, model.LedgerHead) : null),
        });

    internal static Statement Evaluation(TrainedModel model) => Statement.Of(
        ModelFolder.OnnxName, Digest.Of(model.Onnx),
        new ModelEvaluated
        {
            Dataset = model.TestSet,
            Rows = model.TestRows,
            Figures = new Dictionary<string, double>(model.Figures) { ["accuracy"] = model.Accuracy },
            Time = model.Created,
        });

    private static List<ResourceDescriptor> Inputs(TrainedModel model)
    {
        List<ResourceDescriptor> inputs = [ResourceDescriptor.Of(TrainingProvenance.TrainingData, model.Dataset), ResourceDescriptor.Of(TrainingProvenance.TestData, model.TestSet)];
        var commit = TrainedModel.CodeVersion[(TrainedModel.CodeVersion.IndexOf('+', StringComparison.Ordinal) + 1)..];
        if (commit.Length is 40 or 64 && commit.All(char.IsAsciiHexDigitLower))
            inputs.Add(new ResourceDescriptor(TrainingProvenance.Code, new Dictionary<string, string> { ["gitCommit"] = commit }));
        return inputs;
    }
}
