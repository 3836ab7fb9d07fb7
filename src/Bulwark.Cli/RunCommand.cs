using System.CommandLine;
using System.Diagnostics;
using Bulwark.Cli.Making;
using Bulwark.Cli.Report;
using Bulwark.Privacy;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>The making line from one declarative file.</summary>
internal static class RunCommand
{
    internal static Command Create()
    {
        var file = new Argument<FileInfo>("pipeline") { Description = "The pipeline file, such as samples/adult.yaml; docs/pipelines.md explains it." };
        var data = new Option<DirectoryInfo>("--data") { Description = "The folder that holds the data files; else BULWARK_SHARED/data, else ../shared/data.", HelpName = "DIR" };
        var output = new Option<string>("--output", "-o") { Description = "The run's folder; else runs/NAME.", HelpName = "DIR" };
        var fresh = new Option<bool>("--fresh") { Description = "Start clean: what an earlier run left in the folder is removed. The workspace and its ledger stay." };
        var access = new InputAccessOptions("run");
        var command = new Command("run", """
            Trains every variant of a pipeline file, attacks each, seals one, and writes report.html. What is unchanged is skipped.

            Example: bulwark run samples/adult.yaml --data FOLDER -o runs/adult
            """) { file, data, output, fresh, GlobalOptions.Ledger };
        access.AddTo(command);
        command.SetAction((parsed, cancel) => RunAsync(
            new Screen(parsed), access.Read(parsed), parsed.GetRequiredValue(file), parsed.GetValue(data), parsed.GetValue(output), parsed.GetValue(fresh), Workspace.At(parsed.GetValue(GlobalOptions.Workspace)!, parsed.GetValue(GlobalOptions.Ledger)), cancel));
        return command;
    }

    private static async Task<int> RunAsync(Screen screen, InputAccess access, FileInfo file, DirectoryInfo? data, string? output, bool fresh, Workspace workspace, CancellationToken cancel)
    {
        var findings = await FindAsync(screen, access, file, data, output, fresh, workspace, cancel);
        var report = ReportFile.Write(findings.Folder, RunReport.Of(findings));
        await RunStatement.WriteAsync(Path.GetFullPath(findings.Folder), workspace, findings.Pipeline.Name, cancel);
        return RunAnswer.Give(screen, findings, report);
    }

    /// <summary>Runs the pipeline, or takes what an earlier run found.</summary>
    internal static async Task<RunFindings> FindAsync(Screen screen, InputAccess access, FileInfo file, DirectoryInfo? data, string? output, bool fresh, Workspace workspace, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        var pipeline = PipelineFile.Load(file);
        var source = MakingData.Folder(data, file, pipeline.Data.Train);
        var path = output ?? Path.Combine("runs", pipeline.Name);
        if (fresh && !Path.GetRelativePath(path, workspace.Directory.FullName).StartsWith("..", StringComparison.Ordinal))
            throw new CommandException($"The workspace {workspace.Directory.FullName} is inside the run's folder: --fresh would remove its keys and its ledger.", "name a workspace outside it with -w");
        var folder = fresh ? null : RunFolder.Open(path, fresh: false);
        if (!workspace.Exists)
        {
            _ = await Workspace.CreateAsync(workspace.Directory, Environment.GetEnvironmentVariable(Workspace.PassphraseVariable) is { Length: > 0 } passphrase ? passphrase : null);
            screen.Note($"[grey]made a workspace in {Markup.Escape(workspace.Directory.FullName)}[/]");
        }

        var (train, test, from, testFrom) = await screen.ProgressAsync("read data", _ => MakingData.ReadAsync(pipeline, source, workspace, access, cancel));
        if (fresh)
            RequireRoom(pipeline, train, workspace);   // before anything of the last run is removed
        folder ??= RunFolder.Open(path, fresh);
        folder.Log = await workspace.LogNameAsync();
        var holdout = await MakingData.ReadHoldoutAsync(pipeline, source, train.Schema, workspace, access, cancel);
        var findings = await new PipelineRun(folder, workspace, screen).RunAsync(pipeline, train, test, holdout, $"bulwark run {file.Name}", from, testFrom, cancel);
        findings = findings with { Plan = findings.Baseline is null ? null : await PlanStep.RunAsync(folder, findings, cancel) };
        return findings with { Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds };
    }

    /// <summary>Refuses a clean start whose private variants the budget has no room for.</summary>
    private static void RequireRoom(PipelineFile pipeline, Dataset train, Workspace workspace)
    {
        PrivacyEvent[] costs = [.. pipeline.Variants.Where(variant => variant.Private is not null).Select(variant => TrainingRun.Cost(MakingLine.Options(pipeline, variant), train.Schema.Width))];
        if (costs.Length == 0)
            return;
        using var ledger = workspace.OpenLedger();
        if (ledger.BudgetOf(train.Commitment.ToString()) is not null)
            ledger.RequireRoom(train.Commitment.ToString(), new ComposedEvent(costs));
    }
}
