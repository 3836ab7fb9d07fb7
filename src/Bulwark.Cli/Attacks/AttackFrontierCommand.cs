using System.CommandLine;
using System.Text.Json;
using System.Text.RegularExpressions;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static partial class AttackFrontierCommand
{
    private static readonly Argument<FileInfo[]> s_reports = new Argument<FileInfo[]>("reports") { Description = "JSON reports of attack suite -o, one a model or setting.", Arity = ArgumentArity.OneOrMore }.AcceptExistingOnly();
    private static readonly Option<double?> s_at = new("--at") { Description = "The distance at which models are compared; the largest that all reports have when absent.", HelpName = "DISTANCE" };
    private static readonly Option<bool> s_seeds = new("--seeds") { Description = "Reports whose names differ in a last -N only are seeds of one setting: their mean and their worst." };
    private static readonly Option<FileInfo?> s_html = new("--html") { Description = "Also write a report with the frontier and all curves.", HelpName = "FILE" };
    private static readonly Option<FileInfo?> s_output = new("--output", "-o") { Description = "Also write the answer as JSON to this file.", HelpName = "FILE" };

    internal static Command Create()
    {
        var command = new Command("frontier", """
            Sets models side by side: accuracy untouched against accuracy under every attack, from reports of attack suite. A model is on the
            frontier when no other is at least as good in both and better in one; one whose report raises a red flag never is.

            Example: bulwark attack frontier plain.json robust-1.json robust-2.json --seeds --html frontier.html
            """) { s_reports, s_at, s_seeds, s_html, s_output };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var parts = new List<(string Name, SuiteAnswer Answer)>();
        foreach (var file in parsed.GetRequiredValue(s_reports))
            parts.Add((Path.GetFileNameWithoutExtension(file.Name), await ReadAsync(file, cancel)));
        double[] common = [.. parts.Select(part => part.Answer.Report.Curve.Select(point => point.Strength)).Aggregate((one, other) => one.Intersect(other)).Order()];
        var at = parsed.GetValue(s_at) ?? (common.Length > 0 ? common[^1] : throw new CommandException("The reports have no distance in common."));
        if (!common.Contains(at))
            throw new CommandException($"Not every report has the distance {at}.", $"common: {string.Join(", ", common)}");
        foreach (var what in Differences([.. parts.Select(part => part.Answer)]))
            screen.Note($"[yellow]The reports differ in {Markup.Escape(what)}: their figures do not compare as they stand.[/]");
        var settings = parts.GroupBy(part => parsed.GetValue(s_seeds) ? Seed().Replace(part.Name, "") : part.Name, StringComparer.Ordinal).Select(group => FrontierSetting.Of(group.Key, [.. group.Select(part => part.Answer)], at)).ToList();
        settings = [.. settings.Select(one => one with { OnFrontier = one.Sound && !settings.Any(other => other.Sound && other.Beats(one)) }).OrderByDescending(one => one.Clean)];
        var answer = new FrontierAnswer(parts[0].Answer.Data, parts[0].Answer.Report.Options.Norm.ToString(), at, settings);
        if (parsed.GetValue(s_output) is { } output)
            await AttackRecord.WriteAsync(output, answer, cancel);
        await AttackRecord.WriteHtmlAsync(parsed.GetValue(s_html), () => FrontierHtml.Model(answer), cancel);
        return screen.Answer(answer, console => Draw(console, answer));
    }

    private static async Task<SuiteAnswer> ReadAsync(FileInfo file, CancellationToken cancel)
    {
        try
        {
            if (JsonSerializer.Deserialize<SuiteAnswer>(await File.ReadAllTextAsync(file.FullName, cancel), Screen.JsonOptions) is { Report.Curve.Count: > 0 } answer)
                return answer;
        }
        catch (JsonException)
        {
        }

        throw new CommandException($"{file.Name} is no report of attack suite.", "write one: bulwark attack suite … -o FILE");
    }

    private static IEnumerable<string> Differences(IReadOnlyList<SuiteAnswer> answers)
    {
        (string, Func<SuiteAnswer, string>)[] aspects =
        [
            ("data", answer => answer.Data), ("norm", answer => answer.Report.Options.Norm.ToString()), ("budget", answer => $"{answer.Report.Options.Budget}"),
            ("rows", answer => $"{answer.Report.Rows.Count}"), ("attacks", answer => string.Join(',', answer.Report.Attacks)), ("steps or queries", answer => $"{answer.Report.Options.Steps} {answer.Report.Options.Queries}"),
        ];
        return aspects.Where(aspect => answers.Select(aspect.Item2).Distinct().Count() > 1).Select(aspect => aspect.Item1);
    }

    private static void Draw(IAnsiConsole console, FrontierAnswer answer)
    {
        console.MarkupLineInterpolated($"{answer.Data}, {answer.Norm} distance {answer.At:0.####}");
        var table = new Table().Border(TableBorder.Rounded).AddColumn("model").AddColumn("frontier");
        foreach (var heading in (string[])["untouched", "under every attack", "worst seed", "seeds"])
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var one in answer.Settings)
            table.AddRow(Markup.Escape(one.Name), one.Sound ? one.OnFrontier ? "[bold]yes[/]" : "no" : $"[yellow]{string.Join(", ", one.Flags)}[/]", $"{one.Clean:P1}", $"{one.Robust:P1}", $"{one.WorstRobust:P1}", $"{one.Seeds}");
        console.Write(table);
    }

    [GeneratedRegex(@"-\d+$")]
    private static partial Regex Seed();
}

/// <summary>One model or setting.</summary>
/// <param name="Name">Its report's name.</param>
/// <param name="Seeds">Reports that it is the mean of.</param>
/// <param name="Clean">Share of rows right untouched.</param>
/// <param name="Robust">Share of rows right under every attack.</param>
/// <param name="Lower">Of a 95 % interval of all rows of all seeds.</param>
/// <param name="Upper">Its upper end.</param>
/// <param name="WorstRobust">Of the worst seed.</param>
/// <param name="Flags">Red flags of any seed; "unchecked" where they were not asked.</param>
/// <param name="Curve">By distance, the mean share that is right under every attack.</param>
internal sealed record FrontierSetting(string Name, int Seeds, double Clean, double Robust, double Lower, double Upper, double WorstRobust, IReadOnlyList<string> Flags, IReadOnlyList<FrontierPoint> Curve)
{
    public bool OnFrontier { get; init; }

    /// <summary>Whether the figures count.</summary>
    public bool Sound => Flags.Count == 0;

    internal bool Beats(FrontierSetting other) => Clean >= other.Clean && Robust >= other.Robust && (Clean > other.Clean || Robust > other.Robust);

    internal static FrontierSetting Of(string name, IReadOnlyList<SuiteAnswer> seeds, double at)
    {
        var shares = seeds.Select(seed => seed.Report.Curve.First(point => point.Strength == at).Robust).ToList();
        var (lower, upper) = Assurance.ClopperPearson.Interval(shares.Sum(share => share.Count), shares.Sum(share => share.Of));
        return new(
            name, seeds.Count, seeds.Average(seed => seed.Report.Clean.Rate), shares.Average(share => share.Rate), lower, upper, shares.Min(share => share.Rate),
            [.. seeds.SelectMany(seed => seed.Report.Options.Checks ? seed.Report.Flags.Select(flag => flag.Id) : ["unchecked"]).Distinct().Order()],
            [new(0, seeds.Average(seed => seed.Report.Clean.Rate)), .. seeds.SelectMany(seed => seed.Report.Curve).GroupBy(point => point.Strength).Where(group => group.Count() == seeds.Count).OrderBy(group => group.Key).Select(group => new FrontierPoint(group.Key, group.Average(point => point.Robust.Rate)))]);
    }
}

/// <summary>A point of a setting's curve.</summary>
internal sealed record FrontierPoint(double Distance, double Robust);

/// <summary>What <c>attack frontier</c> answers.</summary>
internal sealed record FrontierAnswer(string Data, string Norm, double At, IReadOnlyList<FrontierSetting> Settings);
