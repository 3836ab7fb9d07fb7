using System.Globalization;
using Bulwark.Cli;
using Bulwark.Cli.Making;
using Bulwark.Models;
using Bulwark.Privacy;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Training;

/// <summary>What privacy costs in accuracy on public data sets: the mean of several seeds beside the same features without privacy. Test rows are looked at once, by this table.</summary>
internal static class AccuracyTable
{
    private static readonly (string Pipeline, int? Bins, IReadOnlyList<int>? Hidden, double Epsilon, double Accuracy, double Auc, bool Objective)[] s_goals =
    [
        ("samples/adult.yaml", 12, [], 1, 0.856, 0.907, false),
        ("samples/adult.yaml", 12, [], 0.5, 0.855, 0.905, false),
        ("samples/adult.yaml", 12, [64, 32], 1, 0.850, 0, false),
        ("samples/adult.yaml", 12, null, 1, 0, 0, false),
        ("samples/credit-default.yaml", null, [], 1, 0, 0.770, false),
        ("bench/Bulwark.Benchmarks/Training/ulb-subset.yaml", null, [], 0.5, 0, 0.968, false),
        ("bench/Bulwark.Benchmarks/Training/ulb-subset.yaml", null, [], 1, 0, 0.977, false),
        ("samples/adult.yaml", 12, [], 1, 0.834, 0.877, true),   // the goals: a usual objective perturbation with its best regulariser, by the notes of the peers
        ("samples/adult.yaml", 12, [], 0.5, 0.811, 0.861, true),
    ];

    internal static int Run(string[] args)
    {
        var seeds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10;
        Console.WriteLine($"delta 1e-5, add or remove one row; mean and standard deviation of {seeds} runs; every option at its default");
        Console.WriteLine();
        Console.WriteLine("| data | model | rows | columns | epsilon | accuracy | AUC | goal | without privacy |");
        Console.WriteLine("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |");
        var held = true;
        foreach (var goal in s_goals)
            held &= Row(goal.Pipeline, goal.Bins, goal.Hidden, goal.Epsilon, goal.Accuracy, goal.Auc, goal.Objective, seeds);
        return held ? 0 : 1;
    }

    private static bool Row(string file, int? bins, IReadOnlyList<int>? hidden, double epsilon, double accuracyGoal, double aucGoal, bool objective, int seeds)
    {
        var pipeline = PipelineFile.Load(new FileInfo(Path.Combine(RepositoryFolder.Path, file)));
        var (train, test, _, _) = MakingData.ReadAsync(pipeline, MakingData.Folder(null, new FileInfo(file), pipeline.Data.Train), Workspace.At(new DirectoryInfo(Path.GetTempPath())), InputAccess.Kept("bench"), CancellationToken.None).GetAwaiter().GetResult();
        if (bins is { } count)
        {
            var schema = train.Schema.WithEqualBins(count);
            (train, test) = (train.WithSchema(schema), test.WithSchema(schema));
        }

        var encoder = new FeatureEncoder(train.Schema);
        var (rows, judge) = (train.Encode(encoder), test.Encode(encoder));
        var options = new TrainingOptions { Hidden = hidden ?? [], Additive = hidden is null ? new AdditiveOptions() : null, Private = new PrivacyOptions { Epsilon = epsilon, ObjectivePerturbation = objective } };
        var runs = Enumerable.Range(1, seeds).Select(seed => Evaluate(rows, judge, options with { Seed = (ulong)seed })).ToList();
        var plain = Evaluate(rows, judge, options with { Private = null });
        var (accuracy, auc) = (runs.Average(run => run.Accuracy), runs.Average(run => run.Auc));
        var holds = accuracy >= accuracyGoal && auc >= aucGoal;
        Console.WriteLine(FormattableString.Invariant(
            $"| {pipeline.Name} | {(hidden is null ? "ebm" : objective ? "lr, objective" : hidden.Count == 0 ? "lr" : "mlp")} | {rows.Rows} | {rows.Width} | {epsilon} | {accuracy:P2} ± {Deviation(runs, run => run.Accuracy):P2} | {auc:F4} ± {Deviation(runs, run => run.Auc):F4} | {(accuracyGoal > 0 ? $"{accuracyGoal:P1} " : "")}{(aucGoal > 0 ? $"{aucGoal:F3} " : "")}{(holds ? "held" : "MISSED")} | {plain.Accuracy:P2}, {plain.Auc:F4} |"));
        return holds;
    }

    private static double Deviation(List<Evaluation> runs, Func<Evaluation, double> figure)
    {
        var mean = runs.Average(figure);
        return Math.Sqrt(runs.Sum(run => Math.Pow(figure(run) - mean, 2)) / Math.Max(1, runs.Count - 1));
    }

    private static Evaluation Evaluate(EncodedDataset train, EncodedDataset test, TrainingOptions options)
    {
        var folder = Directory.CreateTempSubdirectory("bulwark-bench-");
        try
        {
            using var ledger = PrivacyLedger.Open(Path.Combine(folder.FullName, "ledger.jsonl"));
            ledger.SetBudget("data", new PrivacyBudget(10, 1e-5));
            return Evaluation.Of(Trainer.Score(Trainer.Train(train, null, options, new PrivacyAccount(ledger, "data")).Network, test), test.Labels);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
