using Bulwark.Cli.Report;

namespace Bulwark.Cli.Attacks;

/// <summary>Models side by side as a page: the frontier, and every model's curve.</summary>
internal static class FrontierHtml
{
    internal static ReportModel Model(FrontierAnswer answer)
    {
        var frontier = answer.Settings.Where(one => one.OnFrontier).OrderBy(one => one.Clean).ToList();
        var low = Math.Floor(20 * answer.Settings.Min(one => Math.Min(one.Clean, one.Clean - 0.01))) / 20;
        return new()
        {
            Title = "Accuracy against robustness",
            Summary = $"{answer.Settings.Count} models or settings on {answer.Data}: accuracy untouched and under every attack at {answer.Norm} distance {answer.At:0.####}.",
            Created = DateTimeOffset.UtcNow,
            Version = typeof(FrontierHtml).Assembly.GetName().Version?.ToString(),
            Verdict = new(frontier.Count > 0 ? ReportOutcome.Done : ReportOutcome.Failed, frontier.Count > 0 ? $"On the frontier: {string.Join(", ", frontier.Select(one => one.Name))}" : "Every report raises red flags: no figure counts"),
            Figures = [.. frontier.Take(6).Select(one => new ReportFigure(one.Name, $"{one.Robust:P1}", $"under every attack; {one.Clean:P1} untouched"))],
            Warnings = [.. answer.Settings.Where(one => !one.Sound).Select(one => $"{one.Name} is left off the frontier: {string.Join(", ", one.Flags)}.")],
            Sections =
            [
                new()
                {
                    Title = "The frontier",
                    Text = "Up and to the right is better. A model below and left of another gives nothing that the other does not.",
                    Charts =
                    [
                        new LineChart
                        {
                            Title = "Untouched against attacked accuracy",
                            Caption = "Bars are 95 % Clopper-Pearson intervals over all rows of all seeds; the dotted line joins the frontier.",
                            X = new("right untouched", ChartUnit.Percent, Minimum: Math.Max(0, low), Maximum: 1),
                            Y = new("right under every attack", ChartUnit.Percent, Minimum: 0, Maximum: 1),
                            Series =
                            [
                                new("frontier", [.. frontier.Select(one => new ChartPoint(one.Clean, one.Robust))], ChartShape.Reference),
                                .. answer.Settings.Select(one => new ChartSeries(one.Name, [new(one.Clean, one.Robust, one.Lower, one.Upper)], ChartShape.Marked)),
                            ],
                        },
                        new LineChart
                        {
                            Title = "Accuracy under every attack, by distance",
                            X = new($"{answer.Norm} distance", Minimum: 0),
                            Y = new("rows that hold", ChartUnit.Percent, Minimum: 0, Maximum: 1),
                            Series = [.. answer.Settings.Select(one => new ChartSeries(one.Name, [.. one.Curve.Select(point => new ChartPoint(point.Distance, point.Robust))], ChartShape.Marked))],
                        },
                    ],
                    Tables =
                    [
                        new()
                        {
                            Title = "Every model",
                            Columns = ["model", "frontier", "untouched", "under every attack", "95 %", "worst seed", "seeds"],
                            Rows = [.. answer.Settings.Select(one => (IReadOnlyList<string>)[one.Name, one.Sound ? one.OnFrontier ? "yes" : "no" : string.Join(", ", one.Flags), $"{one.Clean:P1}", $"{one.Robust:P1}", $"{one.Lower:P1} to {one.Upper:P1}", $"{one.WorstRobust:P1}", $"{one.Seeds}"])],
                        },
                    ],
                },
            ],
        };
    }
}
