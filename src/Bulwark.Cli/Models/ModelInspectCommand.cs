using System.CommandLine;
using Bulwark.Models;

namespace Bulwark.Cli.Models;

internal static class ModelInspectCommand
{
    private static readonly Argument<FileSystemInfo> s_model = new Argument<FileSystemInfo>("model") { Description = "A sealed model, a model folder or an ONNX file." }.AcceptExistingOnly();
    private static readonly Option<string[]> s_keys = ModelTrust.Option();

    internal static Command Create()
    {
        var command = new Command("inspect", """
            Shows what a model says of itself: a package's signed manifest and its verdict, a folder's manifest and features, an ONNX file's features.

            Example: bulwark model inspect fraud.bulwark --json
            """) { s_model, s_keys };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var path = parsed.GetRequiredValue(s_model).FullName;
            if (Directory.Exists(path))
                return ShowFolder(screen, ModelFolder.Load(path));
            if (!await IsPackageAsync(path, cancel))
                return ShowOnnx(screen, await File.ReadAllBytesAsync(path, cancel));
            await using var package = File.OpenRead(path);
            return ModelVerifyCommand.Answer(screen, await SealedModel.VerifyAsync(package, ModelTrust.Keys(parsed, s_keys, screen), cancel));
        });
        return command;
    }

    private static int ShowFolder(Screen screen, ModelFolder folder)
    {
        var schema = folder.Schema();
        var inputs = folder.Text(ModelFolder.ScreenName) is null ? null : RelationTable.Read(folder.Files[ModelFolder.ScreenName].Span);
        return screen.Answer(new { folder.Manifest, schema, screen = inputs is null ? null : RelationTable.Facts(inputs), files = folder.Files.ToDictionary(file => file.Key, file => file.Value.Length) }, console =>
        {
            ModelTable.Draw(console, folder.Manifest);
            if (schema is not null)
                ModelTable.Draw(console, schema);
            if (inputs is not null)
                RelationTable.Draw(console, inputs);
        });
    }

    private static int ShowOnnx(Screen screen, byte[] onnx)
    {
        var facts = ModelFacts.Of(onnx);
        return screen.Answer(facts, facts.Draw);
    }

    private static async Task<bool> IsPackageAsync(string path, CancellationToken cancel)
    {
        await using var stream = File.OpenRead(path);
        var head = new byte[8];
        var read = await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel);
        return SealedModel.IsMatch(head.AsSpan(0, read));
    }
}
