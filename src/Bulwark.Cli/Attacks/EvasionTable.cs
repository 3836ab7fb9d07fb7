using Spectre.Console;

namespace Bulwark.Cli.Attacks;

/// <summary>Draws an evasion report: attack success by strength, before and after where there is a baseline.</summary>
internal static class EvasionTable
{
    internal static void Draw(IAnsiConsole console, EvasionAnswer answer)
    {
        var report = answer.Model.Report;
        console.MarkupLineInterpolated($"[bold]{answer.Model.Model}[/] on {report.Rows} rows ({report.Positives} positive) of {answer.Data}; the attacker may change {string.Join(", ", report.MutableFeatures)}");
        var table = new Table().Border(TableBorder.Rounded).AddColumn("attack").AddColumn(new TableColumn("strength").RightAligned());
        foreach (var side in Sides(answer))
            table.AddColumn(side.Heading("positives evaded")).AddColumn(side.Heading("95 %")).AddColumn(side.Heading("negatives raised")).AddColumn(side.Heading("accuracy left"));
        foreach (var (attack, strength) in report.Outcomes.Concat(report.WorstCase).Select(outcome => (outcome.Attack, outcome.Strength)).Where(key => key.Strength > 0))
            table.AddRow([.. Cells(answer, attack, strength)]);
        console.Write(table);
        foreach (var side in Sides(answer))
            DrawClean(console, side);
        if (!report.WhiteBox)
            console.MarkupLine("[yellow]No network could be read from the model: it was attacked by queries only, so these figures bound its robustness from above.[/]");
        foreach (var side in Sides(answer))
        {
            foreach (var flag in side.Side.Report.Flags)
                console.MarkupLineInterpolated($"[yellow]{flag.Id}[/] {side.Side.Model}: {flag.Finding}");
        }

        if (answer.Gate is { } gate)
            console.MarkupLineInterpolated($"{(gate.Passed ? "passed" : "FAILED")}: worst case {gate.Success:P1} at strength {gate.Strength}, allowed {gate.FailAbove:P1}");
        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }

    private static void DrawClean(IAnsiConsole console, (string Prefix, EvasionSide Side) side)
    {
        var report = side.Side.Report;
        console.MarkupLineInterpolated($"{side.Prefix}untouched: accuracy {report.CleanAccuracy:P1}, recall {report.CleanRecall.Rate:P1} ({report.CleanRecall.Count} of {report.CleanRecall.Of}), false positives {report.CleanFalsePositives.Rate:P2}");
    }

    private static IEnumerable<string> Cells(EvasionAnswer answer, string attack, double strength)
    {
        var worst = attack == "worst case";
        yield return worst ? "[bold]worst case[/]" : attack;
        yield return $"{strength:0.###}";
        foreach (var (_, side) in Sides(answer))
        {
            if (side.Report.Outcomes.Concat(side.Report.WorstCase).FirstOrDefault(candidate => candidate.Attack == attack && candidate.Strength == strength) is not { } outcome)
            {
                foreach (var _ in Enumerable.Range(0, 4))
                    yield return "-";
                continue;
            }

            var evaded = outcome.PositivesEvaded;
            yield return worst ? $"[bold]{evaded.Rate:P1}[/]" : $"{evaded.Rate:P1}";
            yield return $"{evaded.Lower:P1} to {evaded.Upper:P1}";
            yield return $"{outcome.NegativesRaised.Rate:P1}";
            yield return $"{outcome.RobustAccuracy:P1}";
        }
    }

    private static IEnumerable<(string Prefix, EvasionSide Side)> Sides(EvasionAnswer answer) => answer.Baseline is { } before
        ? [("before: ", before), ("after: ", answer.Model)]
        : [("", answer.Model)];

    private static TableColumn Heading(this (string Prefix, EvasionSide Side) side, string text) => new TableColumn(side.Prefix + text).RightAligned();
}
