using System.Globalization;
using Bulwark.Cli.Report;

namespace Bulwark.Cli.Frames;

/// <summary>The findings as a page for people.</summary>
internal static class FrameHtml
{
    internal static ReportModel Model(FrameAnswer answer) => new()
    {
        Title = $"Evidence of {answer.Model}",
        Summary = "What the transparency log and the workspace show for each requirement that a program can show anything of. Evidence is not compliance: an assessor judges that.",
        Created = answer.Made,
        Command = "bulwark report evidence",
        Verdict = new(answer.IsWhole ? ReportOutcome.Done : ReportOutcome.Failed, Headline(answer)),
        Figures = [.. answer.Frames.Select(frame => new ReportFigure(frame.Title, $"{frame.Count(Standing.Found)} of {frame.Requirements.Count}", Note(frame)))],
        Warnings = [.. Findings(answer).Where(finding => finding.Standing == Standing.Against).Select(finding => $"{Capital(finding.Asked)}: {finding.Found}")],
        Sections = [.. answer.Frames.Select(Section), Checks(answer)],
        Checks = [.. Findings(answer).DistinctBy(finding => finding.Command).Select(finding => new ReportCheck(Capital(finding.Asked), finding.Command))],
    };

    internal static string Headline(FrameAnswer answer)
    {
        var requirements = answer.Frames.SelectMany(frame => frame.Requirements).ToArray();
        int Count(Standing standing) => requirements.Count(requirement => requirement.Standing == standing);
        return string.Create(CultureInfo.InvariantCulture,
            $"{requirements.Length} requirements: evidence for {Count(Standing.Found)}, in part for {Count(Standing.Partly)}, missing for {Count(Standing.Missing)}, against {Count(Standing.Against)}.");
    }

    internal static string Mark(Standing standing) => standing switch { Standing.Found => "✓", Standing.Partly => "◐", Standing.Against => "✗", _ => "–" };

    private static ReportSection Section(FrameResult frame) => new()
    {
        Title = frame.Title,
        Text = $"Not asked here: {frame.Outside}",
        Tables =
        [
            new()
            {
                Title = "Requirements",
                Columns = ["requirement", "asks", "evidence", "checks"],
                Rows = [.. frame.Requirements.Select(requirement => (string[])[
                    "§ " + requirement.Id, requirement.Asks, $"{Mark(requirement.Standing)} {Oscal.Word(requirement.Standing)}",
                    string.Join(", ", requirement.Findings.Select(finding => $"{Mark(finding.Standing)} {finding.Check}"))])],
            },
        ],
    };

    private static ReportSection Checks(FrameAnswer answer) => new()
    {
        Title = "What was found",
        Text = "Each check once, with the entries of the log that say so.",
        Tables =
        [
            new()
            {
                Title = "Checks",
                Columns = ["check", "evidence", "found", "entries"],
                Rows = [.. Findings(answer).Select(finding => (string[])[finding.Check, Mark(finding.Standing), finding.Found, string.Join(", ", finding.Entries)])],
            },
        ],
    };

    internal static IReadOnlyList<CheckResult> Findings(FrameAnswer answer) =>
        [.. answer.Frames.SelectMany(frame => frame.Requirements).SelectMany(requirement => requirement.Findings).DistinctBy(finding => finding.Check)];

    private static string? Note(FrameResult frame) => frame.Count(Standing.Against) is > 0 and var against ? $"against {against}" : null;

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
