using System.CommandLine;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelImportCommand
{
    private const long MostInside = 1L << 30;

    private static readonly Argument<FileInfo> s_onnx = new Argument<FileInfo>("onnx") { Description = "The ONNX file, weights inside." }.AcceptExistingOnly();
    private static readonly Option<DirectoryInfo> s_output = new("--output", "-o") { Description = "The model folder to write.", Required = true, HelpName = "DIR" };
    private static readonly Option<FileInfo?> s_schema = new("--schema") { Description = "A feature schema (JSON) for a model that has none.", HelpName = "FILE" };
    private static readonly Option<string?> s_name = new("--name") { Description = "What the model is called; else the file's name." };
    private static readonly Option<bool> s_apart = new("--weights-apart") { Description = "Keep weights that are in other files in one file, model.onnx.data; done above 1 GiB in any case." };
    private static readonly Option<string> s_version = new("--version") { Description = "Which version this is.", DefaultValueFactory = _ => "1.0.0" };

    internal static Command Create()
    {
        var command = new Command("import", """
            Takes any ONNX model with one float matrix as input: scans it, loads it, finds its score, and makes a model folder that can be attacked and sealed.
            Weights that it keeps in other files of its folder are taken in. A safetensors file holds numbers only: name its schema, and its hidden layers
            are taken as rectified.

            Example: bulwark model import churn.onnx -o runs/churn --schema churn-features.json
            """) { s_onnx, s_output, s_schema, s_name, s_version, s_apart };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var file = parsed.GetRequiredValue(s_onnx);
            RequireClean(file);
            var schema = parsed.GetValue(s_schema) is { } declared ? FeatureSchema.Parse(await File.ReadAllTextAsync(declared.FullName, cancel)) : null;
            var bytes = await File.ReadAllBytesAsync(file.FullName, cancel);
            if (!IsSafetensors(file) && OnnxModel.WeightsOutside(bytes, file.DirectoryName!) is > 0 and var outside && (outside > MostInside || parsed.GetValue(s_apart)))
                return WriteApart(screen, parsed, file, bytes, schema);
            var onnx = Read(file, schema, bytes);
            var facts = ModelFacts.Of(onnx);
            var manifest = Manifest(parsed, file);
            var folder = new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = onnx });
            var output = parsed.GetRequiredValue(s_output).FullName;
            folder.Save(output);
            return screen.Answer(new { folder = output, manifest, facts.Width, facts.Classes, facts.WhiteBox, facts.Schema }, facts.Draw);
        });
        return command;
    }

    private static ModelManifest Manifest(ParseResult parsed, FileInfo file) => new()
    {
        Name = parsed.GetValue(s_name) ?? Path.GetFileNameWithoutExtension(file.Name),
        Version = parsed.GetRequiredValue(s_version),
        Created = Software.Now(),
        InsecureNotes = ["Made elsewhere: its data, privacy and robustness are not known to Bulwark."],
    };

    /// <summary>A folder whose weights stay in a file: of any length, never in one array.</summary>
    private static int WriteApart(Screen screen, ParseResult parsed, FileInfo file, byte[] bytes, FeatureSchema? schema)
    {
        var output = parsed.GetRequiredValue(s_output).FullName;
        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        var scratch = Path.Combine(Path.GetDirectoryName(output)!, $".weights.{Guid.NewGuid():N}.tmp");
        try
        {
            var onnx = OnnxModel.WithWeightsApart(bytes, file.DirectoryName!, scratch);
            if (schema is not null)
                onnx = OnnxModel.WithSchema(onnx, schema);
            var manifest = Manifest(parsed, file);
            new ModelFolder(manifest, new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = onnx }, scratch).Save(output);
            var weights = new FileInfo(scratch).Length;
            return screen.Answer(new { folder = output, manifest, weightBytes = weights, whiteBox = false, schema = OnnxModel.SchemaOf(onnx) }, console =>
                console.MarkupLineInterpolated($"[green]{manifest.Name}[/]: {weights} bytes of weights apart, in {ModelFolder.WeightsName}"));
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    private static bool IsSafetensors(FileInfo file) => file.Extension.Equals(".safetensors", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="CommandException">The file holds more than numbers; the message says what it would have run.</exception>
    private static void RequireClean(FileInfo file)
    {
        if (ModelScan.Scan(file.FullName).Findings.FirstOrDefault(finding => finding.Refuses) is { } finding)
            throw new CommandException($"{finding.Where} is refused ({finding.Rule}). {finding.Detail}", $"see all of it: bulwark model scan {file.Name}");
    }

    private static byte[] Read(FileInfo file, FeatureSchema? schema, byte[] bytes)
    {
        if (!IsSafetensors(file))
        {
            var onnx = OnnxModel.WithWeightsInside(bytes, file.DirectoryName!);
            return schema is null ? onnx : OnnxModel.WithSchema(onnx, schema);
        }

        return OnnxModel.Export(schema ?? throw new CommandException("A safetensors file says nothing of its features.", "give it a schema: --schema FILE"), Safetensors.ReadDense(bytes));
    }
}
