using System.CommandLine;
using Bulwark.Data;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DataScanCommand
{
    internal static Command Create()
    {
        var input = DataFiles.Input("table", "CSV, Parquet or protected Parquet.");
        var rows = new Option<int>("--rows") { Description = "Rows to look at, evenly spaced.", DefaultValueFactory = _ => SensitiveScan.DefaultRows, HelpName = "N" };
        var policy = new Option<FileInfo?>("--policy-out") { Description = "Also write the policy that follows the advice.", HelpName = "FILE" };
        var table = new TableOptions();
        var command = new Command("scan", """
            Finds columns with personal or payment data by name and by content, and says why. Prints no value.

            Example: bulwark data scan payments.csv --policy-out policy.json
            """) { input, rows, policy };
        table.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            using var keys = DataFiles.Keys(parsed);
            var file = parsed.GetRequiredValue(input);
            var data = await screen.ProgressAsync("reading", progress => TableFile.ReadAsync(file.FullName, table.Read(parsed, keys), progress, cancel));
            var report = await screen.ProgressAsync("scanning", progress => Task.Run(() => SensitiveScan.Scan(data, parsed.GetValue(rows), progress, cancel), cancel));
            if (parsed.GetValue(policy) is { } target)
                await File.WriteAllTextAsync(DataFiles.Writable(target, ".json"), ProtectionPolicy.FromScan(report, DataProtectCommand.DatasetName(file)).ToJson() + "\n", cancel);
            return screen.Answer(report, console => Draw(console, report));
        });
        return command;
    }

    internal static void Draw(IAnsiConsole console, ScanReport report)
    {
        var drawn = new Spectre.Console.Table().Border(TableBorder.Simple).AddColumns("column", "seems to hold", "confidence", "advice", "why");
        foreach (var finding in report.Findings)
        {
            drawn.AddRow(
                Markup.Escape(finding.Column), Words(finding.Kind.ToString()), $"{finding.Confidence:0.00}",
                finding.Advice == ProtectionAction.Keep ? "[grey]keep[/]" : $"[yellow]{finding.Advice.ToString().ToLowerInvariant()}[/]", Markup.Escape(string.Join("; ", finding.Why)));
        }

        console.Write(drawn);
        console.MarkupLineInterpolated($"{report.Findings.Count} of the columns stand out in {report.Examined:N0} of {report.Rows:N0} rows. A scan is advice: what has no format is not found.");
    }

    private static string Words(string name) => string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
