using System.CommandLine;
using System.Text.RegularExpressions;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary><c>train images</c>: images in, a model folder out.</summary>
internal static partial class TrainImagesCommand
{
    private static readonly Argument<FileInfo> s_images = new Argument<FileInfo>("images") { Description = "Training images: IDX, gzipped or not, as MNIST and Fashion-MNIST come." }.AcceptExistingOnly();
    private static readonly Argument<FileInfo> s_labels = new Argument<FileInfo>("labels") { Description = "Their labels: IDX." }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_testImages = new Option<FileInfo>("--test-images") { Description = "Images that only measure.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_testLabels = new Option<FileInfo>("--test-labels") { Description = "Their labels.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<string> s_convolutions = new("--convolutions") { Description = "Rectified convolutions in front of the hidden layers: channels, then k and the window's side, s and the step, p and the zeros around.", HelpName = "16k4s2p1,32k4s2p1", DefaultValueFactory = _ => "16k4s2p1,32k4s2p1" };
    private static readonly Option<string> s_hidden = new("--hidden") { Description = "Widths of the dense hidden layers.", HelpName = "100", DefaultValueFactory = _ => "100" };
    private static readonly Option<int?> s_epochs = new("--epochs") { Description = "Passes over the images; 15 when absent." };
    private static readonly Option<int> s_batch = new("--batch-size") { Description = "Images of a step.", DefaultValueFactory = _ => 128 };
    private static readonly Option<double?> s_rate = new("--learning-rate") { Description = "Largest learning rate; chosen when absent." };
    private static readonly Option<double> s_average = new("--weight-average") { Description = "Keep a moving average of the weights: what the past counts from step to step, for example 0.999.", HelpName = "SHARE", DefaultValueFactory = _ => 0 };
    private static readonly Option<ulong> s_seed = new("--seed") { Description = "Names the random draws.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> s_attacked = new("--attacked") { Description = "Test images that APGD and targeted APGD attack after a robust run; 0 for none.", DefaultValueFactory = _ => 500 };
    private static readonly RobustFlags s_robust = new();
    private static readonly Option<string?> s_name = new("--name") { Description = "The model's name; the output folder's when absent." };
    private static readonly Option<DirectoryInfo> s_output = new("--output", "-o") { Description = "The model folder to write.", Required = true, HelpName = "DIR" };

    internal static Command Create()
    {
        var command = new Command("images", """
            Trains a convolutional network on grey images, robustly or not, and writes it as a folder: ONNX that takes flat images, report.

            Example: bulwark train images train-images.gz train-labels.gz --test-images t10k-images.gz --test-labels t10k-labels.gz --robust --attack-eps 0.1 --steps 2 --clean-weight 0 -o model
            """) { s_images, s_labels, s_testImages, s_testLabels, s_convolutions, s_hidden, s_epochs, s_batch, s_rate, s_average, s_seed, s_attacked, s_name, s_output };
        s_robust.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        new UnreadOptions(parsed).Unless(s_robust.IsSet(parsed), "--robust", [.. s_robust.Details, s_attacked]).Refuse();
        var screen = new Screen(parsed);
        var output = parsed.GetRequiredValue(s_output);
        var (shape, train) = Read(parsed.GetRequiredValue(s_images), parsed.GetRequiredValue(s_labels));
        var (testShape, test) = Read(parsed.GetRequiredValue(s_testImages), parsed.GetRequiredValue(s_testLabels));
        if (shape != testShape)
            throw new CommandException($"Training images are {shape}, test images {testShape}.");
        var classes = Math.Max(2, train.Labels.Max() + 1);
        if (test.Labels.Max() >= classes)
            throw new CommandException($"A test label is {test.Labels.Max()}; the training labels name classes 0 to {classes - 1}.");
        var options = new TrainingOptions
        {
            Convolutions = new(shape, [.. Split(parsed.GetValue(s_convolutions)).Select(Layer)]),
            Hidden = [.. Split(parsed.GetValue(s_hidden)).Select(word => int.TryParse(word, out var width) ? width : throw new CommandException($"--hidden: '{word}' is no number.", "--hidden 100"))],
            Classes = classes,
            Epochs = parsed.GetValue(s_epochs) ?? 15,
            BatchSize = parsed.GetValue(s_batch),
            LearningRate = parsed.GetValue(s_rate),
            Seed = parsed.GetValue(s_seed),
            WeightAverage = parsed.GetValue(s_average),
            Robust = s_robust.ReadForImages(parsed),
        };
        var request = new ImageRun.Request(parsed.GetValue(s_name) ?? output.Name, train, test, options, parsed.GetValue(s_attacked), output);
        var workspace = Workspace.Find(parsed);
        if (workspace is null)
            screen.Note(TrainCommand.NotLogged);
        var report = await screen.ProgressAsync($"training {request.Name}", progress => ImageRun.RunAsync(request, workspace, progress, cancel));
        return screen.Answer(report, console => ImageRun.Draw(console, report, output));
    }

    private static (ImageShape Shape, EncodedDataset Rows) Read(FileInfo images, FileInfo labels)
    {
        try
        {
            return IdxImages.Read(images.FullName, labels.FullName);
        }
        catch (InvalidDataException fault)
        {
            throw new CommandException(fault.Message, "IDX files of bytes: images with three dimensions, labels with one");
        }
    }

    private static Convolution Layer(string word)
    {
        var match = Pattern().Match(word);
        if (!match.Success)
            throw new CommandException($"--convolutions: '{word}' is no layer.", "for example 16k4s2p1: 16 channels, windows of 4 × 4, step 2, one line of zeros around");
        int Part(int group, int otherwise) => match.Groups[group].Success ? int.Parse(match.Groups[group].ValueSpan) : otherwise;
        return new(Part(1, 0), Part(2, 0), Part(3, 1), Part(4, 0));
    }

    private static string[] Split(string? list) => (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    [GeneratedRegex(@"^([0-9]{1,4})k([0-9]{1,3})(?:s([0-9]{1,3}))?(?:p([0-9]{1,3}))?$")]
    private static partial Regex Pattern();
}
