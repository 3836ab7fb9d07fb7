using System.CommandLine;
using Bulwark.Data;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DataProtectCommand
{
    internal static Command Create()
    {
        var input = DataFiles.Input("table", "CSV or Parquet.");
        var output = DataFiles.Output("Where to write: .parquet.");
        var policy = new Option<FileInfo>("--policy") { Description = "What to do with each column (data-policy/v1, JSON). Without one, what a scan advises.", HelpName = "FILE" };
        policy.AcceptExistingOnly();
        var dataset = new Option<string?>("--dataset") { Description = "The dataset's name, when there is no policy (the file's name).", HelpName = "NAME" };
        var table = new TableOptions();
        var command = new Command("protect", """
            Writes a Parquet file in which each sensitive column has a key of its own; card numbers become tokens.

            Example: bulwark data protect payments.csv --policy policy.json -o payments.protected.parquet
            """) { input, output, policy, dataset };
        table.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            using var keys = Workspace.Require(parsed).OpenKeys();
            var path = DataFiles.Writable(parsed.GetRequiredValue(output), ".parquet");
            var file = parsed.GetRequiredValue(input);
            var given = parsed.GetValue(policy) is { } named ? ProtectionPolicy.Parse(await File.ReadAllTextAsync(named.FullName, cancel)) : null;
            var data = await screen.ProgressAsync("reading", progress => TableFile.ReadAsync(file.FullName, table.Read(parsed), progress, cancel));
            var rules = given ?? await screen.ProgressAsync("scanning", progress => Task.Run(
                () => ProtectionPolicy.FromScan(SensitiveScan.Scan(data, progress: progress, cancel: cancel), parsed.GetValue(dataset) ?? DatasetName(file)), cancel));
            var report = await screen.ProgressAsync("protecting", progress => DataProtection.ProtectAsync(data, rules, keys, path, progress, cancel));
            var entry = await DataFiles.LogAsync(parsed, screen, keys, Claims.Protected(Path.GetFileName(path), report), cancel);
            return screen.Answer(new { file = path, report, policy = rules.Columns, policyFromScan = given is null, logIndex = entry }, console => Draw(console, path, report, given is null, entry));
        });
        return command;
    }

    /// <summary>A dataset's name from a file's: what comes before the first full stop, without what a name cannot hold.</summary>
    internal static string DatasetName(FileInfo file)
    {
        var name = string.Concat(file.Name.Split('.')[0].Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')).TrimStart('_', '-');
        return name.Length switch { 0 => "dataset", > 64 => name[..64], _ => name };
    }

    private static void Draw(IAnsiConsole console, string path, ProtectionReport report, bool fromScan, long? entry)
    {
        var drawn = new Spectre.Console.Table().Border(TableBorder.Simple).AddColumns("column", "protection", "key");
        foreach (var column in report.Columns)
        {
            var action = column.Action.ToString().ToLowerInvariant();
            drawn.AddRow(Markup.Escape(column.Name), column.Action == ProtectionAction.Keep ? $"[grey]{action}[/]" : $"[green]{action}[/]", Markup.Escape(column.Key?.ToString() ?? ""));
        }

        console.Write(drawn);
        console.MarkupLineInterpolated($"[green]{report.Rows:N0} rows protected[/] in {path} ({DataFiles.Size(report.Bytes)}){(fromScan ? ", as a scan advised" : "")}");
        console.MarkupLineInterpolated($"dataset     {report.Dataset}");
        console.MarkupLineInterpolated($"file        {report.File}");
        console.MarkupLineInterpolated($"log entry   {entry}");
    }
}
