using Bulwark.Assurance;
using Bulwark.Cli.Report;

namespace Bulwark.Cli.Attacks;

/// <summary>One value of a trigger.</summary>
internal sealed record TriggerValue(string Feature, float Value);

/// <summary>What one poison came to.</summary>
internal sealed record PoisonLine(string Planted, PoisonOutcome Outcome);

/// <summary>What <c>attack poison</c> answers.</summary>
internal sealed record PoisonAnswer(string Data, int Rows, int Target, double Share, IReadOnlyList<TriggerValue> Trigger, IReadOnlyList<PoisonLine> Outcomes, long? LogEntry = null);

/// <summary>What one screen says.</summary>
/// <param name="Screen">Which.</param>
/// <param name="Suspicious">Its verdict.</param>
/// <param name="Why">What it saw.</param>
/// <param name="Flagged">Rows, from 0, in the order of the file.</param>
internal sealed record ScreenFinding(string Screen, bool Suspicious, string Why, IReadOnlyList<int> Flagged);

/// <summary>What <c>attack screen</c> answers.</summary>
internal sealed record ScreenAnswer(string Data, int Rows, int Trusted, string? Model, bool Suspicious, IReadOnlyList<ScreenFinding> Findings, long? LogEntry = null);

/// <summary>Both as pages.</summary>
internal static class PoisonHtml
{
    private const int Buckets = 40;

    internal static ReportModel Of(PoisonAnswer answer)
    {
        var planted = answer.Outcomes.Where(line => line.Outcome.Kind is not null).ToList();
        var clean = answer.Outcomes[0].Outcome;
        var unseen = planted.Where(line => line.Outcome.Screens.All(screen => !screen.Suspicious)).Select(line => line.Planted).ToList();
        return new()
        {
            Title = $"Poison in {answer.Data}",
            Summary = $"{answer.Rows} training rows of which {answer.Share:P1} were planted, each kind apart; target class {answer.Target}; trigger {string.Join(", ", answer.Trigger.Select(value => $"{value.Feature} = {value.Value:0.####}"))}.",
            Created = DateTimeOffset.UtcNow,
            Version = typeof(PoisonHtml).Assembly.GetName().Version?.ToString(),
            Verdict = new(unseen.Count == 0 ? ReportOutcome.Done : ReportOutcome.Failed, unseen.Count == 0 ? "Some screen finds every kind of poison" : $"No screen finds {string.Join(" or ", unseen)}"),
            Figures = [new("accuracy, nothing planted", $"{clean.Accuracy.Rate:P1}", $"{clean.Accuracy.Lower:P1} to {clean.Accuracy.Upper:P1}"), new("false alarms", $"{clean.Screens.Count(screen => screen.Suspicious)}", $"of {clean.Screens.Count} screens, nothing planted")],
            Warnings = [.. clean.Screens.Where(screen => screen.Suspicious).Select(screen => $"{screen.Screen} is suspicious though nothing was planted: {screen.Finding}"), "Screens are evidence: an attacker who knows them passes."],
            Sections =
            [
                new()
                {
                    Title = "What the poison does",
                    Charts =
                    [
                        new BarChart
                        {
                            Title = "Rows of the other class that are led to the target",
                            Caption = "Beside the same rows before a model that saw no poison; label flips carry no trigger.",
                            Unit = ChartUnit.Percent,
                            Measure = "share of rows",
                            Series = ["without poison", "with poison"],
                            Groups = [.. planted.Select(line => new BarGroup(line.Planted, [line.Outcome.SuccessBefore.Rate, line.Outcome.Success.Rate], $"accuracy {line.Outcome.Accuracy.Rate:P1}"))],
                        },
                    ],
                },
                new()
                {
                    Title = "What screens find",
                    Charts =
                    [
                        .. planted.Select(line => new BarChart
                        {
                            Title = line.Planted,
                            Caption = $"{line.Outcome.Planted} planted rows; suspicious to {SuspiciousTo(line.Outcome)}.",
                            Unit = ChartUnit.Percent,
                            Measure = "share of rows",
                            Series = ["planted rows found", "clean rows flagged"],
                            Groups = [.. line.Outcome.Screens.Select(screen => new BarGroup(screen.Screen, [screen.Detected.Of == 0 ? null : screen.Detected.Rate, screen.FalsePositives.Of == 0 ? null : screen.FalsePositives.Rate]))],
                        }),
                    ],
                    Tables =
                    [
                        new()
                        {
                            Title = "Every verdict",
                            Columns = ["planted", "screen", "suspicious", "why"],
                            Rows = [.. answer.Outcomes.SelectMany(line => line.Outcome.Screens.Select(screen => (IReadOnlyList<string>)[line.Planted, screen.Screen, screen.Suspicious ? "yes" : "no", screen.Finding]))],
                        },
                    ],
                },
            ],
        };
    }

    internal static ReportModel Of(ScreenAnswer answer) => new()
    {
        Title = $"Screens of {answer.Data}",
        Summary = $"{answer.Rows} training rows beside {answer.Trusted} trusted ones{(answer.Model is { } model ? $", and {model}" : "")}.",
        Created = DateTimeOffset.UtcNow,
        Version = typeof(PoisonHtml).Assembly.GetName().Version?.ToString(),
        Verdict = new(answer.Suspicious ? ReportOutcome.Failed : ReportOutcome.Done, answer.Suspicious ? $"Suspicious to {string.Join(", ", answer.Findings.Where(finding => finding.Suspicious).Select(finding => finding.Screen))}" : "Nothing found, which is no proof"),
        Figures = [new("suspicious screens", $"{answer.Findings.Count(finding => finding.Suspicious)}", $"of {answer.Findings.Count}"), new("rows flagged", $"{answer.Findings.SelectMany(finding => finding.Flagged).Distinct().Count()}", $"of {answer.Rows}, by any screen")],
        Sections =
        [
            new()
            {
                Title = "Where flagged rows lie",
                Charts =
                [
                    new LineChart
                    {
                        Title = "Share of rows flagged, along the file",
                        Caption = "Rows planted together stand out as a hill.",
                        X = new("row", Minimum: 0),
                        Y = new("rows flagged", ChartUnit.Percent, Minimum: 0),
                        Series = [.. answer.Findings.Where(finding => finding.Flagged.Count > 0).Select(finding => new ChartSeries(finding.Screen, Along(finding.Flagged, answer.Rows)))],
                    },
                ],
                Tables =
                [
                    new()
                    {
                        Title = "Every screen",
                        Columns = ["screen", "suspicious", "rows flagged", "why"],
                        Rows = [.. answer.Findings.Select(finding => (IReadOnlyList<string>)[finding.Screen, finding.Suspicious ? "yes" : "no", $"{finding.Flagged.Count}", finding.Why])],
                    },
                ],
            },
        ],
    };

    private static string SuspiciousTo(PoisonOutcome outcome) =>
        string.Join(", ", outcome.Screens.Where(screen => screen.Suspicious).Select(screen => screen.Screen)) is { Length: > 0 } screens ? screens : "none";

    private static IReadOnlyList<ChartPoint> Along(IReadOnlyList<int> flagged, int rows)
    {
        var size = Math.Max(1, (int)Math.Ceiling(rows / (double)Buckets));
        return [.. Enumerable.Range(0, (rows + size - 1) / size).Select(bucket => new ChartPoint((bucket * size) + (size / 2.0), flagged.Count(row => row / size == bucket) / (double)Math.Min(size, rows - (bucket * size))))];
    }
}
