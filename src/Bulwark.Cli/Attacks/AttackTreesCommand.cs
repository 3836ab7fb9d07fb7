using System.CommandLine;
using System.Text;
using Bulwark.Assurance;
using Bulwark.Cryptography;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static class AttackTreesCommand
{
    private static readonly Option<FileInfo> s_trees = new Option<FileInfo>("--trees", "-t") { Description = "An ensemble of two classes with numeric splits: XGBoost (JSON model or dump), LightGBM (text), ONNX TreeEnsemble.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_data = new Option<FileInfo>("--data", "-d") { Description = "Labelled rows that it was not trained on; the features in the ensemble's order.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo?> s_schema = new("--schema") { Description = "The features' bounds (JSON), which scale distances; else inferred from the data.", HelpName = "FILE" };
    private static readonly Option<string> s_label = new("--label") { Description = "The label's column.", Required = true };
    private static readonly Option<string[]> s_positive = new("--positive") { Description = "The label's values that count as positive; default 1.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string[]> s_drop = new("--drop") { Description = "Columns that are no features.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<PerturbationNorm> s_norm = new("--norm") { Description = "How distance is measured on scaled values: linf, l2 or l1.", DefaultValueFactory = _ => PerturbationNorm.Linf };
    private static readonly Option<double> s_within = new("--within") { Description = "The distance that rows should resist.", DefaultValueFactory = _ => 0.1 };
    private static readonly Option<int> s_samples = new("--samples") { Description = "Rows looked at, the first ones.", DefaultValueFactory = _ => 500 };
    private static readonly Option<int> s_effort = new("--effort") { Description = "Boxes that the proof of one row may look at.", DefaultValueFactory = _ => 20_000 };
    private static readonly Option<double?> s_failBelow = new("--fail-below") { Description = "Exit 1 when a smaller share of rows is right and proven to resist.", HelpName = "SHARE" };
    private static readonly Option<FileInfo?> s_output = new("--output", "-o") { Description = "Also write the report as JSON to this file.", HelpName = "FILE" };

    internal static Command Create()
    {
        var command = new Command("trees", """
            How far rows are from being decided otherwise by an ensemble of trees: proven from below by branch and bound, from above by the
            leaf-tuple attack. What lies between is not known.

            Example: bulwark attack trees -t model.json -d test.csv --label fraud --within 0.1 --fail-below 0.25
            """) { s_trees, s_data, s_schema, s_label, s_positive, s_drop, s_norm, s_within, s_samples, s_effort, s_failBelow, s_output };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var file = parsed.GetRequiredValue(s_trees);
        var bytes = await File.ReadAllBytesAsync(file.FullName, cancel);
        var ensemble = file.Extension.Equals(".onnx", StringComparison.OrdinalIgnoreCase) ? OnnxTrees.Read(bytes) : TreeFile.Read(Encoding.UTF8.GetString(bytes));
        var schema = parsed.GetValue(s_schema) is { } declared ? FeatureSchema.Parse(await File.ReadAllTextAsync(declared.FullName, cancel)) : null;
        string[] positive = parsed.GetValue(s_positive) is { Length: > 0 } named ? named : ["1"];
        var data = await DatasetFile.ReadAsync(parsed.GetRequiredValue(s_data).FullName, new(), new SchemaOptions { Label = parsed.GetRequiredValue(s_label), Positive = positive, Drop = parsed.GetValue(s_drop) ?? [] }, schema, cancel: cancel);
        if (data.Width < ensemble.Features)
            throw new CommandException($"{file.Name} asks about {ensemble.Features} features; the data have {data.Width}.", schema is null
                ? "a column with one value only is taken for no feature unless a schema declares it: --schema FILE"
                : "declare every feature of the ensemble, in its order");
        var report = await screen.ProgressAsync($"attacking {file.Name}", progress => Task.Run(() => TreeReport.Measure(
            ensemble, data, parsed.GetValue(s_norm), parsed.GetValue(s_within), parsed.GetValue(s_samples), parsed.GetValue(s_effort), progress, cancel), cancel));
        bool? passed = parsed.GetValue(s_failBelow) is { } least ? report.Proven.Rate >= least : null;
        var answer = new { trees = file.Name, digest = Digest.Of(bytes), data = parsed.GetRequiredValue(s_data).Name, report, passed };
        await AttackRecord.KeepAsync(parsed, "trees", parsed.GetValue(s_output), answer, [new Subject(file.Name, Digest.Of(bytes))], cancel);
        return screen.Answer(answer, console => Draw(console, file.Name, report, passed), passed is false ? ExitCode.No : ExitCode.Yes);
    }

    private static void Draw(IAnsiConsole console, string name, TreeReport report, bool? passed)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn(name).AddColumn(new TableColumn("rows").RightAligned()).AddColumn(new TableColumn("share").RightAligned()).AddColumn(new TableColumn("95 %").RightAligned());
        foreach (var (what, share) in ((string, RowShare)[])[("right untouched", report.Clean), ($"right, proven to resist {report.Norm} {report.Within}", report.Proven), ("right, not broken by the attack", report.Unbroken)])
            table.AddRow(Markup.Escape(what), $"{share.Count} of {share.Of}", $"{share.Rate:P1}", $"{share.Lower:P1} to {share.Upper:P1}");
        console.Write(table);
        if (passed is { } verdict)
            console.MarkupLineInterpolated($"{(verdict ? "passed" : "FAILED")}: {report.Proven.Rate:P1} proven");
    }
}
