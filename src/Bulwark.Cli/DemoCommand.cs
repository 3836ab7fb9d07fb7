using System.CommandLine;
using System.Diagnostics;
using Bulwark.Cli.Making;
using Bulwark.Cli.Report;
using Bulwark.Data;

namespace Bulwark.Cli;

/// <summary>The fraud case end to end: from raw transactions to a verified prediction, and a report of every figure.</summary>
internal static class DemoCommand
{
    internal static Command Create()
    {
        var output = new Option<string>("--output", "-o") { Description = "The demo's folder: data, models, workspace, report.", DefaultValueFactory = _ => "bulwark-demo", HelpName = "DIR" };
        var rows = new Option<int>("--rows") { Description = "About how many transactions to simulate.", DefaultValueFactory = _ => 300_000, HelpName = "N" };
        var fresh = new Option<bool>("--fresh") { Description = "Start clean instead of resuming where the last demo stopped." };
        var command = new Command("demo", """
            The whole fraud case: simulate transactions, protect them, train plain, private and robust models, attack them, seal one, serve it
            behind the gateway, verify a prediction offline, and write report.html.

            Example: bulwark demo --fresh
            """) { output, rows, fresh };
        command.SetAction((parsed, cancel) => RunAsync(new Screen(parsed), parsed.GetRequiredValue(output), parsed.GetRequiredValue(rows), parsed.GetValue(fresh), cancel));
        return command;
    }

    private static async Task<int> RunAsync(Screen screen, string output, int rows, bool fresh, CancellationToken cancel)
    {
        if (rows < 20_000)
            throw new CommandException($"{rows} transactions are too few to learn 1 % fraud from.", "give --rows 20000 or more");
        var started = Stopwatch.GetTimestamp();
        var folder = RunFolder.Open(output, fresh);
        var workspace = Workspace.At(new DirectoryInfo(folder.File(RunFolder.WorkspaceName)));
        if (!workspace.Exists)
            workspace = await Workspace.CreateAsync(workspace.Directory, null);
        folder.Log = await workspace.LogNameAsync();

        var data = new FraudData(folder, workspace, screen);
        var world = SimulationOptions.ForRows(rows, days: 120, seed: 1);
        var simulation = await data.SimulateAsync(world, cancel);
        var scan = await data.ScanAsync(simulation.Outputs[0].Digest, cancel);
        var protection = await data.ProtectAsync(simulation.Outputs[0].Digest, cancel);
        var features = await data.FeaturesAsync(protection.Outputs[0].Digest, world, cancel);

        var pipeline = FraudPipeline.Create();
        var (train, test, _, _) = await MakingData.ReadAsync(pipeline, folder.File("data"), workspace, InputAccess.Kept("train"), cancel);
        IReadOnlyList<DataOrigin> made = [new(protection.Result.Commitment, protection.Result.Dataset)];
        var holdout = await MakingData.ReadHoldoutAsync(pipeline, folder.File("data"), train.Schema, workspace, InputAccess.Kept("attack"), cancel);
        var findings = await new PipelineRun(folder, workspace, screen).RunAsync(pipeline, train, test, holdout, "bulwark demo", made, made, cancel);
        findings = findings with { Simulation = simulation, Scan = scan, Protection = protection, Features = features };
        findings = findings with { Plan = await PlanStep.RunAsync(folder, findings, cancel), Deployment = await DeploymentStep.RunAsync(folder, findings, cancel) };
        findings = findings with { Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds };
        var report = ReportFile.Write(folder.Directory.FullName, RunReport.Of(findings));
        await RunStatement.WriteAsync(folder.Directory.FullName, workspace, pipeline.Name, cancel);
        return RunAnswer.Give(screen, findings, report);
    }
}
