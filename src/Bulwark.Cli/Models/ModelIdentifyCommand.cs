using System.CommandLine;
using System.Globalization;
using System.Text;
using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelIdentifyCommand
{
    private static readonly Argument<FileSystemInfo?> s_suspect = new("suspect") { Description = "The suspect as a model folder or an ONNX file; leave out to ask a remote one by --queries and --answers.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<FileInfo> s_fingerprint = new Option<FileInfo>("--fingerprint") { Description = "What bulwark model fingerprint wrote.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<string?> s_queries = new("--queries") { Description = "Writes the rows to ask as CSV, one a line, and ends.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> s_answers = new("--answers") { Description = "The suspect's probability for each of those rows, one a line.", HelpName = "FILE" };

    internal static Command Create()
    {
        var command = new Command("identify", """
            Asks a suspect model the rows of a fingerprint and says whether it was made from the fingerprinted one. Exit code 1 when it was not recognised,
            which is no proof that it was not.

            Example: bulwark model identify downloads/rival.onnx --fingerprint fraud.fingerprint.json
            """) { s_suspect, s_fingerprint, s_queries, s_answers };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var fingerprint = ModelFingerprint.Parse(await File.ReadAllTextAsync(parsed.GetRequiredValue(s_fingerprint).FullName, cancel));
            if (parsed.GetValue(s_queries) is { } queries)
                return Write(screen, fingerprint, Path.GetFullPath(queries));
            var verdict = await JudgeAsync(parsed, fingerprint, cancel);
            return screen.Answer(
                new { verdict.Derived, verdict.Score, verdict.Threshold, verdict.Deviations, fingerprint.FalsePositiveRate, fingerprint.IndependentModels },
                console => console.MarkupLineInterpolated($"{(verdict.Derived ? "DERIVED: it follows" : "not recognised: it does not follow")} the fingerprinted model; score {verdict.Score:F3}, threshold {verdict.Threshold:F3}, {verdict.Deviations:F1} standard deviations above the mean of {fingerprint.IndependentModels} independent models"),
                verdict.Derived ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static async Task<OwnershipVerdict> JudgeAsync(ParseResult parsed, ModelFingerprint fingerprint, CancellationToken cancel)
    {
        if (parsed.GetValue(s_answers) is { } answers)
        {
            var lines = (await File.ReadAllLinesAsync(answers.FullName, cancel)).Where(line => line.Length > 0);
            return fingerprint.Identify([.. lines.Select((line, index) => float.TryParse(line, CultureInfo.InvariantCulture, out var value) ? value
                : throw new CommandException($"Line {index + 1} of {answers.Name} is no number.", "write one probability a line, in the order of --queries"))]);
        }

        var suspect = parsed.GetValue(s_suspect) ?? throw new CommandException("Nothing to identify.", "name a model, or --answers FILE with a remote one's answers");
        if (!File.Exists(suspect.FullName) && !Directory.Exists(suspect.FullName))
            throw new CommandException($"There is no model {suspect.FullName}.");
        using var model = AttackedModel.Open(suspect);
        return fingerprint.Identify(model.Scorer);
    }

    private static int Write(Screen screen, ModelFingerprint fingerprint, string path)
    {
        var text = new StringBuilder();
        for (var row = 0; row < fingerprint.Count; row++)
            text.AppendJoin(',', fingerprint.Rows.Skip(row * fingerprint.Width).Take(fingerprint.Width).Select(value => float.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture))).Append('\n');
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(text.ToString()));
        return screen.Answer(new { queries = path, rows = fingerprint.Count }, console => console.MarkupLineInterpolated($"{fingerprint.Count} rows written to {path}; send each to the suspect, and its answers to --answers"));
    }
}
