using System.CommandLine;
using System.Text;
using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelFingerprintCommand
{
    private static readonly Argument<FileSystemInfo> s_model = new Argument<FileSystemInfo>("model") { Description = "Your model: a model folder or an ONNX file; binary." }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_data = new Option<FileInfo>("--data") { Description = "The data that it was trained on, or others like them.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<string> s_output = new("--output", "-o") { Description = "The fingerprint to write. Keep it secret.", Required = true, HelpName = "FILE" };
    private static readonly Option<string?> s_label = new("--label") { Description = "The column that is predicted, for a model without a schema.", HelpName = "COLUMN" };
    private static readonly Option<int> s_references = new("--references") { Description = "Reference models to train.", DefaultValueFactory = _ => 20 };
    private static readonly Option<double> s_rate = new("--false-positive-rate") { Description = "The chance of calling an independent model derived.", DefaultValueFactory = _ => 0.001 };
    private static readonly Option<int> s_measure = new("--measure") { Description = "Also make this many fine-tuned, distilled and extracted models, and five times as many independent ones, and count." };

    internal static Command Create()
    {
        var command = new Command("fingerprint", """
            Keeps what your model answers that models which others would train on the same data do not explain. A model made from yours by copying or
            fine-tuning follows it there: bulwark model identify asks it, by queries only. One that was distilled or extracted is not recognised.
            A verdict is evidence, no proof: it says how unlikely such answers are of the independent models that were tried.

            Example: bulwark model fingerprint runs/fraud --data train.csv -o fraud.fingerprint.json --measure 5
            """) { s_model, s_data, s_output, s_label, s_references, s_rate, s_measure };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        using var model = AttackedModel.Open(parsed.GetRequiredValue(s_model));
        var data = await AttackData.ReadAsync(parsed.GetRequiredValue(s_data), model, new(parsed.GetValue(s_label), [], [], Workspace.Find(parsed), InputAccess.Kept("fingerprint")), null, cancel);
        var options = new FingerprintOptions { References = parsed.GetValue(s_references), FalsePositiveRate = parsed.GetValue(s_rate) };
        var fingerprint = await screen.ProgressAsync("training reference models", progress => Task.Run(() => FingerprintMaker.Make(model.Scorer, model.Digest.ToString(), data, options, progress, cancel), cancel));
        var output = Path.GetFullPath(parsed.GetRequiredValue(s_output));
        AtomicFile.Write(output, Encoding.UTF8.GetBytes(fingerprint.ToJson()), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        IReadOnlyList<FingerprintOutcome> outcomes = parsed.GetValue(s_measure) is > 0 and var count
            ? await screen.ProgressAsync("making suspects", progress => Task.Run(() => FingerprintTrial.Run(fingerprint, model.Scorer, model.Network, data, count, progress, cancel: cancel), cancel)) : [];
        return screen.Answer(new { output, rows = fingerprint.Count, fingerprint.Threshold, fingerprint.IndependentMean, fingerprint.IndependentDeviation, fingerprint.IndependentModels, outcomes }, console => Draw(console, output, fingerprint, outcomes));
    }

    private static void Draw(IAnsiConsole console, string output, ModelFingerprint fingerprint, IReadOnlyList<FingerprintOutcome> outcomes)
    {
        console.MarkupLineInterpolated($"{output}: {fingerprint.Count} rows; {fingerprint.IndependentModels} independent models score {Math.Tanh(fingerprint.IndependentMean):F3} in the middle, derived is called what scores above {fingerprint.Threshold:F3}");
        if (outcomes.Count == 0)
            return;
        var table = new Table().Border(TableBorder.Rounded).AddColumns("suspects", "made from yours", "called derived", "scores");
        foreach (var outcome in outcomes)
            table.AddRow(Markup.Escape(outcome.Kind), outcome.Derived ? "yes" : "no", $"{outcome.Named} of {outcome.Models}", $"{outcome.LowestScore:F3} to {outcome.HighestScore:F3}");
        console.Write(table);
    }
}
