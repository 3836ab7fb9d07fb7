using System.Globalization;
using System.Text.Json;
using Bulwark.Assurance;
using Bulwark.Cli.Attacks;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Making;

/// <summary>One robust model for each adversarial weight, each attacked by the suite: the frontier between accuracy and robustness instead of one figure.</summary>
internal static class FrontierSweep
{
    private const int MostAttacked = 500;

    /// <summary>What one weight came to.</summary>
    /// <param name="Weight">The adversarial weight; 0 for the model without an attacker.</param>
    /// <param name="Folder">The model's folder.</param>
    /// <param name="Accuracy">On all test rows.</param>
    /// <param name="PrAuc">On all test rows.</param>
    /// <param name="Clean">Of the rows attacked, right untouched.</param>
    /// <param name="Robust">Of the rows attacked, right under every attack.</param>
    /// <param name="Flags">Red flags; with one the figure counts for nothing.</param>
    /// <param name="Report">The suite's report, which <c>attack frontier</c> reads.</param>
    internal sealed record Point(double Weight, string Folder, double Accuracy, double PrAuc, RowShare Clean, RowShare Robust, IReadOnlyList<string> Flags, string Report);

    internal static IReadOnlyList<double> Weights(string list) => [.. list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(text =>
        double.TryParse(text, CultureInfo.InvariantCulture, out var weight) && weight >= 0 && double.IsFinite(weight) ? weight : throw new CommandException($"'{text}' is no adversarial weight.", "for example --frontier 0,0.2,0.5,1,3"))];

    internal static async Task<Point> RunAsync(
        TrainingRequest request, double weight, TabularConstraints constraints, SuiteOptions attack, Workspace? workspace, IProgress<double> progress, CancellationToken cancel)
    {
        var name = FormattableString.Invariant($"weight-{weight}");
        var folder = new DirectoryInfo(Path.Combine(request.Output.FullName, name));
        var options = request.Options with { Robust = weight == 0 ? null : request.Options.Robust! with { AdversarialWeight = weight } };
        var one = request with { Name = $"{request.Name}-{name}", Options = options, Output = folder };
        var report = await TrainingRun.RunAsync(one, workspace, new Half(progress), cancel);
        using var model = AttackedModel.Open(folder);
        var schema = request.Test.Schema;
        var target = new TabularTarget(model.Scorer, new(new FeatureEncoder(schema), constraints.Compile(schema)), new DifferentiableNetwork<float>(model.Network!)) { Donors = (Rows(request.Train, 0), Rows(request.Train, 1)), Suspects = model.Suspects };
        var count = Math.Min(request.Test.Rows, MostAttacked);
        var suite = await Task.Run(() => AttackSuite.Run(target, request.Test.Raw[..(count * schema.Width)].ToArray(), request.Test.Labels[..count].ToArray(), attack, null, new Rest(progress), cancel), cancel);
        var file = Path.Combine(request.Output.FullName, $"{name}.json");
        AtomicFile.Write(file, JsonSerializer.SerializeToUtf8Bytes(SuiteAnswer.Of(one.Name, model.Digest, "test rows", request.Test.Commitment, suite, null), Screen.JsonOptions));
        return new(weight, folder.FullName, report.Evaluation.Accuracy, report.Evaluation.PrAuc, suite.Clean, suite.Curve[^1].Robust, [.. suite.Flags.Select(flag => flag.Id).Distinct()], file);
    }

    internal static void Draw(IAnsiConsole console, IReadOnlyList<Point> points, DirectoryInfo output)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("adversarial weight", "accuracy", "PR-AUC", "right of the attacked", "right under attack", "95 %", "flags");
        foreach (var point in points)
            table.AddRow(point.Weight.ToString(CultureInfo.InvariantCulture), $"{point.Accuracy:P2}", $"{point.PrAuc:f4}", $"{point.Clean.Rate:P1}", $"{point.Robust.Rate:P1}", $"{point.Robust.Lower:P1} to {point.Robust.Upper:P1}", string.Join(' ', point.Flags));
        console.Write(table);
        console.MarkupLine($"written: {Markup.Escape(output.FullName)}, a model folder and a suite report each (bulwark attack frontier draws them)");
    }

    private static float[] Rows(Dataset data, int label)
    {
        int[] chosen = [.. Enumerable.Range(0, data.Rows).Where(row => data.Labels[row] == label)];
        return AttackSuite.Pick(data.Raw.ToArray(), data.Schema.Width, chosen);
    }

    private sealed class Half(IProgress<double> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => progress.Report(value.Fraction / 2);
    }

    private sealed class Rest(IProgress<double> progress) : IProgress<double>
    {
        public void Report(double value) => progress.Report(0.5 + (value / 2));
    }
}
