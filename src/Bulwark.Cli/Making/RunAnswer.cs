using Spectre.Console;

namespace Bulwark.Cli.Making;

/// <summary>What a run says at its end: one table of variants, then where the report is.</summary>
internal static class RunAnswer
{
    internal static int Give(Screen screen, RunFindings run, string report)
    {
        var verdict = RunReport.Of(run).Verdict;
        var sound = verdict.Outcome == Report.ReportOutcome.Done;
        var answer = new
        {
            verdict = verdict.Headline,
            report,
            folder = run.Folder,
            workspace = run.Workspace,
            seconds = run.Seconds,
            variants = run.Variants.Select(variant => new
            {
                name = variant.Result.Name,
                accuracy = variant.Result.Report.Evaluation.Accuracy,
                auc = variant.Result.Report.Evaluation.Auc,
                prAuc = variant.Result.Report.Evaluation.PrAuc,
                epsilon = variant.Result.Report.Privacy?.Epsilon,
                delta = variant.Result.Report.Privacy?.Delta,
                trainingSeconds = variant.Result.Report.TrainingSeconds,
                evasion = run.EvasionOf(variant)?.Report.WorstCase.Select(outcome => new { outcome.Strength, outcome.RobustAccuracy, positivesEvaded = outcome.PositivesEvaded.Rate }),
            }),
            package = run.Seal?.Result.Package,
            refusals = run.Serving?.Result.Refusals,
        };
        return screen.Answer(answer, console => Draw(console, run, verdict.Headline, sound, report), sound ? ExitCode.Yes : ExitCode.No);
    }

    private static void Draw(IAnsiConsole console, RunFindings run, string headline, bool sound, string report)
    {
        var strength = run.Pipeline.Attack.Epsilon;
        var table = new Table().Border(TableBorder.Rounded).AddColumns("variant", "accuracy", "AUC", "PR-AUC", "ε", $"evaded at {strength:0.###}", "training");
        foreach (var column in table.Columns.Skip(1))
            column.RightAligned();
        foreach (var variant in run.Variants)
        {
            var report_ = variant.Result.Report;
            var evaded = run.EvasionOf(variant) is { } evasion ? RunReport.WorstAt(evasion.Report, strength) : null;
            table.AddRow(
                variant.Result.Name, RunReport.Percent(report_.Evaluation.Accuracy, 2), $"{report_.Evaluation.Auc:0.000}", $"{report_.Evaluation.PrAuc:0.000}",
                report_.Privacy is { } privacy ? $"{privacy.Epsilon:0.00}" : "—", evaded is null ? "—" : RunReport.Evaded(evaded), $"{report_.TrainingSeconds:0.0} s");
        }

        console.Write(table);
        console.MarkupLineInterpolated($"[{(sound ? "green" : "red")}]{headline}[/]");
        console.WriteLine($"report:  {report}");
        foreach (var check in RunSteps.Checks(run))
            console.Profile.Out.Writer.WriteLine($"check:   {check.Command}");   // a command must not wrap
    }
}
