using Bulwark.Cli.Serving;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Training;

namespace Bulwark.Cli.Making;

/// <summary>The whole line over one pipeline: train, attack, seal, serve for a moment. Planning needs all figures, and is left to who has them.</summary>
internal sealed class PipelineRun(RunFolder folder, Workspace workspace, Screen screen)
{
    internal async Task<RunFindings> RunAsync(PipelineFile pipeline, Dataset train, Dataset test, Dataset? holdout, string command, IReadOnlyList<DataOrigin> madeFrom, IReadOnlyList<DataOrigin> testMadeFrom, CancellationToken cancel)
    {
        var line = new MakingLine(pipeline, train, test, holdout, folder, workspace, screen) { MadeFrom = madeFrom, TestMadeFrom = testMadeFrom };
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
            Serving = seal is null ? null : await ServeAsync(seal, line.VariantFolder(pipeline.Seal!), test.WithSchema(pipeline.Variants.First(variant => variant.Name == pipeline.Seal).Schema(test.Schema)), cancel),
            UnknownCategories = [.. train.UnknownCategories.Keys],
            SpentOnData = SpentOn(train, variants),
            Seconds = 0,
        };
    }

    private double? SpentOn(Dataset train, IReadOnlyList<StepRecord<VariantFinding>> variants)
    {
        if (variants.Select(variant => variant.Result.Report.Privacy).FirstOrDefault(privacy => privacy is not null) is not { } privacy)
            return null;
        using var ledger = workspace.OpenLedger();
        return ledger.Spent(train.Commitment.ToString(), privacy.Delta).Epsilon.Upper;
    }

    private async Task<StepRecord<ServingFinding>> ServeAsync(StepRecord<SealFinding> seal, string model, Dataset test, CancellationToken cancel)
    {
        var rows = new ServedRows(test, InputScreen.FromJson(await File.ReadAllBytesAsync(Path.Combine(model, ModelFolder.ScreenName), cancel)));
        var what = new ServingCase(seal.Result.Package, seal.Result.Name, seal.Result.PackageDigest, folder.File("pki"), folder.File("receipt"), rows.Ordinary(), rows.OutOfBounds(), rows.Outlier());
        return await folder.StepAsync("serve", seal.Result.PackageDigest, [.. ServingTrial.Evidence.Select(file => Path.Combine(what.ReceiptFolder, file))], () => screen.ProgressAsync("serve, predict, verify, refuse", progress => new ServingTrial(workspace, screen).RunAsync(what, progress, cancel)));
    }

    private static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);
}
