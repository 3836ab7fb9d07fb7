using System.Diagnostics;
using Bulwark.Assurance;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Membership;

/// <summary>What a gate of 1 % at 0.1 % false positives says: of boosted trees that overfit, it must fail them; of a network trained for few epochs, it must pass it.</summary>
internal static class MembershipGates
{
    private const int Models = 32;
    private const int Targets = 8;
    private const double Limit = 0.01;

    internal static int Run(EncodedDataset rows)
    {
        Console.WriteLine($"{Models} models each, every one on a random half of {rows.Rows} rows; the first {Targets} are targets in turn, the others their shadows; likelihood ratio online, pooled; gate: at most {Limit:P0} found at 0.1 % false positives, with 95 % confidence");
        Console.WriteLine();
        Console.WriteLine("| model | AUC | found at 1 % | found at 0.1 % | at least (95 %) | gate | wanted | CPU s |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | --- | --- | ---: |");
        var held = true;
        held &= Judge("boosted trees, 200 of depth 6, rate 0.3", false, Trees(rows, new() { Trees = 200, Depth = 6, LearningRate = 0.3 }));
        held &= Judge("network 128-64-32, 15 epochs", true, Networks(rows, 15));
        return held ? 0 : 1;
    }

    private static bool Judge(string name, bool wanted, Func<(double[][] Confidences, bool[][] IsIn)> train)
    {
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var (confidences, isIn) = train();
        var seconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
        var curves = Enumerable.Range(0, Targets).Select(target => MembershipCurve.Of(
            LikelihoodRatio.Scores([.. confidences.Where((_, model) => model != target)], [.. isIn.Where((_, model) => model != target)], confidences[target], LikelihoodRatioKind.OnlinePooled), isIn[target])).ToList();
        var strict = curves.Select(curve => curve.At(0.001)).ToList();
        var passes = strict.Count(point => point.Lower <= Limit);
        var passed = passes > Targets / 2;
        Console.WriteLine(FormattableString.Invariant($"| {name} | {curves.Average(curve => curve.Auc):F3} | {curves.Average(curve => curve.At(0.01).TruePositiveRate):P2} | {strict.Average(point => point.TruePositiveRate):P2} | {strict.Average(point => point.Lower):P2} | {(passed ? "passes" : "fails")} ({passes} of {Targets} pass) | {(wanted ? "passes" : "fails")} | {seconds:F0} |"));
        return passed == wanted;
    }

    private static Func<(double[][], bool[][])> Networks(EncodedDataset rows, int epochs) => () =>
    {
        var shadows = ShadowModels.Train(rows, new TrainingOptions { Hidden = [128, 64, 32], Epochs = epochs, BatchSize = 128, KeepBest = false }, Models, 1, null, CancellationToken.None);
        return (shadows.Confidences, shadows.IsIn);
    };

    private static Func<(double[][], bool[][])> Trees(EncodedDataset rows, TreeTrainingOptions options) => () =>
    {
        var (confidences, isIn) = (new double[Models][], new bool[Models][]);
        for (var model = 0; model < Models; model++)
        {
            // As shadow models of networks: every row in half of the models, by pairs of complements.
            int[] order = [.. Enumerable.Range(0, rows.Rows)];
            new Random(model / 2).Shuffle(order);
            isIn[model] = new bool[rows.Rows];
            foreach (var row in model % 2 == 0 ? order[..(rows.Rows / 2)] : order[(rows.Rows / 2)..])
                isIn[model][row] = true;
            int[] mine = [.. Enumerable.Range(0, rows.Rows).Where(row => isIn[model][row])];
            var trees = TreeTrainer.Train([.. mine.SelectMany(row => rows.Row(row).ToArray())], [.. mine.Select(row => rows.Labels[row])], rows.Width, options);
            confidences[model] = [.. Enumerable.Range(0, rows.Rows).Select(row => rows.Labels[row] == 1 ? trees.Margin(rows.Row(row)) : -trees.Margin(rows.Row(row)))];
            Console.Error.WriteLine($"{DateTime.UtcNow:HH:mm:ss} trees {model + 1} of {Models}");
        }

        return (confidences, isIn);
    };
}
