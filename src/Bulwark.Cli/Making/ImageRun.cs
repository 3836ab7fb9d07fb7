using System.Runtime.InteropServices;
using Bulwark.Assurance;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Making;

/// <summary>A convolutional network on images as a model folder: trained, exported, the export checked on every test image, attacked where it was trained against an attacker.</summary>
internal static class ImageRun
{
    private const double Tolerance = 1e-4;
    private const int Slice = 512;

    /// <summary>Images and what to do with them.</summary>
    /// <param name="Name">The model's name.</param>
    /// <param name="Train">Training images and labels.</param>
    /// <param name="Test">Images and labels that only measure.</param>
    /// <param name="Options">How; classes and convolutions set.</param>
    /// <param name="Attacked">Test images to attack of a robust run; 0 for none.</param>
    /// <param name="Output">The folder to write.</param>
    internal sealed record Request(string Name, EncodedDataset Train, EncodedDataset Test, TrainingOptions Options, int Attacked, DirectoryInfo Output);

    /// <summary>What it came to: the folder's <c>report.json</c>.</summary>
    internal sealed record Report(string Name, string Shape, Digest Dataset, Digest TestSet, int TrainingImages, TrainingOptions Options, RowShare Accuracy, RowShare? Robust, IReadOnlyList<string> Flags, int? BestEpoch, double TrainingSeconds, double LargestExportDifference)
    {
        public string Format { get; init; } = "image-training-report/v1";

        /// <summary>Climbs of the attack that ended early, and how many of them fell when they went to their end.</summary>
        public RuledOutCount? RuledOut { get; init; }

        /// <summary>Where the run's statement is in the log; only known after the folder is written.</summary>
        public long? LogIndex { get; init; }
    }

    /// <summary>Trains, writes the folder, and logs data, run and figures where there is a workspace.</summary>
    /// <exception cref="CommandException">The options have faults, or the exported graph does not score as the network does.</exception>
    internal static async Task<Report> RunAsync(Request request, Workspace? workspace, IProgress<double> progress, CancellationToken cancel)
    {
        var (report, model) = await Task.Run(() => Run(request, progress, cancel), cancel);
        return report with { LogIndex = await model.LogAsync(workspace, dataCommitted: false, cancel) };
    }

    private static (Report Report, TrainedModel Model) Run(Request request, IProgress<double> progress, CancellationToken cancel)
    {
        TrainedModel.RequireName(request.Name);
        var started = DateTimeOffset.UtcNow;
        if (string.Join(' ', request.Options.Faults()) is { Length: > 0 } faults)
            throw new CommandException(faults);
        var trained = Trainer.Train(request.Train, null, request.Options, progress: new Most(progress), cancel: cancel);
        var (onnx, test) = (OnnxModel.Export(trained.Network), request.Test);
        var (right, difference) = Judge(onnx, trained.Network, test);
        var suite = request.Options.Robust is { } robust && request.Attacked > 0 ? Attack(trained.Network, request, robust, cancel) : null;
        var report = new Report(
            request.Name, trained.Network.Shape.ToString(), DigestOf(request.Train), DigestOf(test), request.Train.Rows, request.Options, RowShare.From(right, test.Rows),
            suite?.Curve[^1].Robust, [.. suite?.Flags.Select(flag => flag.Id).Distinct() ?? []], trained.BestEpoch, trained.Seconds, difference)
        { RuledOut = suite?.RuledOut };
        cancel.ThrowIfCancellationRequested();
        var model = new TrainedModel
        {
            Name = request.Name,
            Kind = "convolutional network",
            Shape = report.Shape,
            Options = report.Options,
            Onnx = onnx,
            Dataset = report.Dataset,
            TestSet = report.TestSet,
            TrainingRows = report.TrainingImages,
            TestRows = test.Rows,
            Accuracy = report.Accuracy.Rate,
            Started = started,
        };
        model.Save(request.Output, report);
        return (report, model);
    }

    internal static void Draw(IAnsiConsole console, Report report, DirectoryInfo output)
    {
        console.MarkupLine($"accuracy {report.Accuracy.Rate:P2} of {report.Accuracy.Of} test images ({report.Accuracy.Lower:P1} to {report.Accuracy.Upper:P1})");
        if (report.Robust is { } robust)
            console.MarkupLine($"right under APGD and targeted APGD: {robust.Rate:P1} of {robust.Of} ({robust.Lower:P1} to {robust.Upper:P1}){(report.Flags.Count > 0 ? $", [yellow]flags {string.Join(' ', report.Flags)}: counts for nothing[/]" : "")}");
        if (report.RuledOut is { Ended: > 0 } ruledOut)
            console.MarkupLineInterpolated($"{ruledOut}");
        console.MarkupLine($"{report.Shape}, {report.TrainingSeconds:f1} s");
        console.MarkupLine($"written: {Markup.Escape(output.FullName)}{TrainedModel.Entry(report.LogIndex)}");
    }

    /// <summary>Images that are right, and the largest difference between the graph's probabilities and the network's.</summary>
    private static (int Right, double Difference) Judge(byte[] onnx, DenseNetwork<float> network, EncodedDataset test)
    {
        using var scorer = new OnnxScorer(onnx);
        var outputs = network.Shape.Outputs;
        var (right, worst) = (0, 0.0);
        for (var first = 0; first < test.Rows; first += Slice)
        {
            var count = Math.Min(Slice, test.Rows - first);
            var rows = test.Features.AsSpan(first * test.Width, count * test.Width);
            float[] logits = new float[count * outputs], scored = new float[count * outputs];
            network.Forward(rows, count, logits);
            scorer.Score(rows, count, scored);
            for (var row = 0; row < count; row++)
            {
                var own = logits.AsSpan(row * outputs, outputs);
                right += LossFunction.Predict<float>(own) == test.Labels[first + row] ? 1 : 0;
                if (outputs == 1)
                    System.Numerics.Tensors.TensorPrimitives.Sigmoid(own, own);
                else
                    System.Numerics.Tensors.TensorPrimitives.SoftMax(own, own);
                for (var k = 0; k < outputs; k++)
                    worst = Math.Max(worst, Math.Abs((double)own[k] - scored[(row * outputs) + k]));
            }
        }

        return worst <= Tolerance ? (right, worst) : throw new CommandException($"The exported graph scores differently from the trained network, by up to {worst:g3} on the test images; nothing was written.");
    }

    private static SuiteReport Attack(DenseNetwork<float> network, Request request, RobustOptions robust, CancellationToken cancel)
    {
        var image = request.Options.Convolutions!.Image;
        var model = new DifferentiableNetwork<float>(network);
        var count = Math.Min(request.Attacked, request.Test.Rows);
        var target = new PointTarget(new QueriedNetwork(model), model) { Image = (image.Channels, image.Height, image.Width) };
        var options = new SuiteOptions { Norm = robust.Norm == RobustNorm.Length ? PerturbationNorm.L2 : PerturbationNorm.Linf, Attacks = ["apgd-ce", "apgd-t"], Strengths = [robust.Epsilon] };
        return AttackSuite.Run(target, request.Test.Features[..(count * request.Test.Width)], request.Test.Labels[..count], options, cancel: cancel);
    }

    private static Digest DigestOf(EncodedDataset images) =>
        Digest.Of([.. MemoryMarshal.AsBytes<float>(images.Features), .. MemoryMarshal.AsBytes<int>(images.Labels)]);

    private sealed class Most(IProgress<double> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => progress.Report(0.9 * value.Fraction);
    }
}
