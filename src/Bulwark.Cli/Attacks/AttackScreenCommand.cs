using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static class AttackScreenCommand
{
    private static readonly PoisonOptions s_common = new();
    private static readonly Option<FileInfo?> s_html = new("--html") { Description = "Also write a report with charts.", HelpName = "FILE" };
    private static readonly Option<ulong> s_seed = new("--seed") { Description = "Names the network's weights.", DefaultValueFactory = _ => 1 };

    internal static Command Create()
    {
        var command = new Command("screen", """
            Looks for poison in training rows, and for a backdoor in the model: spectral signatures, activation clustering, influence on trusted
            rows, and a search for a trigger of few features. Exit 1 when anything is suspicious. What is found is evidence; that nothing is
            found is no proof: see attack poison for what these screens find on your own rows.

            Example: bulwark attack screen -d train.csv --trusted trusted.csv --model runs/fraud -o screen.json
            """) { s_html, s_seed };
        s_common.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var size = s_common.Size(parsed);
        var (model, recipe) = await s_common.OpenAsync(parsed, cancel);
        using var opened = model;
        var file = parsed.GetRequiredValue(s_common.Data);
        var train = await s_common.ReadAsync(parsed, file, model, null, cancel);
        var trusted = await s_common.ReadAsync(parsed, parsed.GetRequiredValue(s_common.Trusted), model, train, cancel);
        ScreeningReport report;
        try
        {
            report = await screen.ProgressAsync($"screening {file.Name}", progress => Task.Run(() =>
            {
                var screening = new DataScreening(train.Schema, train.Head(1).Encode(), PoisonOptions.Rows(trusted), recipe, cancel);
                progress.Report(0.3);
                // The model's own network is looked into where it reads rows by the schema; else one trained by the recipe.
                var network = model is { Schema: not null, Network: { } own } ? own : screening.Train(PoisonOptions.Rows(train), parsed.GetValue(s_seed), cancel);
                progress.Report(0.6);
                return screening.Run(PoisonOptions.Rows(train), network, model?.Scorer, size);
            }, cancel));
        }
        catch (ArgumentException fault)
        {
            throw new CommandException(fault.Message, "give trusted rows of both classes: --trusted FILE");
        }

        ScreenFinding[] findings =
        [
            .. report.Data.Select(finding => new ScreenFinding(finding.Screen, finding.Suspicious, finding.Finding, finding.Flagged)),
            .. report.Triggers.Select(found => new ScreenFinding($"trigger search, class {found.Target}", found.Suspicious, PoisonTrial.Say(found, train.Schema), found.Suspicious ? found.Bearers : [])),
        ];
        var answer = new ScreenAnswer(file.Name, train.Rows, trusted.Rows, model?.Name, report.Suspicious, findings);
        var subjects = model is null ? (Subject[])[new(file.Name, train.Commitment)] : [new(file.Name, train.Commitment), new(model.Name, model.Digest)];
        var brief = answer with { Findings = [.. findings.Select(finding => finding with { Flagged = [] })] };
        var entry = await AttackRecord.KeepAsync(parsed, "screen", null, brief, subjects, cancel);
        if (parsed.GetValue(s_common.Output) is { } output)
            await AttackRecord.WriteAsync(output, answer with { LogEntry = entry }, cancel);
        await AttackRecord.WriteHtmlAsync(parsed.GetValue(s_html), () => PoisonHtml.Of(answer with { LogEntry = entry }), cancel);
        return screen.Answer(answer with { LogEntry = entry }, console => Draw(console, answer with { LogEntry = entry }), answer.Suspicious ? ExitCode.No : ExitCode.Yes);
    }

    private static void Draw(IAnsiConsole console, ScreenAnswer answer)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("screen").AddColumn("suspicious").AddColumn(new TableColumn("rows flagged").RightAligned()).AddColumn("why");
        foreach (var finding in answer.Findings)
            table.AddRow(Markup.Escape(finding.Screen), finding.Suspicious ? "[red]YES[/]" : "no", $"{finding.Flagged.Count}", Markup.Escape(finding.Why));
        console.Write(table);
        console.MarkupLineInterpolated($"{answer.Rows} rows of {answer.Data} beside {answer.Trusted} trusted ones: {(answer.Suspicious ? "SUSPICIOUS" : "nothing found, which is no proof")}");
        if (answer.LogEntry is { } entry)
            console.MarkupLineInterpolated($"log entry {entry}");
    }
}
