using System.Diagnostics;
using Bulwark.Cli.Serving;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>The whole line over one pipeline: train, attack, seal, serve for a moment, plan.</summary>
internal sealed class PipelineRun(RunFolder folder, Workspace workspace, Screen screen)
{
    private readonly long _started = Stopwatch.GetTimestamp();

    internal async Task<RunFindings> RunAsync(PipelineFile pipeline, Dataset train, Dataset test, Dataset? holdout, string command, CancellationToken cancel)
    {
        var line = new MakingLine(pipeline, train, test, holdout, folder, workspace, screen);
        await line.CommitAsync(cancel);
        var variants = await line.TrainAsync(cancel);
        var (evasion, membership) = await line.AttackAsync(variants, cancel);
        var seal = await line.SealAsync(variants, evasion, cancel);
        var findings = new RunFindings
        {
            Pipeline = pipeline,
            Command = command,
            Folder = Relative(folder.Directory.FullName),
            Workspace = Relative(workspace.Directory.FullName),
            TrainingRows = train.Rows,
            TestRows = test.Rows,
            Variants = variants,
            Evasion = evasion,
            Membership = membership,
            Seal = seal,
            Serving = seal is null ? null : await ServeAsync(seal, test, cancel),
            Seconds = 0,
        };
        return findings with { Plan = findings.Baseline is null ? null : await PlanStep.RunAsync(folder, findings, cancel), Seconds = Stopwatch.GetElapsedTime(_started).TotalSeconds };
    }

    private async Task<StepRecord<ServingFinding>> ServeAsync(StepRecord<SealFinding> seal, Dataset test, CancellationToken cancel)
    {
        var ordinary = test.Row(Array.IndexOf(test.Labels, 0)).ToArray();
        var what = new ServingCase(seal.Result.Package, seal.Result.Name, seal.Result.PackageDigest, folder.File("pki"), folder.File("receipt"), ordinary, Outlier(test));
        return await folder.StepAsync("serve", seal.Result.PackageDigest, [], () => screen.ProgressAsync("serve, predict, verify, refuse", progress => new ServingTrial(workspace, screen).RunAsync(what, progress, cancel)));
    }

    /// <summary>A row whose every value is allowed and whose combination nobody makes: the most of one thing and the least of the next.</summary>
    private static float[] Outlier(Dataset test)
    {
        var row = new float[test.Width];
        for (var i = 0; i < row.Length; i++)
        {
            var feature = test.Schema.Features[i];
            row[i] = (float)(i % 2 == 0 ? feature.Maximum ?? 1 : feature.Minimum ?? 0);
        }

        return row;
    }

    private static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);
}
