using System.CommandLine;
using Bulwark.Cli.Making;
using Bulwark.Planning;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>What each safeguard costs and buys on the user's own model and data.</summary>
internal static class BenchCommand
{
    internal static Command Create()
    {
        var file = new Argument<FileInfo>("pipeline") { Description = "The pipeline file; its variants say which safeguards are compared with the plain one." };
        var data = new Option<DirectoryInfo>("--data") { Description = "The folder that holds the data files.", HelpName = "DIR" };
        var output = new Option<string>("--output", "-o") { Description = "The folder for models and measures.json; else runs/NAME.", HelpName = "DIR" };
        var fresh = new Option<bool>("--fresh") { Description = "Measure anew what an earlier run in the folder has measured." };
        var access = new InputAccessOptions("bench");
        var command = new Command("bench", """
            Measures each safeguard's cost and effect on your model and data, and writes measures.json for `bulwark plan`.

            Example: bulwark bench samples/adult.yaml --data FOLDER
            """) { file, data, output, fresh, GlobalOptions.Ledger };
        access.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var findings = await RunCommand.FindAsync(
                screen, access.Read(parsed), parsed.GetRequiredValue(file), parsed.GetValue(data), parsed.GetValue(output), parsed.GetValue(fresh), Workspace.At(parsed.GetValue(GlobalOptions.Workspace)!, parsed.GetValue(GlobalOptions.Ledger)), cancel);
            if (findings.Baseline is null)
                throw new CommandException("Every variant of the pipeline is private or robust.", "add a plain variant: costs are measured against it");
            var measures = PlanStep.Measures(findings);
            return screen.Answer(measures, console => Draw(console, measures, findings));
        });
        return command;
    }

    private static void Draw(IAnsiConsole console, MeasureSet measures, RunFindings run)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("safeguard", "cost, s", "threat", "what is left of it", "detection lost");
        foreach (var safeguard in measures.Safeguards)
        {
            foreach (var effect in safeguard.Effects)
            {
                table.AddRow(
                    Markup.Escape(safeguard.Name), $"{safeguard.Cost.Value:0.###}", Markup.Escape(effect.Threat),
                    $"{RunReport.Percent(effect.Survival.Value)}{(effect.Survival.Basis == FigureBasis.Stated ? " (stated)" : "")}",
                    safeguard.AddedLoss is { } lost ? RunReport.Percent(lost.Value) : "—");
            }
        }

        console.Write(table);
        console.WriteLine($"cost: {measures.CostUnit}");
        console.WriteLine($"plan:  bulwark plan --measures {run.Folder}/measures.json --budget {run.Plan?.Result.Budget:0.##}");
    }
}
