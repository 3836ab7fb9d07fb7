using System.CommandLine;
using Bulwark.Cli.Report;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Draws the report of a run again from the figures that the run stored.</summary>
internal static class ReportCommand
{
    internal static Command Create()
    {
        var folder = new Argument<DirectoryInfo>("run")
        {
            Description = $"A run's folder: it holds {ReportFile.ModelName}.",
            DefaultValueFactory = _ => new DirectoryInfo("."),
        };
        var output = new Option<FileInfo>("--output", "-o") { Description = $"Where to write the report; else {ReportFile.HtmlName} in the folder.", HelpName = "FILE" };
        var command = new Command("report", "Draws report.html from a run's figures. Example: bulwark report fraud-demo") { folder, output, Frames.ReportEvidenceCommand.Create() };
        command.SetAction(parsed => Draw(new Screen(parsed), parsed.GetRequiredValue(folder), parsed.GetValue(output)));
        return command;
    }

    private static int Draw(Screen screen, DirectoryInfo folder, FileInfo? output)
    {
        var source = Path.Combine(folder.FullName, ReportFile.ModelName);
        if (!File.Exists(source))
            throw new CommandException($"{source} is not there.", "name the folder of a finished run, such as the one that `bulwark demo` prints");
        var model = ReportFile.FromJson(File.ReadAllBytes(source));
        var path = output?.FullName ?? Path.Combine(folder.FullName, ReportFile.HtmlName);
        ReportFile.Replace(path, System.Text.Encoding.UTF8.GetBytes(HtmlReport.Render(model)));
        var answer = new
        {
            report = path,
            title = model.Title,
            outcome = model.Verdict.Outcome,
            claims = new
            {
                met = model.Claims.Count(claim => claim.Verdict == ClaimVerdict.Met),
                notMet = model.Claims.Count(claim => claim.Verdict == ClaimVerdict.NotMet),
                notMeasurable = model.Claims.Count(claim => claim.Verdict == ClaimVerdict.NotMeasurable),
            },
        };
        return screen.Answer(answer, console =>
        {
            console.MarkupLineInterpolated($"{model.Verdict.Headline}");
            console.MarkupLineInterpolated($"claims: {answer.claims.met} met, {answer.claims.notMet} not met, {answer.claims.notMeasurable} not measurable");
            console.WriteLine($"report: {path}");
        });
    }
}
