using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static class AttackPoisonCommand
{
    private static readonly PoisonOptions s_common = new();
    private static readonly Option<FileInfo> s_test = new Option<FileInfo>("--test") { Description = "Rows on which accuracy and the attack's success are measured.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<string?> s_kinds = new("--kinds") { Description = "label-flip, backdoor, clean-label. Default: all.", HelpName = "LIST" };
    private static readonly Option<double> s_share = new("--share") { Description = "Planted rows as a share of all.", DefaultValueFactory = _ => 0.05, HelpName = "SHARE" };
    private static readonly Option<string> s_target = new Option<string>("--target") { Description = "The class that planted rows lead to: negative (what an evader wants) or positive.", DefaultValueFactory = _ => "negative" }.AcceptOnlyFromAmong("negative", "positive");
    private static readonly Option<FileInfo?> s_html = new("--html") { Description = "Also write a report with charts.", HelpName = "FILE" };
    private static readonly Option<ulong> s_seed = new("--seed") { Description = "Names every random choice.", DefaultValueFactory = _ => 1 };

    internal static Command Create()
    {
        var command = new Command("poison", """
            Plants poison in a copy of the training rows, trains on it, and measures what it does to clean accuracy, how often it succeeds,
            and whether screens find it: planted rows found and clean rows flagged. Nothing planted is measured too: what screens say then is
            a false alarm.

            Example: bulwark attack poison -d train.csv --trusted trusted.csv --test test.csv --label fraud --share 0.03 --kinds backdoor
            """) { s_test, s_kinds, s_share, s_target, s_html, s_seed };
        s_common.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var share = parsed.GetValue(s_share) is > 0 and < 1 and var given ? given : throw new CommandException($"--share is {parsed.GetValue(s_share)}; it lies between 0 and 1.");
        PoisonKind[] kinds = [.. (parsed.GetValue(s_kinds) ?? "label-flip,backdoor,clean-label").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Kind)];
        var (model, recipe) = await s_common.OpenAsync(parsed, cancel);
        using var opened = model;
        var file = parsed.GetRequiredValue(s_common.Data);
        var train = await s_common.ReadAsync(parsed, file, model, null, cancel);
        var trusted = await s_common.ReadAsync(parsed, parsed.GetRequiredValue(s_common.Trusted), model, train, cancel);
        var test = await s_common.ReadAsync(parsed, parsed.GetRequiredValue(s_test), model, train, cancel);
        var task = new PoisonTask
        {
            Schema = train.Schema,
            Kind = train.Head(1).Encode(),
            Train = PoisonOptions.Rows(train),
            Trusted = PoisonOptions.Rows(trusted),
            Test = PoisonOptions.Rows(test),
            Recipe = recipe,
            Target = parsed.GetValue(s_target) == "positive" ? 1 : 0,
            Share = share,
            TriggerSize = s_common.Size(parsed),
            Seed = parsed.GetValue(s_seed),
        };
        Trigger trigger;
        IReadOnlyList<PoisonOutcome> outcomes;
        try
        {
            (trigger, outcomes) = await screen.ProgressAsync($"poisoning {file.Name}", progress => Task.Run(() => PoisonTrial.Run(task, kinds, progress, cancel), cancel));
        }
        catch (ArgumentException fault)
        {
            throw new CommandException(fault.Message);
        }

        var answer = new PoisonAnswer(
            file.Name, train.Rows, task.Target, share, [.. trigger.Columns.Zip(trigger.Values, (column, value) => new TriggerValue(train.Schema.Features[column].Name, value))],
            [.. outcomes.Select(outcome => new PoisonLine(outcome.Kind is { } kind ? Name(kind) : "nothing", outcome))]);
        var entry = await AttackRecord.KeepAsync(parsed, "poison", parsed.GetValue(s_common.Output), answer, [new Subject(file.Name, train.Commitment)], cancel);
        await AttackRecord.WriteHtmlAsync(parsed.GetValue(s_html), () => PoisonHtml.Of(answer with { LogEntry = entry }), cancel);
        return screen.Answer(answer with { LogEntry = entry }, console => Draw(console, answer with { LogEntry = entry }));
    }

    private static PoisonKind Kind(string text) => text switch
    {
        "label-flip" => PoisonKind.LabelFlip,
        "backdoor" => PoisonKind.Backdoor,
        "clean-label" => PoisonKind.CleanLabel,
        _ => throw new CommandException($"There is no poison '{text}'.", "label-flip, backdoor, clean-label"),
    };

    private static string Name(PoisonKind kind) => kind switch { PoisonKind.LabelFlip => "label-flip", PoisonKind.Backdoor => "backdoor", _ => "clean-label" };

    private static void Draw(IAnsiConsole console, PoisonAnswer answer)
    {
        console.MarkupLineInterpolated($"{answer.Rows} rows of {answer.Data}, target class {answer.Target}; trigger {string.Join(", ", answer.Trigger.Select(value => $"{value.Feature} = {value.Value:0.####}"))}");
        var effects = new Table().Border(TableBorder.Rounded).AddColumn("planted");
        foreach (var heading in (string[])["rows", "accuracy", "success without poison", "success"])
            effects.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var line in answer.Outcomes)
            effects.AddRow(line.Planted, $"{line.Outcome.Planted}", $"{line.Outcome.Accuracy.Rate:P1}", line.Outcome.Kind is null ? "" : $"{line.Outcome.SuccessBefore.Rate:P1}", line.Outcome.Kind is null ? "" : $"[bold]{line.Outcome.Success.Rate:P1}[/] of {line.Outcome.Success.Of}");
        console.Write(effects);
        var screens = new Table().Border(TableBorder.Rounded).AddColumn("planted").AddColumn("screen").AddColumn("suspicious");
        foreach (var heading in (string[])["planted rows found", "clean rows flagged"])
            screens.AddColumn(new TableColumn(heading).RightAligned());
        foreach (var line in answer.Outcomes)
        {
            foreach (var one in line.Outcome.Screens)
            {
                screens.AddRow(line.Planted, one.Screen, one.Suspicious ? line.Outcome.Kind is null ? "[red]yes: a false alarm[/]" : "yes" : line.Outcome.Kind is null ? "no" : "[yellow]no[/]",
                    one.Detected.Of == 0 ? "" : $"{one.Detected.Rate:P1}", one.FalsePositives.Of == 0 ? "" : $"{one.FalsePositives.Rate:P2}");
            }
        }

        console.Write(screens);
        foreach (var line in answer.Outcomes)
        {
            foreach (var one in line.Outcome.Screens.Where(one => one.Suspicious))
                console.MarkupLineInterpolated($"{line.Planted}, {one.Screen}: {one.Finding}");
        }

        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }
}
