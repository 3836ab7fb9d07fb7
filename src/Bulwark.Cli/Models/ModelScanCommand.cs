using System.CommandLine;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Models;

internal static class ModelScanCommand
{
    private static readonly Argument<FileSystemInfo> s_model = new Argument<FileSystemInfo>("model") { Description = "A model file, or a folder with everything under it." }.AcceptExistingOnly();

    internal static Command Create()
    {
        var command = new Command("scan", """
            Says what a model holds besides numbers, without loading it: pickles and what they would run, code, operators that need a library,
            paths and links that lead out of the folder. Exit code 1 when such a model is not to be loaded.

            Example: bulwark model scan downloads/churn-model
            """) { s_model };
        command.SetAction(parsed =>
        {
            var screen = new Screen(parsed);
            var report = ModelScan.Scan(parsed.GetRequiredValue(s_model).FullName);
            return screen.Answer(new { clean = report.IsClean, report.Files, report.Findings }, console => Draw(console, report), report.IsClean ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    private static void Draw(IAnsiConsole console, ModelScanReport report)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("", "rule", "where", "what");
        foreach (var finding in report.Findings)
            table.AddRow(finding.Refuses ? "[red]refused[/]" : "[yellow]note[/]", finding.Rule, Markup.Escape(finding.Where), Markup.Escape(finding.Detail));
        if (report.Findings.Count > 0)
            console.Write(table);
        var kinds = report.Files.CountBy(file => file.Kind).OrderBy(kind => kind.Key).Select(kind => $"{kind.Value} {kind.Key.ToString().ToLowerInvariant()}");
        console.MarkupLineInterpolated($"{(report.IsClean ? "clean" : "NOT to be loaded")}: {report.Files.Count} files ({string.Join(", ", kinds)})");
    }
}
