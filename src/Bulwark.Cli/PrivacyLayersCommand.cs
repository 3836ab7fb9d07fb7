using System.CommandLine;
using Bulwark.Models;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary><c>privacy layers</c>: whether a network's layers could be trained privately, and why not.</summary>
internal static class PrivacyLayersCommand
{
    private static readonly Argument<FileInfo> s_model = new Argument<FileInfo>("model") { Description = "An ONNX file." }.AcceptExistingOnly();

    internal static Command Create()
    {
        var command = new Command("layers", "Whether every layer treats each row by itself, as private training needs; exit 1 names those that do not, with the reason. Example: bulwark privacy layers model.onnx") { s_model };
        command.SetAction(parsed =>
        {
            var refusals = PrivateLayers.Refusals(OnnxModel.Operators(File.ReadAllBytes(parsed.GetRequiredValue(s_model).FullName)));
            return new Screen(parsed).Answer(new { allowed = refusals.Count == 0, refusals }, console =>
            {
                console.WriteLine(refusals.Count == 0 ? "every layer treats each row by itself" : "private training is refused:");
                foreach (var refusal in refusals)
                    console.WriteLine($"  {refusal}");
            }, refusals.Count == 0 ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }
}
