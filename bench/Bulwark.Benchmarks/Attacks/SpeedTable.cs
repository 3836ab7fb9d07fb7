using System.Diagnostics;
using Bulwark.Assurance;
using Bulwark.Benchmarks.Robust;
using Bulwark.Training;

namespace Bulwark.Benchmarks.Attacks;

/// <summary>What attacks cost, in CPU seconds of this process, beside their limits.</summary>
internal static class SpeedTable
{
    internal static int Run()
    {
        Console.WriteLine("| what | CPU seconds | limit |");
        Console.WriteLine("| --- | --- | --- |");
        if (Directory.Exists(PhishingRows.Folder))
            Constrained();
        else
            Console.WriteLine("| CAPGD: the URL data are absent (BULWARK_SHARED) | | |");
        if (FashionImages.Exist)
            Images();
        else
            Console.WriteLine("| image suite: Fashion-MNIST is absent (BULWARK_SHARED) | | |");
        return 0;
    }

    /// <summary>Rows that all resist, so that every step is taken: the dearest case.</summary>
    private static void Constrained()
    {
        var data = PhishingRows.Read();
        var space = data.Space();
        var (train, validation, test) = data.Split(0);
        var trained = Trainer.Train(data.Encode(train), data.Encode(validation), new() { Hidden = [128, 64, 32], Epochs = 20, Robust = new() { Method = RobustMethod.Trades, Norm = RobustNorm.Length, Epsilon = 0.5, Steps = 3, OnlyPositives = false } });
        var model = new DifferentiableNetwork<float>(trained.Network);
        int[] positives = [.. test.Where(row => data.Labels[row] == 1).Take(1000)];
        var (raw, labels) = (data.Pick(positives), Enumerable.Repeat(1, positives.Length).ToArray());
        var fell = 0;
        var best = double.PositiveInfinity;
        for (var repeat = 0; repeat < 15; repeat++)
        {
            var clock = Cpu();
            fell = new ConstrainedGradientDescent { Epsilon = 0.5 }.Run(model, space, raw, labels, new float[raw.Length]).Count(one => one);
            best = Math.Min(best, Cpu() - clock);
        }

        Console.WriteLine($"| CAPGD, {positives.Length} rows × 10 steps × 2 starts, least of 15 ({fell} fall) | {best:F3} | 0.15 |");
    }

    /// <summary>The suite that a build runs: APGD-CE and targeted APGD on 500 images, on a network trained for a moment against moved images.</summary>
    private static void Images()
    {
        var (train, _, test) = FashionImages.Read();
        var robust = new RobustOptions { Epsilon = FashionImages.Epsilon, Steps = 1, Method = RobustMethod.RandomStartFgsm, OnlyPositives = false, CleanWeight = 0 };
        var trained = Trainer.Train(FashionImages.Rows(train, 0, 20_000), null, new() { Hidden = [100], Classes = FashionImages.Classes, Convolutions = FashionImages.Stack, Epochs = 3, KeepBest = false, Robust = robust });
        var target = new PointTarget(new QueriedNetwork(new DifferentiableNetwork<float>(trained.Network)), new DifferentiableNetwork<float>(trained.Network)) { Image = (1, 28, 28) };
        var (rows, labels) = (test.Features[..(500 * 784)], test.Labels[..500]);
        var clock = Cpu();
        var report = AttackSuite.Run(target, rows, labels, new() { Attacks = ["apgd-ce", "apgd-t"], Strengths = [FashionImages.Epsilon] });
        Console.WriteLine($"| build suite (apgd-ce, apgd-t, F1 to F14), 500 images, small CNN: {report.Clean.Count} right, {report.Curve[0].Robust.Count} hold, flags {string.Join(" ", report.Flags.Select(flag => flag.Id))} | {Cpu() - clock:F1} | 15 |");
    }

    private static double Cpu() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
}
