using System.CommandLine;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static class AttackMembershipCommand
{
    private static readonly AttackOptions s_common = new();
    private static readonly Option<FileSystemInfo> s_members = new Option<FileSystemInfo>("--members") { Description = "Rows that the model was trained on: CSV, Parquet, protected Parquet or a folder of it.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileSystemInfo> s_others = new Option<FileSystemInfo>("--others") { Description = "Rows of the same kind that it was not trained on.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileSystemInfo?> s_baseline = new("--baseline") { Description = "Another model to attack in the same way, for before and after.", HelpName = "DIR|FILE.onnx" };
    private static readonly Option<int?> s_shadows = new("--shadows") { Description = "Shadow models to train by the model's own recipe, an even number; 64 and more use each row's own spread, 0 trains none. 16 when the recipe is known.", HelpName = "N" };
    private static readonly Option<double?> s_failAbove = new("--fail-above") { Description = "Exit 1 when the members that any attack finds at 0.1 % false positives are, with 95 % confidence, a larger share.", HelpName = "SHARE" };

    internal static Command Create()
    {
        var command = new Command("membership", """
            Tells training rows from others: by the model's loss on them, by its labels alone, and by shadow models trained with its own recipe
            (likelihood ratio online and offline, relative to references). What an attack finds is a leak, what it misses is no proof.

            Example: bulwark attack membership --model runs/fraud --members train.csv --others test.csv --shadows 64 --fail-above 0.01
            """) { s_members, s_others, s_shadows, s_baseline, s_failAbove };
        s_common.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        using var model = await AttackedModel.OpenAsync(parsed.GetRequiredValue(s_common.Model), Workspace.Find(parsed), null, cancel);
        if (parsed.GetValue(s_shadows) is { } asked && asked != 0 && (asked < 4 || asked % 2 != 0))
            throw new CommandException($"--shadows is {asked}; an even number from 4, or 0 for none.");
        var side = await AttackAsync(parsed, model, parsed.GetRequiredValue(s_common.Model), screen, cancel);
        MembershipSide? before = null;
        if (parsed.GetValue(s_baseline) is { } other)
        {
            using var baseline = await AttackedModel.OpenAsync(other.Exists || Directory.Exists(other.FullName) ? other : throw new CommandException($"There is no model {other.FullName}."), Workspace.Find(parsed), null, cancel);
            before = await AttackAsync(parsed, baseline, other, screen, cancel);
        }

        var strict = side.Worst.Points[^1];
        var failAbove = parsed.GetValue(s_failAbove);
        bool? passed = failAbove is { } limit ? strict.Lower <= limit : null;
        var answer = new MembershipAnswer(side, before, parsed.GetRequiredValue(s_members).Name, parsed.GetRequiredValue(s_others).Name, failAbove, passed);
        var entry = await AttackRecord.KeepAsync(parsed, "membership", parsed.GetValue(s_common.Output), answer, [new Subject(model.Name, model.Digest)], cancel);
        return screen.Answer(answer with { LogEntry = entry }, console => Draw(console, answer with { LogEntry = entry }), passed is false ? ExitCode.No : ExitCode.Yes);
    }

    private static async Task<MembershipSide> AttackAsync(ParseResult parsed, AttackedModel model, FileSystemInfo where, Screen screen, CancellationToken cancel)
    {
        var members = await AttackData.ReadAsync(parsed.GetRequiredValue(s_members), model, s_common.Columns(parsed), null, cancel);
        var others = await AttackData.ReadAsync(parsed.GetRequiredValue(s_others), model, s_common.Columns(parsed), members.Schema, cancel);
        return await MembershipSide.AttackAsync(model, MembershipSide.RecipeOf(where), members, others, parsed.GetValue(s_shadows), screen, cancel);
    }

    private static void Draw(IAnsiConsole console, MembershipAnswer answer)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("model").AddColumn("attack");
        foreach (var heading in (string[])["AUC (guessing 50 %)", "found at 1 % false positives", "found at 0.1 %", "really false", "mean loss, members / others"])
            table.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var side in (MembershipSide?[])[answer.Baseline, answer.Model])
        {
            if (side is null)
                continue;
            foreach (var report in side.Attacks.Prepend(side.Report))
            {
                var (loose, strict) = (report.Points[0], report.Points[^1]);
                table.AddRow(
                    Markup.Escape(side.Model), Markup.Escape(report.Attack), $"{report.Auc:P1}", $"{loose.TruePositiveRate:P2} ({loose.TruePositives} of {report.Members})", $"{strict.TruePositiveRate:P2} ({strict.TruePositives})",
                    $"{loose.RealizedFalsePositiveRate:P2} / {strict.RealizedFalsePositiveRate:P2} of {report.Others}", $"{report.MeanLossOfMembers:F4} / {report.MeanLossOfOthers:F4}");
            }
        }

        console.Write(table);
        if (answer.Passed is { } passed)
            console.MarkupLineInterpolated($"{(passed ? "passed" : "FAILED")}: at least {answer.Model.Worst.Points[^1].Lower:P2} found at 0.1 % false positives ({answer.Model.Worst.Attack}), allowed {answer.FailAbove:P2}");
        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }

    private sealed record MembershipAnswer(MembershipSide Model, MembershipSide? Baseline, string Members, string Others, double? FailAbove, bool? Passed, long? LogEntry = null);
}
