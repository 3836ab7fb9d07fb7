using System.CommandLine;
using System.Runtime.InteropServices;
using Bulwark.Assurance;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Cli.Attacks;

internal static class AttackImagesCommand
{
    private static readonly Option<FileSystemInfo?> s_model = new Option<FileSystemInfo?>("--model", "-m") { Description = "A model folder or any ONNX file that takes images as rows of pixels from 0 to 1.", HelpName = "DIR|FILE.onnx" };
    private static readonly Option<string?> s_endpoint = new("--endpoint") { Description = "In place of --model: an Open Inference Protocol v2 model; a bearer token comes from BULWARK_TOKEN.", HelpName = "URL" };
    private static readonly Option<string?> s_shape = new("--shape") { Description = "An image's shape as the endpoint takes it, for example 1,28,28. Default: one row of pixels.", HelpName = "LIST" };
    private static readonly Option<long> s_budget = new("--query-budget") { Description = "Questions that the whole run may ask an endpoint.", DefaultValueFactory = _ => 100_000 };
    private static readonly Option<FileInfo> s_images = new Option<FileInfo>("--images") { Description = "Images as IDX, also gzipped (MNIST's format).", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_labels = new Option<FileInfo>("--labels") { Description = "Their classes as IDX.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<int> s_samples = new("--samples") { Description = "Images attacked, the first of the file.", DefaultValueFactory = _ => 500 };
    private static readonly Option<FileInfo?> s_output = new("--output", "-o") { Description = "Also write the report as JSON to this file.", HelpName = "FILE" };
    private static readonly SuiteSettings s_settings = new();
    private static readonly SuiteOutputs s_outputs = new();

    internal static Command Create()
    {
        var command = new Command("images", """
            Attacks a model of images with the suite's ensemble: APGD, targeted APGD, FAB and squares where the network can be seen, squares and
            decisions alone on any other ONNX model and behind an endpoint, within its budget of questions. Distances are of pixels from 0 to 1.

            Example: bulwark attack images -m shoes.onnx --images t10k-images.gz --labels t10k-labels.gz --attacks apgd-ce,apgd-t --strengths 0.1 --fail-below 0.7
            Example: bulwark attack images --endpoint https://host/v2/models/shoes --shape 1,28,28 --images i.gz --labels l.gz --samples 50 --queries 300 --query-budget 20000
            """) { s_model, s_endpoint, s_shape, s_budget, s_images, s_labels, s_samples, s_output };
        s_settings.AddTo(command);
        s_outputs.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var options = s_settings.Read(parsed);
        var file = parsed.GetRequiredValue(s_images);
        var (shape, all) = Read(file, parsed.GetRequiredValue(s_labels));
        var count = Math.Clamp(parsed.GetValue(s_samples), 1, all.Rows);
        var (rows, labels) = (all.Features[..(count * all.Width)], all.Labels[..count]);
        using var local = parsed.GetValue(s_model) is { } model ? AttackedModel.Open(model) : null;
        if (local is null == parsed.GetValue(s_endpoint) is null)
            throw new CommandException("Name one model.", "--model DIR|FILE.onnx, or --endpoint URL");
        using var remote = parsed.GetValue(s_endpoint) is { } address
            ? new RemoteImages(new(address), Shape(parsed.GetValue(s_shape), all.Width), rows.AsSpan(0, all.Width), parsed.GetValue(s_budget), null, Environment.GetEnvironmentVariable("BULWARK_TOKEN")) : null;
        var (name, digest) = local is null ? (parsed.GetValue(s_endpoint)!, Digest.Of(System.Text.Encoding.UTF8.GetBytes(parsed.GetValue(s_endpoint)!))) : (local.Name, local.Digest);
        IQueriedModel asked = remote is null ? new ScoredImages(local!.Scorer) : remote;
        if (asked.Inputs != all.Width || labels.Max() >= asked.Classes)
            throw new CommandException($"{name} takes {asked.Inputs} pixels and knows {asked.Classes} classes; {file.Name} has {all.Width} pixels and {labels.Max() + 1} classes.");
        var target = new PointTarget(asked, local?.Network is { } network ? new DifferentiableNetwork<float>(network) : null) { Image = (shape.Channels, shape.Height, shape.Width), Suspects = local?.Suspects ?? [] };
        var commitment = Digest.Of(MemoryMarshal.AsBytes<float>(rows));
        var report = await screen.ProgressAsync($"attacking {name}", progress => Task.Run(() => AttackSuite.Run(target, rows, labels, options, null, progress, cancel), cancel));
        var answer = SuiteAnswer.Of(name, digest, file.Name, commitment, report, s_outputs.FailBelow(parsed));
        var entry = await AttackRecord.KeepAsync(parsed, "images", null, answer with { Report = report with { Rows = [] } }, [new Subject(name, digest), new Subject(file.Name, commitment)], cancel);
        return await s_outputs.WriteAsync(parsed, screen, answer with { LogEntry = entry }, parsed.GetValue(s_output), cancel);
    }

    private static (ImageShape Shape, EncodedDataset Rows) Read(FileInfo images, FileInfo labels)
    {
        try
        {
            return IdxImages.Read(images.FullName, labels.FullName);
        }
        catch (InvalidDataException fault)
        {
            throw new CommandException(fault.Message);
        }
    }

    private static int[] Shape(string? list, int width)
    {
        int[] shape = list is null ? [width] : [.. list.Split(',').Select(part => int.TryParse(part, out var size) ? size : 0)];
        return shape.Aggregate(1L, (product, size) => product * size) == width ? shape : throw new CommandException($"--shape {list} is no image of {width} values.");
    }

    /// <summary>Any scorer of images: probabilities of the classes.</summary>
    private sealed class ScoredImages(IScorer scorer) : IQueriedModel
    {
        public int Inputs => scorer.Width;

        public int Classes => int.Max(2, scorer.Classes);

        public void Score(ReadOnlySpan<float> points, int rows, Span<float> scores)
        {
            if (scorer.Classes > 1)
            {
                scorer.Score(points, rows, scores);
                return;
            }

            var positive = new float[rows];
            scorer.Score(points, rows, positive);
            for (var row = 0; row < rows; row++)
                (scores[row * 2], scores[(row * 2) + 1]) = (1 - positive[row], positive[row]);
        }
    }
}
