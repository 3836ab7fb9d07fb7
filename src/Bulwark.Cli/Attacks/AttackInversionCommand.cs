using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Lineage;
using Bulwark.Models;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static class AttackInversionCommand
{
    private static readonly AttackOptions s_common = new();
    private static readonly Option<FileInfo> s_members = new Option<FileInfo>("--members") { Description = "Rows that the model was trained on: CSV, Parquet or protected Parquet.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_others = new Option<FileInfo>("--others") { Description = "Rows of the same kind that it was not trained on: the attacker's knowledge.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<bool> s_fail = new("--fail-on-leak") { Description = "Exit 1 when an inversion comes nearer to training rows than the class mean of other rows does." };

    internal static Command Create()
    {
        var command = new Command("inversion", """
            Climbs to the input that a network finds most like a class, and compares it with the training rows beside the class mean of other rows.

            Example: bulwark attack inversion --model runs/fraud --members train.csv --others test.csv
            """) { s_members, s_others, s_fail };
        s_common.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        using var model = await AttackedModel.OpenAsync(parsed.GetRequiredValue(s_common.Model), Workspace.Find(parsed), null, cancel);
        if (model is not { Network: { Shape.Outputs: 1 } network, Schema: { } schema })
            throw new CommandException($"{model.Name} holds no dense network for a binary decision with its feature schema: there is no slope to climb.");
        var members = await AttackData.ReadAsync(parsed.GetRequiredValue(s_members), model, s_common.Columns(parsed), null, cancel);
        var others = await AttackData.ReadAsync(parsed.GetRequiredValue(s_others), model, s_common.Columns(parsed), members.Schema, cancel);
        if (members.Labels.Distinct().Count() < 2 || others.Labels.Distinct().Count() < 2)
            throw new CommandException("Members and other rows must hold both classes.");
        var encoder = new FeatureEncoder(schema);
        var (first, second) = (members.Encode(encoder), others.Encode(encoder));
        InversionReport[] reports = [ModelInversion.Run(network, first, second, 0), ModelInversion.Run(network, first, second, 1)];
        bool? passed = parsed.GetValue(s_fail) ? !reports.Any(report => report.BeatsTheClassMean) : null;
        var answer = new Answer(model.Name, reports, passed);
        var entry = await AttackRecord.KeepAsync(parsed, "inversion", parsed.GetValue(s_common.Output), answer, [new Subject(model.Name, model.Digest)], cancel);
        return screen.Answer(answer with { LogEntry = entry }, console => Draw(console, answer with { LogEntry = entry }), passed is false ? ExitCode.No : ExitCode.Yes);
    }

    private static void Draw(IAnsiConsole console, Answer answer)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("class");
        foreach (var heading in (string[])["model's probability", "distance to training mean / class mean's", "nearest training row / class mean's", "cosine / class mean's", "beats the class mean"])
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var report in answer.Classes)
            table.AddRow($"{report.Label}", $"{report.Confidence:P1}", $"{report.Distance:F3} / {report.BaselineDistance:F3}", $"{report.NearestMember:F3} / {report.NearestToBaseline:F3}", $"{report.Cosine:F2} / {report.BaselineCosine:F2}", report.BeatsTheClassMean ? "yes" : "no");
        console.Write(table);
        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }

    private sealed record Answer(string Model, IReadOnlyList<InversionReport> Classes, bool? Passed, long? LogEntry = null);
}
