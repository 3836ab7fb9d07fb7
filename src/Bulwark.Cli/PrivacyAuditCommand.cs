using System.CommandLine;
using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Cli.Making;
using Bulwark.Cli.Report;
using Bulwark.Models;
using Bulwark.Privacy;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary><c>privacy audit</c>: a lower bound on ε beside the one that a model claims, and the parts of its training checked one by one.</summary>
internal static class PrivacyAuditCommand
{
    private static readonly Argument<DirectoryInfo> s_model = new("model") { Description = "A model folder of a private training run." };
    private static readonly Option<int> s_canaries = new("--canaries") { Description = "Canaries of each kind; more make tighter bounds.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<double> s_confidence = new("--confidence") { Description = "Confidence of each lower bound.", DefaultValueFactory = _ => 0.95 };
    private static readonly Option<FileInfo?> s_picture = new("--picture") { Description = "Also write the table and a picture as one HTML file.", HelpName = "FILE.html" };

    internal static Command Create()
    {
        var command = new Command("audit", """
            Trains by a model's own recipe on made-up rows with canaries among them, and puts the epsilon that an attacker certainly reaches beside the one that is claimed. Costs no privacy. Exit 1 when the claim is refuted.

            Example: bulwark privacy audit runs/fraud/models/private --canaries 2000
            """)
        {
            s_model, s_canaries, s_confidence, s_picture,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var folder = parsed.GetRequiredValue(s_model);
        var (report, schema) = await ReadAsync(folder, cancel);
        if (report.Options.Private is null || report.Privacy is not { } statement)
            throw new CommandException($"{folder.Name} was trained without privacy: there is no claim to audit.", "bulwark train … --private");
        var options = new AuditOptions { Canaries = parsed.GetValue(s_canaries), Error = 1 - parsed.GetValue(s_confidence) };
        var faults = options.Faults().ToList();
        if (faults.Count > 0)
            throw new CommandException(string.Join(" ", faults));
        var audit = await screen.ProgressAsync($"auditing {report.Name}", progress => Task.Run(() => PrivateTrainingAudit.Run(schema, report.Options, options, progress, cancel), cancel));
        var counted = PldAccountant.Epsilon(statement.Event, statement.Delta).Upper;
        var stated = new AuditCheck("statement", counted <= statement.Epsilon * 1.0005, FormattableString.Invariant($"the model states epsilon {statement.Epsilon:f4}; its events, counted anew, cost {counted:f4}"));
        audit = audit with { Checks = [.. audit.Checks, stated], Verdict = stated.Holds ? audit.Verdict : AuditVerdict.Violated };
        var answer = new { model = report.Name, stated = statement.Epsilon, delta = statement.Delta, audit };
        if (parsed.GetValue(s_picture) is { } picture)
            await File.WriteAllTextAsync(picture.FullName, HtmlReport.Render(Picture(report.Name, audit)), cancel);
        return screen.Answer(answer, console => Draw(console, report.Name, audit), audit.Verdict == AuditVerdict.NotRefuted ? ExitCode.Yes : ExitCode.No);
    }

    private static async Task<(TrainingReport Report, FeatureSchema Schema)> ReadAsync(DirectoryInfo folder, CancellationToken cancel)
    {
        var (file, graph) = (Path.Combine(folder.FullName, TrainingReport.FileName), Path.Combine(folder.FullName, ModelFolder.OnnxName));
        if (!File.Exists(file) || !File.Exists(graph))
            throw new CommandException($"{folder.FullName} is no model folder: it lacks {TrainingReport.FileName} or {ModelFolder.OnnxName}.", "name a folder that 'bulwark train' or 'bulwark run' wrote");
        try
        {
            var report = JsonSerializer.Deserialize<TrainingReport>(await File.ReadAllTextAsync(file, cancel), Screen.JsonOptions) ?? throw new JsonException("The report is null.");
            var schema = OnnxModel.SchemaOf(await File.ReadAllBytesAsync(graph, cancel)) ?? throw new InvalidDataException("The model has no schema.");
            return (report, schema);
        }
        catch (Exception fault) when (fault is JsonException or InvalidDataException)
        {
            throw new CommandException($"{folder.Name} cannot be read: {fault.Message}", "train it anew with this version");
        }
    }

    private static void Draw(IAnsiConsole console, string name, AuditReport audit)
    {
        var checks = new Table().Border(TableBorder.Rounded).AddColumns("check", "", "measured");
        foreach (var check in audit.Checks)
            checks.AddRow(Markup.Escape(check.Name), check.Holds ? "[green]holds[/]" : "[red]FAILS[/]", Markup.Escape(check.Finding));
        console.Write(checks);
        var bounds = new Table().Border(TableBorder.Rounded).AddColumns($"epsilon at delta {audit.Delta:g2}", "at least", "right guesses", "rests on");
        foreach (var bound in audit.Bounds)
            bounds.AddRow(Markup.Escape(bound.Name), $"{bound.EpsilonLower:f3}", bound.Guesses == 0 ? "—" : $"{bound.Right} of {bound.Guesses}", Markup.Escape(bound.Assumes));
        console.Write(bounds);
        var chart = new Spectre.Console.BarChart().Width(60).Label($"{Markup.Escape(name)}: epsilon, certainly reached and claimed");
        foreach (var bound in audit.Bounds)
            chart.AddItem(Markup.Escape(bound.Name), Math.Round(bound.EpsilonLower, 3), Color.Yellow);
        console.Write(chart.AddItem("claimed (upper bound)", Math.Round(audit.EpsilonClaimed, 3), Color.Green));
        console.MarkupLine(audit.Verdict == AuditVerdict.NotRefuted
            ? $"[green]not refuted[/]: at {1 - audit.Error:P0} confidence epsilon is at least {audit.EpsilonLower:f3} and claimed to be at most {audit.EpsilonClaimed:f3}; that is no proof"
            : $"[red]VIOLATED[/]: {Markup.Escape(string.Join("; ", audit.Checks.Where(check => !check.Holds).Select(check => check.Name)))}");
    }

    private static ReportModel Picture(string name, AuditReport audit) => new()
    {
        Title = $"Privacy audit: {name}",
        Summary = $"Production training by the model's recipe on made-up rows with {audit.Canaries} canaries of each kind.",
        Created = DateTimeOffset.UtcNow,
        Verdict = new(audit.Verdict == AuditVerdict.NotRefuted ? ReportOutcome.Done : ReportOutcome.Failed, audit.Verdict == AuditVerdict.NotRefuted ? "The claim is not refuted; that is no proof." : "The claim is refuted."),
        Sections =
        [
            new ReportSection
            {
                Title = "Epsilon from below and from above",
                Text = "An attacker certainly reaches the lower bounds; the claim bounds every attacker.",
                Charts = [Bars(audit)],
                Tables =
                [
                    new ReportTable { Title = "Bounds", Columns = ["way", "epsilon at least", "right guesses", "rests on"], Rows = [.. audit.Bounds.Select(bound => (IReadOnlyList<string>)[bound.Name, $"{bound.EpsilonLower:f3}", $"{bound.Right} of {bound.Guesses}", bound.Assumes])] },
                    new ReportTable { Title = "Checks", Columns = ["check", "", "measured"], Rows = [.. audit.Checks.Select(check => (IReadOnlyList<string>)[check.Name, check.Holds ? "holds" : "FAILS", check.Finding])] },
                ],
            },
        ],
    };

    private static Report.BarChart Bars(AuditReport audit) => new()
    {
        Title = "Epsilon, certainly reached and claimed",
        Measure = $"epsilon at delta {audit.Delta:g2}",
        Series = ["epsilon"],
        Groups = [.. audit.Bounds.Select(bound => new BarGroup(bound.Name, [bound.EpsilonLower], $"rests on: {bound.Assumes}")), new BarGroup("claimed", [audit.EpsilonClaimed], "certified upper bound")],
    };
}
