using System.Diagnostics;
using Bulwark.Assurance;
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
        Console.WriteLine();
        return ImageSuite.Run();
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

    private static double Cpu() => Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
}
