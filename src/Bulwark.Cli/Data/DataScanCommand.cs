using System.CommandLine;
using Bulwark.Data;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DataScanCommand
{
    private static readonly Argument<FileInfo> s_input = DataFiles.Optional("table", "CSV, Parquet or protected Parquet.");
    private static readonly InputAccessOptions s_access = new("scan", withPurpose: false);
    private static readonly Option<int> s_rows = new("--rows") { Description = "Rows to look at, evenly spaced over the whole table.", DefaultValueFactory = _ => SensitiveScan.DefaultRows, HelpName = "N" };
    private static readonly Option<FileInfo?> s_policy = new("--policy-out") { Description = "Also write the policy that follows the advice.", HelpName = "FILE" };
    private static readonly Option<bool> s_trial = new("--self-test") { Description = "Scan drawn data of which it is known what it holds, and print what was found, missed and wrongly reported." };
    private static readonly TableOptions s_table = new();

    internal static Command Create()
    {
        var command = new Command("scan", """
            Finds columns with personal or payment data by name and by content, and says why. Prints no value.

            Example: bulwark data scan payments.csv --policy-out policy.json
                     bulwark data scan --self-test
            """) { s_input, s_rows, s_policy, s_trial };
        s_table.AddTo(command);
        s_access.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        if (parsed.GetValue(s_trial))
        {
            var kinds = await screen.ProgressAsync("trial", progress => Task.Run(() => ScanTrial.Run(progress: progress, cancel: cancel), cancel));
            return screen.Answer(new { seed = 1, kinds }, console => Draw(console, kinds));
        }

        if (parsed.GetValue(s_input) is not { } file)
            throw new CommandException("Name the table to scan, or ask for --self-test.", "bulwark data scan --help");
        using var input = await ProtectedInput.OpenAsync(Workspace.Find(parsed), s_access.Read(parsed), [file.FullName], cancel);
        var report = await screen.ProgressAsync("scanning", progress => Task.Run(() =>
        {
            using var source = TableSource.Open(file.FullName, s_table.Read(parsed, input), cancel);
            return SensitiveScan.Scan(source, parsed.GetValue(s_rows), progress, cancel);
        }, cancel));
        if (parsed.GetValue(s_policy) is { } target)
            await File.WriteAllTextAsync(DataFiles.Writable(target, ".json"), ProtectionPolicy.FromScan(report, DataProtectCommand.DatasetName(file)).ToJson() + "\n", cancel);
        return screen.Answer(report, console => Draw(console, report));
    }

    private static void Draw(IAnsiConsole console, ScanReport report)
    {
        var drawn = new Spectre.Console.Table().Border(TableBorder.Rounded).AddColumns("column", "seems to hold", "confidence", "advice", "why");
        foreach (var finding in report.Findings)
        {
            drawn.AddRow(
                Markup.Escape(finding.Column), Words(finding.Kind.ToString()), $"{finding.Confidence:0.00}",
                finding.Advice == ProtectionAction.Keep ? "[grey]keep[/]" : $"[yellow]{finding.Advice.ToString().ToLowerInvariant()}[/]", Markup.Escape(string.Join("; ", finding.Why)));
        }

        console.Write(drawn);
        var looked = report.Examined == report.Rows ? $"all {report.Rows:N0} rows" : $"{report.Examined:N0} of {report.Rows:N0} rows, evenly spaced";
        console.MarkupLineInterpolated($"{report.Findings.Count} of the columns stand out in {looked}. A scan is advice: what has no format is not found.");
    }

    private static void Draw(IAnsiConsole console, IReadOnlyList<ScanTrialKind> kinds)
    {
        var drawn = new Spectre.Console.Table().Border(TableBorder.Rounded).AddColumns("kind", "columns found", "other columns taken for it", "values masked in texts", "masked in clean texts");
        foreach (var kind in kinds)
        {
            var mistaken = kind.Mistaken.Count == 0 ? "" : $" ({string.Join(", ", kind.Mistaken)})";
            drawn.AddRow(
                Words(kind.Kind.ToString()), $"{kind.Found} of {kind.Columns}", Markup.Escape($"{kind.FalseColumns} of {kind.OtherColumns}{mistaken}"),
                kind.Texts == 0 ? "" : $"{kind.Masked} of {kind.Texts}", $"{kind.FalseMasks} in {kind.CleanTexts}");
        }

        console.Write(drawn);
        console.MarkupLine("Drawn data, neutral column names, a tenth of the cells missing and a twentieth of another kind. Real columns are stranger.");
    }

    internal static string Words(string name) => string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
