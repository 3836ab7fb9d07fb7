using Bulwark.Cli.Serving;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>The whole line over one pipeline: train, attack, seal, serve for a moment. Planning needs all figures, and is left to who has them.</summary>
internal sealed class PipelineRun(RunFolder folder, Workspace workspace, Screen screen)
{
    internal async Task<RunFindings> RunAsync(PipelineFile pipeline, Dataset train, Dataset test, Dataset? holdout, string command, CancellationToken cancel)
    {
        var line = new MakingLine(pipeline, train, test, holdout, folder, workspace, screen);
        await line.CommitAsync(cancel);
        var variants = await line.TrainAsync(cancel);
        var (evasion, membership) = await line.AttackAsync(variants, cancel);
        var seal = await line.SealAsync(variants, evasion, cancel);
        return new RunFindings
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
            Serving = seal is null ? null : await ServeAsync(seal, line.VariantFolder(pipeline.Seal!), test, cancel),
            Seconds = 0,
        };
    }

    private async Task<StepRecord<ServingFinding>> ServeAsync(StepRecord<SealFinding> seal, string model, Dataset test, CancellationToken cancel)
    {
        var what = new ServingCase(seal.Result.Package, seal.Result.Name, seal.Result.PackageDigest, folder.File("pki"), folder.File("receipt"), Ordinary(test, model), Outlier(test));
        return await folder.StepAsync("serve", seal.Result.PackageDigest, [.. ServingTrial.Evidence.Select(file => Path.Combine(what.ReceiptFolder, file))], () => screen.ProgressAsync("serve, predict, verify, refuse", progress => new ServingTrial(workspace, screen).RunAsync(what, progress, cancel)));
    }

    /// <summary>The first honest test row that the model's input screen lets through: a share of them it refuses by its very calibration.</summary>
    private static float[] Ordinary(Dataset test, string model)
    {
        var inputScreen = InputScreen.FromJson(File.ReadAllBytes(Path.Combine(model, ModelFolder.ScreenName)));
        var encoder = new FeatureEncoder(test.Schema);
        for (var i = 0; i < test.Rows; i++)
        {
            var row = test.Row(i).ToArray();
            if (test.Labels[i] == 0 && inputScreen.Check(row, encoder.Encode(row)).IsAccepted)
                return row;
        }

        throw new InvalidDataException("The input screen refuses every negative test row: there is nothing to serve.");
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
