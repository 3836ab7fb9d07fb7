using System.CommandLine;
using Bulwark.Cryptography;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelObfuscateCommand
{
    private const int Rows = 4096;
    private const double LargestDifference = 1e-5;
    private static readonly Argument<FileSystemInfo> s_model = new Argument<FileSystemInfo>("model") { Description = "A model folder or an ONNX file." }.AcceptExistingOnly();
    private static readonly Option<string> s_output = new("--output", "-o") { Description = "The folder or file to write.", Required = true, HelpName = "PATH" };

    internal static Command Create()
    {
        var command = new Command("obfuscate", """
            Takes out of a model what its scores do not need: names, descriptions, metadata, the order and scale of hidden units. Old and new are compared
            on 4,096 made-up rows; where they differ by more than 1e-5 nothing is written.
            It slows a reader down and is no control: whoever has the weights has the model. Seal it: bulwark model seal.

            Example: bulwark model obfuscate runs/fraud -o runs/fraud-nameless
            """) { s_model, s_output };
        command.SetAction(parsed =>
        {
            var screen = new Screen(parsed);
            var path = parsed.GetRequiredValue(s_model).FullName;
            var folder = Directory.Exists(path) ? ModelFolder.Load(path) : null;
            var onnx = folder?.Onnx.ToArray() ?? File.ReadAllBytes(path);
            var made = ModelObfuscation.Obfuscate(onnx);
            var difference = Compare(onnx, made.Onnx);
            if (!(difference <= LargestDifference))
                throw new CommandException($"Old and new model differ by {difference:g3}, more than {LargestDifference:g3}; nothing was written.", "this model's sums depend on their order; leave it as it is");
            var output = Path.GetFullPath(parsed.GetRequiredValue(s_output));
            Write(output, folder, made);
            return screen.Answer(
                new { output, made.Renamed, made.Removed, made.Folded, made.MovedUnits, rows = Rows, largestDifference = difference, control = false },
                console => console.MarkupLineInterpolated($"{made.Renamed} names replaced, {made.Removed} descriptions removed, {made.Folded} constants folded, {made.MovedUnits} hidden units moved; the scores of {Rows} rows differ by at most {difference:g2}"));
        });
        return command;
    }

    private static double Compare(byte[] old, byte[] made)
    {
        using var one = OnnxModel.OpenScorer(old);
        using var other = OnnxModel.OpenScorer(made);
        return ModelEquality.LargestDifference(one, other, ModelEquality.MadeUpRows(one.Width, OnnxModel.SchemaOf(old), Rows), Rows);
    }

    /// <summary>A folder keeps its manifest with a note; its screen names features, so it is left out and made anew from data.</summary>
    private static void Write(string output, ModelFolder? folder, ObfuscatedModel made)
    {
        if (folder is null)
        {
            AtomicFile.Write(output, made.Onnx);
            return;
        }

        var files = folder.Files.Where(file => file.Key is not (ModelFolder.OnnxName or ModelFolder.ScreenName)).ToDictionary();
        files[ModelFolder.OnnxName] = made.Onnx;
        new ModelFolder(folder.Manifest with { Files = [], InsecureNotes = [.. folder.Manifest.InsecureNotes, "Obfuscated: its input screen was left out, and names are not those of the data."] }, files).Save(output);
    }
}
