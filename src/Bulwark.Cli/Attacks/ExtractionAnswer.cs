using Bulwark.Assurance;
using Bulwark.Cli.Report;
using Bulwark.Cryptography;

namespace Bulwark.Cli.Attacks;

/// <summary>What <c>attack extraction</c> answers.</summary>
internal sealed record ExtractionAnswer(string Model, Digest Digest, string Data, ExtractionReport Report, RowShare Best, double? FailAbove, bool? Passed, long? LogEntry = null)
{
    internal static ExtractionAnswer Of(string model, Digest digest, string data, ExtractionReport report, double? failAbove)
    {
        var best = report.Curves.SelectMany(curve => curve.Points).MaxBy(point => point.Fidelity.Lower)!.Fidelity;
        return new(model, digest, data, report, best, failAbove, failAbove is { } most ? best.Lower <= most : null);
    }

    internal static string Name(ExtractionStrategy strategy) => strategy switch
    {
        ExtractionStrategy.InDistribution => "rows like its own",
        ExtractionStrategy.Knockoff => "mixed rows, adaptive",
        ExtractionStrategy.Jacobian => "Jacobian-augmented",
        _ => "random points",
    };
}

/// <summary>The same as a page with curves.</summary>
internal static class ExtractionHtml
{
    internal static ReportModel Model(ExtractionAnswer answer)
    {
        var report = answer.Report;
        var best = report.Curves.MaxBy(curve => curve.Points[^1].Fidelity.Rate)!;
        return new()
        {
            Title = $"Copies of {answer.Model}",
            Summary = $"Copies trained on the model's answers to {report.Options.Queries[0]} to {report.Options.Queries[^1]} questions, judged on {report.Rows} rows of {answer.Data}.",
            Created = DateTimeOffset.UtcNow,
            Version = typeof(ExtractionHtml).Assembly.GetName().Version?.ToString(),
            Verdict = answer.Passed is { } passed
                ? new(passed ? ReportOutcome.Done : ReportOutcome.Failed, $"{(passed ? "Passed" : "Not passed")}: the best copy decides like the model on at least {answer.Best.Lower:P1}, allowed {answer.FailAbove:P1}")
                : new(ReportOutcome.Done, $"The best copy decides like the model on {answer.Best.Rate:P1} of the rows"),
            Figures =
            [
                new("best copy", $"{best.Points[^1].Fidelity.Rate:P1}", $"{ExtractionAnswer.Name(best.Strategy)}, {best.View.ToString().ToLowerInvariant()} answers, {best.Points[^1].Queries} questions"),
                new("a constant", $"{report.Constant.Rate:P1}", "agrees with the model's commonest class"),
                new("fewest questions to 95 %", report.Curves.Min(curve => curve.QueriesTo95) is { } fewest ? $"{fewest}" : "not reached", "over all strategies and views"),
                new("questions asked", $"{report.Asked}"),
            ],
            Sections =
            [
                new()
                {
                    Title = "Copy and model decide alike",
                    Text = "Held-out rows, by number of questions. What the three charts differ in is how much an answer says.",
                    Charts = [.. report.Options.Views.Select(view => Chart(report, view))],
                    Tables =
                    [
                        new()
                        {
                            Title = "Every copy",
                            Columns = ["asks", "sees", .. report.Options.Queries.Select(count => $"{count}"), "to 95 %"],
                            Rows = [.. report.Curves.Select(curve => (IReadOnlyList<string>)[ExtractionAnswer.Name(curve.Strategy), curve.View.ToString().ToLowerInvariant(), .. curve.Points.Select(point => $"{point.Fidelity.Rate:P1}"), curve.QueriesTo95 is { } enough ? $"{enough}" : "not reached"])],
                        },
                    ],
                },
            ],
        };
    }

    private static LineChart Chart(ExtractionReport report, OutputView view) => new()
    {
        Title = view switch { OutputView.Label => "Answers are labels", OutputView.Rounded => $"Answers rounded to {report.Options.Decimals} decimals", _ => "Full answers" },
        Caption = "Bars are 95 % Clopper-Pearson intervals.",
        X = new("questions", Scale: ChartScale.Log),
        Y = new("rows decided alike", ChartUnit.Percent, Minimum: Math.Floor(10 * Math.Min(report.Constant.Rate, report.Curves.Min(curve => curve.Points.Min(point => point.Fidelity.Lower)))) / 10, Maximum: 1),
        Series = [.. report.Curves.Where(curve => curve.View == view).Select(curve => new ChartSeries(ExtractionAnswer.Name(curve.Strategy), [.. curve.Points.Select(point => new ChartPoint(point.Queries, point.Fidelity.Rate, point.Fidelity.Lower, point.Fidelity.Upper))], ChartShape.Marked))],
        Levels = [new(report.Constant.Rate, "a constant")],
        TableAt = [.. report.Options.Queries.Select(count => (double)count)],
    };
}
