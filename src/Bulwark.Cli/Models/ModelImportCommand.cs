using System.CommandLine;
using Bulwark.Models;

namespace Bulwark.Cli.Models;

internal static class ModelImportCommand
{
    private static readonly Argument<FileInfo> s_onnx = new Argument<FileInfo>("onnx") { Description = "The ONNX file, weights inside." }.AcceptExistingOnly();
    private static readonly Option<DirectoryInfo> s_output = new("--output", "-o") { Description = "The model folder to write.", Required = true, HelpName = "DIR" };
    private static readonly Option<FileInfo?> s_schema = new("--schema") { Description = "A feature schema (JSON) for a model that has none.", HelpName = "FILE" };
    private static readonly Option<string?> s_name = new("--name") { Description = "What the model is called; else the file's name." };
    private static readonly Option<string> s_version = new("--version") { Description = "Which version this is.", DefaultValueFactory = _ => "1.0.0" };

    internal static Command Create()
    {
        var command = new Command("import", """
            Takes any ONNX model with one float matrix as input: loads it, finds its score, and makes a model folder that can be attacked and sealed.

            Example: bulwark model import churn.onnx -o runs/churn --schema churn-features.json
            """) { s_onnx, s_output, s_schema, s_name, s_version };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var file = parsed.GetRequiredValue(s_onnx);
            var onnx = await File.ReadAllBytesAsync(file.FullName, cancel);
            if (parsed.GetValue(s_schema) is { } declared)
            {
                var schema = FeatureSchema.Parse(await File.ReadAllTextAsync(declared.FullName, cancel));
                onnx = OnnxModel.WithSchema(onnx, schema);
            }

            var facts = ModelFacts.Of(onnx);
            var manifest = new ModelManifest
            {
                Name = parsed.GetValue(s_name) ?? Path.GetFileNameWithoutExtension(file.Name),
                Version = parsed.GetRequiredValue(s_version),
                Created = Software.Now(),
                InsecureNotes = ["Made elsewhere: its data, privacy and robustness are not known to Bulwark."],
            };
            var folder = new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = onnx });
            var output = parsed.GetRequiredValue(s_output).FullName;
            folder.Save(output);
            return screen.Answer(new { folder = output, manifest, facts.Width, facts.Classes, facts.WhiteBox, facts.Schema }, facts.Draw);
        });
        return command;
    }
}
