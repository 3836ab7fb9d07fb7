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
    internal static Statement Committed(TrainingRequest request) => Statement.Of($"{request.Name} training data", request.Train.Commitment, new DatasetCommitted
    {
        Step = "train",
        Rows = request.Options.Private is null ? request.Train.Rows : null,
        Columns = [.. request.Train.Schema.Features.Select(feature => feature.Name)],
        Label = request.Train.Schema.Label,
        TestSet = request.Test.Commitment,
    });

    internal static Statement Provenance(TrainingReport report, byte[] onnx, DateTimeOffset started, string? ledgerHead) => Statement.Of(
        ModelFolder.OnnxName, Digest.Of(onnx),
        new TrainingProvenance
        {
            BuildDefinition = new BuildDefinition(
                TrainingProvenance.BuildType,
                JsonSerializer.SerializeToElement(new { model = report.Name, kind = report.Model, report.Shape, report.Options }, s_options),
                Inputs(report),
                new Dictionary<string, string>
                {
                    ["os"] = OperatingSystem.IsLinux() ? "linux" : OperatingSystem.IsMacOS() ? "macos" : "windows",
                    ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
                    ["runtime"] = RuntimeInformation.FrameworkDescription,
                }),
            RunDetails = new RunDetails(
                new Builder("https://bulwark.dev/trainer", new Dictionary<string, string> { ["bulwark"] = report.CodeVersion }),
                new BuildMetadata(Guid.NewGuid().ToString("N"), started, DateTimeOffset.UtcNow),
                Bulwark_privacy: report.Privacy is { } privacy ? new PrivacyCost(privacy.Epsilon, privacy.Delta, privacy.Adjacency, privacy.Unit, ledgerHead) : null),
        });

    internal static Statement Evaluation(TrainingReport report, byte[] onnx, IReadOnlyDictionary<string, double> figures) => Statement.Of(
        ModelFolder.OnnxName, Digest.Of(onnx),
        new ModelEvaluated
        {
            Dataset = report.TestSet,
            Rows = report.Evaluation.Rows,
            Figures = new Dictionary<string, double>(figures) { ["accuracy"] = report.Evaluation.Accuracy },
            Time = report.Created,
        });

    private static List<ResourceDescriptor> Inputs(TrainingReport report)
    {
        List<ResourceDescriptor> inputs = [ResourceDescriptor.Of(TrainingProvenance.TrainingData, report.Dataset), ResourceDescriptor.Of(TrainingProvenance.TestData, report.TestSet)];
        var commit = report.CodeVersion[(report.CodeVersion.IndexOf('+', StringComparison.Ordinal) + 1)..];
        if (commit.Length is 40 or 64 && commit.All(char.IsAsciiHexDigitLower))
            inputs.Add(new ResourceDescriptor(TrainingProvenance.Code, new Dictionary<string, string> { ["gitCommit"] = commit }));
        return inputs;
    }
}
