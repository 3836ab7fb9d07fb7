using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static class AttackAttributeCommand
{
    private static readonly AttackOptions s_common = new();
    private static readonly Option<FileInfo> s_members = new Option<FileInfo>("--members") { Description = "Rows that the model was trained on: CSV, Parquet or protected Parquet.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_others = new Option<FileInfo>("--others") { Description = "Rows of the same kind that it was not trained on; half of them are the attacker's knowledge.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<string[]> s_features = new("--features") { Description = "Features to guess; all when absent.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<double?> s_failAbove = new("--fail-above") { Description = "Exit 1 when guesses are, with 95 % confidence, right on a share of training rows that is larger than on other rows by more than this.", HelpName = "SHARE" };

    internal static Command Create()
    {
        var command = new Command("attribute", """
            Guesses a feature of training rows from the other features, the label and the model's answers, beside what imputation without the model gets right.

            Example: bulwark attack attribute --model runs/fraud --members train.csv --others test.csv --features age --fail-above 0.02
            """) { s_members, s_others, s_features, s_failAbove };
        s_common.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        using var model = await AttackedModel.OpenAsync(parsed.GetRequiredValue(s_common.Model), Workspace.Find(parsed), null, cancel);
        if (model.Scorer.Classes != 1)
            throw new CommandException($"{model.Name} tells {model.Scorer.Classes} classes apart; attributes are inferred from binary models.");
        var members = await AttackData.ReadAsync(parsed.GetRequiredValue(s_members), model, s_common.Columns(parsed), null, cancel);
        var others = await AttackData.ReadAsync(parsed.GetRequiredValue(s_others), model, s_common.Columns(parsed), members.Schema, cancel);
        if (others.Rows < 4)
            throw new CommandException($"{parsed.GetRequiredValue(s_others).Name} has {others.Rows} rows; half of them are what the attacker knows.", "give more rows");
        var asked = parsed.GetValue(s_features) ?? [];
        if (asked.FirstOrDefault(name => members.Schema.IndexOf(name) < 0) is { } unknown)
            throw new CommandException($"The schema has no feature '{unknown}'.", $"features: {string.Join(", ", members.Schema.Features.Select(feature => feature.Name))}");
        int[] chosen = asked.Length > 0 ? [.. asked.Select(members.Schema.IndexOf)] : [.. Enumerable.Range(0, members.Width).Where(feature => members.Schema.Features[feature].Categories.Count != 1)];
        var reports = await screen.ProgressAsync($"guessing features of {model.Name}'s rows", progress => Task.Run(() => chosen.Select((feature, i) =>
        {
            cancel.ThrowIfCancellationRequested();
            var report = AttributeInference.Run(model.Scorer, members, others, feature);
            progress.Report((i + 1.0) / chosen.Length);
            return report;
        }).ToList(), cancel));

        var limit = parsed.GetValue(s_failAbove);
        bool? passed = limit is { } most ? reports.All(report => report.GapLower <= most) : null;
        var answer = new Answer(model.Name, reports, limit, passed);
        var entry = await AttackRecord.KeepAsync(parsed, "attribute", parsed.GetValue(s_common.Output), answer, [new Subject(model.Name, model.Digest)], cancel);
        return screen.Answer(answer with { LogEntry = entry }, console => Draw(console, answer with { LogEntry = entry }), passed is false ? ExitCode.No : ExitCode.Yes);
    }

    private static void Draw(IAnsiConsole console, Answer answer)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("feature");
        foreach (var heading in (string[])["values", "right with the model", "right on other rows", "imputed without it", "commonest value", "gap, at least"])
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var report in answer.Features)
            table.AddRow(Markup.Escape(report.Feature), $"{report.Values}", $"{report.Members.Share:P1} of {report.Members.Of}", $"{report.Others.Share:P1} of {report.Others.Of}", $"{report.Imputed.Share:P1}", $"{report.Commonest.Share:P1}", $"{report.GapToOthers:P1}, {report.GapLower:P1}");
        console.Write(table);
        if (answer.Passed is { } passed)
            console.MarkupLineInterpolated($"{(passed ? "passed" : "FAILED")}: allowed {answer.FailAbove:P1} more right on training rows than on others");
        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }

    private sealed record Answer(string Model, IReadOnlyList<AttributeReport> Features, double? FailAbove, bool? Passed, long? LogEntry = null);
}
