using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Bulwark.Assurance;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Robust;

/// <summary>Adversarial training of the small network on Fashion-MNIST, ε 0.1: what each way costs in processor time and in accuracy, and what it withstands.</summary>
internal static class ImageTable
{
    private static readonly Dictionary<string, RobustOptions?> s_ways = new(StringComparer.Ordinal)
    {
        ["standard"] = null,
        ["pgd7"] = Pgd(7, 0.25 * FashionImages.Epsilon),
        ["pgd3"] = Pgd(3, null),
        ["pgd2"] = Pgd(2, null),
        ["pgd7-average"] = Pgd(7, 0.25 * FashionImages.Epsilon),
        ["pgd2-average"] = Pgd(2, null),
        ["pgd7-awp-average"] = Pgd(7, 0.25 * FashionImages.Epsilon) with { WeightPerturbation = 0.005 },
        ["pgd2-awp-average"] = Pgd(2, null) with { WeightPerturbation = 0.005 },
        ["pgd7-awp"] = Pgd(7, 0.25 * FashionImages.Epsilon) with { WeightPerturbation = 0.005 },
        ["pgd2-awp"] = Pgd(2, null) with { WeightPerturbation = 0.005 },
        ["rs-fgsm"] = Of(RobustMethod.RandomStartFgsm),
        ["n-fgsm"] = Of(RobustMethod.NoisyFgsm),
        ["free8"] = Of(RobustMethod.Free) with { Steps = 8 },
        ["trades6"] = Pgd(7, 0.25 * FashionImages.Epsilon) with { Method = RobustMethod.Trades, AdversarialWeight = 6 },
        ["mart5"] = Pgd(7, 0.25 * FashionImages.Epsilon) with { Method = RobustMethod.Mart, AdversarialWeight = 5 },
        ["mixed"] = Pgd(7, 0.25 * FashionImages.Epsilon) with { CleanWeight = 1, AdversarialWeight = 0.5 },
    };

    private const string Averaged = "-average";
    private const double AverageDecay = 0.999;   // two epochs and more of 461 steps each

    internal static string Ways => string.Join(", ", s_ways.Keys);

    internal static int Run(string[] args)
    {
        var (ways, settings) = (args.TakeWhile(arg => !arg.StartsWith("--", StringComparison.Ordinal)).ToList(), Settings(args));
        if (!FashionImages.Exist || ways.Count == 0 || ways.Any(way => !s_ways.ContainsKey(way)))
        {
            Console.Error.WriteLine($"robust images WAY… [--epochs N] [--seed N] [--rate R] [--choose] [--save DIR]; ways: {Ways}. Images are read from {FashionImages.Folder}.");
            return 2;
        }

        var (train, validation, test) = FashionImages.Read();
        Console.WriteLine($"Fashion-MNIST, {FashionImages.Shape}, epsilon {FashionImages.Epsilon}, batch 128, {settings.Epochs} epochs, seed {settings.Seed}; {train.Rows} training images; one thread");
        Console.WriteLine();
        if (settings.Choose)
            test = validation;   // settings are chosen on images that were held out of training; the test images are judged once, by what was chosen
        Console.WriteLine($"| training | epochs | processor s (a training epoch) | clean, {test.Rows} | PGD-20, 1,000 | worst of PGD-20, APGD-CE, APGD-T, 1,000 {(settings.Choose ? "validation" : "test")} images |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: |");
        foreach (var way in ways)
        {
            var (run, spent) = Fit(way, settings, train, validation);
            var (clean, pgd, worst) = Judge(run.Network, test, whole: false);
            Console.WriteLine(FormattableString.Invariant(
                $"| {way} | {settings.Epochs}, kept {run.BestEpoch} | {spent:F0} ({spent / settings.Epochs:F1}) | {100 * clean:F1} | {100 * pgd:F1} | {100 * worst:F1} |"));
            foreach (var epoch in run.Epochs)
                Console.Error.WriteLine(FormattableString.Invariant($"{way} epoch {epoch.Epoch}: loss {epoch.TrainingLoss:F3}, validation under attack {epoch.RobustAccuracy:P1}{(epoch.GuardTripped ? ", guard tripped" : "")}"));
        }

        return 0;
    }

    /// <summary>Judges parameters that an earlier run saved; with <c>--whole</c> by all four attacks of AutoAttack.</summary>
    internal static int Attack(string[] args)
    {
        var whole = args.Contains("--whole");
        var test = FashionImages.Rows(FashionImages.Read().Test, 0, 10_000);
        foreach (var file in args.Where(file => file != "--whole"))
        {
            var network = new DenseNetwork<float>(FashionImages.Shape);
            MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(file)).CopyTo(network.Parameters);
            var (clean, pgd, worst) = Judge(network, test, whole);
            Console.WriteLine(FormattableString.Invariant($"| {Path.GetFileName(file)} | {100 * clean:F1} | {100 * pgd:F1} | {100 * worst:F1} |"));
        }

        return 0;
    }

    /// <summary>Trains one way; returns the processor seconds too, the validation after each epoch among them.</summary>
    internal static (TrainedNetwork Run, double Seconds) Fit(string way, RunSettings settings, EncodedDataset train, EncodedDataset validation)
    {
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var run = Trainer.Train(train, validation, Options(way, settings), progress: new Shown(way));
        var spent = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
        if (settings.Save is { } folder)
            File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(folder).FullName, $"{way}-{settings.Seed}.f32"), MemoryMarshal.AsBytes<float>(run.Network.Parameters).ToArray());
        return (run, spent);
    }

    /// <summary>Shares that are right: of all images untouched, of the first thousand under PGD-20, and under every attack.</summary>
    internal static (double Clean, double Pgd, double Worst) Judge(DenseNetwork<float> network, EncodedDataset images, bool whole)
    {
        var clean = Right(network, images.Features, images.Labels).Count(right => right) / (double)images.Rows;
        var (pgd, worst) = Withstands(network, FashionImages.Rows(images, 0, 1000), whole);
        return (clean, pgd, worst);
    }

    private static TrainingOptions Options(string way, RunSettings settings) => new()
    {
        Convolutions = FashionImages.Stack,
        Hidden = FashionImages.Shape.Hidden,
        Classes = FashionImages.Classes,
        Epochs = settings.Epochs,
        BatchSize = 128,
        LearningRate = settings.Rate,
        Seed = settings.Seed,
        WeightAverage = way.EndsWith(Averaged, StringComparison.Ordinal) ? AverageDecay : 0,
        Robust = s_ways[way],
    };

    private static RobustOptions Pgd(int steps, double? stepSize) => Of(RobustMethod.ProjectedGradient) with { Steps = steps, StepSize = stepSize };

    private static RobustOptions Of(RobustMethod method) => new() { Method = method, Epsilon = FashionImages.Epsilon, OnlyPositives = false, CleanWeight = 0 };

    private static (double Pgd, double Worst) Withstands(DenseNetwork<float> network, EncodedDataset rows, bool whole)
    {
        var points = new float[rows.Features.Length];
        new ProjectedGradientDescent { Epsilon = FashionImages.Epsilon, StepSize = FashionImages.Epsilon / 10, Steps = 20 }.Run(network, rows.Features, rows.Labels, [], points);
        var pgd = Right(network, points, rows.Labels);
        var broken = new bool[rows.Rows];
        var climb = new AutoProjectedGradientDescent { Epsilon = FashionImages.Epsilon, Steps = 100 };
        climb.Run(network, rows.Features, rows.Labels, [], points, [], broken);
        for (var row = 0; row < rows.Rows; row++)
            broken[row] |= !pgd[row];
        TargetedEnsemble.Climb(climb with { Loss = Loss.Dlr }, new DifferentiableNetwork<float>(network), rows.Features, rows.Labels, [], points, broken);
        if (whole)
            RestOfTheEnsemble(network, rows, broken);
        return (pgd.Count(right => right) / (double)rows.Rows, broken.Count(row => !row) / (double)rows.Rows);
    }

    /// <summary>FAB towards nine targets and Square, each on what still resists; minutes more, and a tenth of a point.</summary>
    private static void RestOfTheEnsemble(DenseNetwork<float> network, EncodedDataset rows, bool[] broken)
    {
        var points = new float[rows.Features.Length];
        var model = new DifferentiableNetwork<float>(network);
        TargetedEnsemble.Boundary(new FastAdaptiveBoundary { Norm = PerturbationNorm.Linf }, FashionImages.Epsilon, model, rows.Features, rows.Labels, [], points, broken);
        var left = Enumerable.Range(0, rows.Rows).Where(row => !broken[row]).ToArray();
        float[] images = [.. left.SelectMany(row => rows.Row(row).ToArray())], moved = new float[images.Length];
        int[] labels = [.. left.Select(row => rows.Labels[row])];
        new SquareAttack { Epsilon = FashionImages.Epsilon, Height = 28, Width = 28 }.Run(new QueriedNetwork(model), images, labels, moved);
        var right = Right(network, moved, labels);
        for (var i = 0; i < left.Length; i++)
            broken[left[i]] |= !right[i];
    }

    private static bool[] Right(DenseNetwork<float> network, float[] features, int[] labels)
    {
        var outputs = network.Shape.Outputs;
        var logits = new float[labels.Length * outputs];
        network.Forward(features, labels.Length, logits);
        return [.. labels.Select((label, row) => LossFunction.Predict<float>(logits.AsSpan(row * outputs, outputs)) == label)];
    }

    internal static RunSettings Settings(string[] args)
    {
        string? Of(string name) => Array.IndexOf(args, name) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
        return new(
            int.Parse(Of("--epochs") ?? "15", CultureInfo.InvariantCulture),
            ulong.Parse(Of("--seed") ?? "1", CultureInfo.InvariantCulture),
            double.Parse(Of("--rate") ?? "8e-3", CultureInfo.InvariantCulture),
            args.Contains("--choose"),
            Of("--save"));
    }

    internal readonly record struct RunSettings(int Epochs, ulong Seed, double Rate, bool Choose, string? Save);

    /// <summary>A line an epoch on the error stream: the table alone goes to the output.</summary>
    private sealed class Shown(string way) : IProgress<TrainingProgress>
    {
        private string _phase = "";

        public void Report(TrainingProgress value)
        {
            if (value.Phase == _phase)
                return;
            _phase = value.Phase;
            Console.Error.WriteLine($"{DateTime.UtcNow:HH:mm:ss} {way}: {value.Phase}");
        }
    }
}
