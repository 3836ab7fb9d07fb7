using Bulwark.Cli.Report;

namespace Bulwark.Cli.Attacks;

/// <summary>A suite's answer as a page with curves.</summary>
internal static class SuiteHtml
{
    internal static ReportModel Model(SuiteAnswer answer)
    {
        var report = answer.Report;
        var last = report.Curve.MaxBy(point => point.Strength)!;
        return new()
        {
            Title = $"Attacks on {answer.Model}",
            Summary = $"{report.Rows.Count} rows of {answer.Data}; the worst of {string.Join(", ", report.Attacks)} for each row.",
            Created = DateTimeOffset.UtcNow,
            Version = typeof(SuiteHtml).Assembly.GetName().Version?.ToString(),
            Verdict = answer.Gate is { } gate
                ? new(gate.Passed ? ReportOutcome.Done : ReportOutcome.Failed, gate.Passed ? $"{gate.Robust:P1} of the rows hold" : $"Not passed: {gate.Why}")
                : new(report.Flags.Count > 0 ? ReportOutcome.Failed : ReportOutcome.Done, report.Flags.Count > 0 ? "The evaluation raises red flags: its figures prove nothing" : $"{last.Robust.Rate:P1} of the rows hold at {last.Strength:0.####}"),
            Figures =
            [
                new("untouched", $"{report.Clean.Rate:P1}", $"{report.Clean.Count} of {report.Clean.Of}"),
                new("under every attack", $"{last.Robust.Rate:P1}", $"{last.Robust.Lower:P1} to {last.Robust.Upper:P1} at {last.Strength:0.####}"),
                new("attack success", $"{last.AttackSuccess.Rate:P1}", "of rows right untouched"),
                .. (ReportFigure[])(report.RuledOut is { Ended: > 0 } ruledOut ? [new("climbs ended early", $"{ruledOut.Ended}", $"{ruledOut.OnRowsThatHeld} on rows that held, {ruledOut.ClimbedAgain} climbed again, {ruledOut.Fell} fell")] : []),
            ],
            Warnings = [.. report.Flags.Select(flag => $"{flag.Id}: {flag.Finding}"), .. (string[])(report.WhiteBox ? [] : ["No gradients were available: these figures bound robustness from above."])],
            Sections =
            [
                new()
                {
                    Title = "Rows that hold",
                    Charts =
                    [
                        new LineChart
                        {
                            Title = "Share of rows that are right under every attack, by distance",
                            Caption = "Bands are 95 % Clopper-Pearson intervals.",
                            X = new($"{report.Options.Norm} distance", Minimum: 0),
                            Y = new("rows that hold", ChartUnit.Percent, Minimum: 0, Maximum: 1),
                            Series = [new("worst case", [new(0, report.Clean.Rate, report.Clean.Lower, report.Clean.Upper), .. report.Curve.OrderBy(point => point.Strength).Select(point => new ChartPoint(point.Strength, point.Robust.Rate, point.Robust.Lower, point.Robust.Upper))])],
                            Levels = answer.Gate is { } asked ? [new(asked.FailBelow, "asked")] : [],
                        },
                    ],
                    Tables =
                    [
                        new()
                        {
                            Title = "First attack to break a row",
                            Columns = ["distance", "right", .. report.Attacks],
                            Rows = [.. report.Curve.Select(point => (IReadOnlyList<string>)[$"{point.Strength:0.####}", $"{point.Robust.Count} of {point.Robust.Of}", .. report.Attacks.Select(attack => $"{point.ByAttack.GetValueOrDefault(attack)}")])],
                        },
                    ],
                },
            ],
        };
    }
}
