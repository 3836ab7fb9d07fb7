using System.CommandLine;
using System.Security.Cryptography;
using Bulwark.Cryptography;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelHardenCommand
{
    private static readonly Argument<DirectoryInfo> s_folder = new Argument<DirectoryInfo>("model") { Description = "The model's folder, before it is sealed." }.AcceptExistingOnly();
    private static readonly Option<int?> s_decimals = new("--decimals") { Description = "Decimals that a score keeps, 0 to 6.", HelpName = "N" };
    private static readonly Option<int?> s_top = new("--top") { Description = "Classes whose scores are told, the largest.", HelpName = "N" };
    private static readonly Option<bool> s_label = new("--label-only") { Description = "Only the decision is told: 1 or 0." };
    private static readonly Option<double> s_noise = new("--noise") { Description = "Standard deviation of noise on log-odds, 0 to 10, the same for the same row; it never changes the decision.", HelpName = "SIGMA" };

    internal static Command Create()
    {
        var command = new Command("harden", """
            Says what of a model's scores leaves the worker, and writes it into the model's folder: fewer decimals, fewer classes, the decision alone, noise.
            It becomes part of the sealed package and holds for plain, signed and sealed answers. Without an option everything leaves again.

            Example: bulwark model harden runs/fraud --decimals 1 --noise 0.3
            """) { s_folder, s_decimals, s_top, s_label, s_noise };
        command.SetAction(parsed =>
        {
            var screen = new Screen(parsed);
            var folder = parsed.GetRequiredValue(s_folder).FullName;
            if (!File.Exists(Path.Combine(folder, ModelFolder.OnnxName)))
                throw new CommandException($"{folder} is no model's folder: it holds no {ModelFolder.OnnxName}.", "give the folder that training or import wrote");
            var noise = parsed.GetValue(s_noise);
            var hardening = new OutputHardening
            {
                Decimals = parsed.GetValue(s_decimals),
                TopClasses = parsed.GetValue(s_top),
                LabelOnly = parsed.GetValue(s_label),
                Noise = noise,
                NoiseKey = noise > 0 ? Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) : null,
            };
            if (hardening.Faults().ToList() is { Count: > 0 } faults)
                throw new CommandException(string.Join(" ", faults), "bulwark model harden --help");
            var file = Path.Combine(folder, OutputHardening.FileName);
            var isHardened = hardening != new OutputHardening();
            if (isHardened)
                AtomicFile.Write(file, hardening.ToBytes());
            else
                File.Delete(file);
            return screen.Answer(new { hardened = isHardened, hardening.Decimals, hardening.TopClasses, hardening.LabelOnly, hardening.Noise },
                console => console.MarkupLineInterpolated($"{(isHardened ? $"Hardened: {Path.GetFileName(file)} is written; seal the folder." : "Every score leaves as it is.")}"), ExitCode.Yes);
        });
        return command;
    }
}
