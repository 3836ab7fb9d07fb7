using System.CommandLine;
using System.Text;
using System.Text.Json;
using Bulwark.Cli.Report;
using Bulwark.Cryptography;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

/// <summary>Where a suite's answer goes: table or JSON on stdout, and files of HTML, SARIF and JUnit.</summary>
internal sealed class SuiteOutputs
{
    private readonly Option<FileInfo?> _html = new("--html") { Description = "Also write a report with curves.", HelpName = "FILE" };
    private readonly Option<FileInfo?> _sarif = new("--sarif") { Description = "Also write flags and the gate as SARIF 2.1.0.", HelpName = "FILE" };
    private readonly Option<FileInfo?> _junit = new("--junit") { Description = "Also write flags and the gate as JUnit XML.", HelpName = "FILE" };
    private readonly Option<double?> _failBelow = new("--fail-below") { Description = "Exit 1 when a smaller share of rows is right under every attack at the highest strength, or when a red flag is raised.", HelpName = "SHARE" };

    internal void AddTo(Command command)
    {
        foreach (var option in (Option[])[_html, _sarif, _junit, _failBelow])
            command.Options.Add(option);
    }

    internal double? FailBelow(ParseResult parsed) => parsed.GetValue(_failBelow);

    internal async Task<int> WriteAsync(ParseResult parsed, Screen screen, SuiteAnswer answer, FileInfo? json, CancellationToken cancel)
    {
        foreach (var (file, text) in ((FileInfo?, Func<string>)[])[(json, () => JsonSerializer.Serialize(answer, Screen.JsonOptions)), (parsed.GetValue(_html), () => HtmlReport.Render(SuiteHtml.Model(answer))), (parsed.GetValue(_sarif), () => SuiteFormats.Sarif(answer)), (parsed.GetValue(_junit), () => SuiteFormats.JUnit(answer))])
        {
            if (file is null)
                continue;
            file.Directory?.Create();
            var bytes = Encoding.UTF8.GetBytes(text());
            await AtomicFile.WriteAsync(file.FullName, stream => stream.WriteAsync(bytes, cancel).AsTask(), cancel);
        }

        return screen.Answer(answer, console => Draw(console, answer), answer.Gate is { Passed: false } ? ExitCode.No : ExitCode.Yes);
    }

    private static void Draw(IAnsiConsole console, SuiteAnswer answer)
    {
        var report = answer.Report;
        console.MarkupLineInterpolated($"[bold]{answer.Model}[/] on {report.Rows.Count} rows of {answer.Data}, {report.Options.Norm}; untouched {report.Clean.Rate:P1} right");
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn("distance").RightAligned());
        foreach (var heading in (string[])["right under every attack", "95 %", "attack success", .. report.Attacks])
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var point in report.Curve)
        {
            table.AddRow([
                $"{point.Strength:0.####}", $"[bold]{point.Robust.Rate:P1}[/] ({point.Robust.Count})", $"{point.Robust.Lower:P1} to {point.Robust.Upper:P1}",
                $"{point.AttackSuccess.Rate:P1}", .. report.Attacks.Select(attack => $"{point.ByAttack.GetValueOrDefault(attack)}")]);
        }

        console.Write(table);
        foreach (var point in report.Curve.Where(point => point.MeanNetGain is not null))
            console.MarkupLineInterpolated($"at {point.Strength:0.####} an attacker gains {point.MeanNetGain:0.##} a detected positive row after costs, on average");
        if (!report.WhiteBox)
            console.MarkupLine("[yellow]No gradients were available: the model was asked only, so these figures bound its robustness from above.[/]");
        if (report.RuledOut is { Ended: > 0 } ruledOut)
            console.MarkupLineInterpolated($"{ruledOut}");
        foreach (var flag in report.Flags)
            console.MarkupLineInterpolated($"[yellow]{flag.Id}[/] {flag.Finding}");
        if (answer.Gate is { } gate)
            console.MarkupLineInterpolated($"{(gate.Passed ? "passed" : "FAILED")}: {gate.Why ?? $"{gate.Robust:P1} of the rows hold, {gate.FailBelow:P1} are asked"}");
        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }
}
