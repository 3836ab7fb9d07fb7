using System.Diagnostics;
using Bulwark.Privacy;

namespace Bulwark.Benchmarks.Privacy;

/// <summary>
/// The accountant on ordinary and on the worst inputs, calibration, noise and the ledger, beside their limits. CPU time of this process.
/// <c>-- privacy crash [OPERATIONS] [PROCESSES]</c> is the ledger under kill -9: see <see cref="CrashTrial"/>.
/// </summary>
internal static class PrivacyArea
{
    internal static int Run(string[] args) => args switch
    {
        ["crash", .. var rest] => CrashTrial.Run(rest),
        ["crash-child", var path, var seed] => CrashTrial.Child(path, int.Parse(seed)),
        _ => Table(),
    };

    private static int Table()
    {
        for (var i = 0; i < 40; i++)
            PldAccountant.Epsilon(PrivacyEvent.DpSgd(0.01 + (i * 1e-4), 1, 1000), 1e-5);   // compiled
        Console.WriteLine("one PLD epsilon (limit 30 ms, 200 MB allocated at most)");
        foreach (var (q, sigma, steps, delta) in new[]
        {
            (0.01, 1.0, 1000L, 1e-5), (0.0043, 1.1, 14062, 1e-5), (0.01, 4.0, 10_000, 1e-5), (0.001, 1.0, 100_000, 1e-8), (1e-4, 1.0, 1_000_000, 1e-10),
            (1e-6, 1.0, 1_000_000, 1e-9), (1e-6, 0.5, 10_000_000, 1e-8), (0.5, 20.0, 5000, 1e-8), (0.9, 100, 1_000_000, 1e-15), (0.001, 1.5, 100_000_000, 1e-6),
            (0.01, 0.05, 1_000_000, 1e-5), (0.3, 0.1, 10, 1e-12), (1e-5, 0.3, 20, 1e-13), (2e-5, 1.1, 11, 1e-15), (0.0003, 1000, 1_000_000, 1e-12), (0.2, 1.0, 1, 1e-5),
        })
        {
            var happened = PrivacyEvent.DpSgd(q, sigma, steps);
            var bounds = PldAccountant.Epsilon(happened, delta);
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            PldAccountant.Epsilon(happened, delta);
            bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
            var milliseconds = Enumerable.Range(0, 5).Min(_ => Cpu(() => PldAccountant.Epsilon(happened, delta)));
            Console.WriteLine($"  q {q,-7:g3} sigma {sigma,-5:g3} T {steps,-10} delta {delta,-6:g1}: {bounds.Lower,12:g7} .. {bounds.Upper,-12:g7} {milliseconds,6:f1} ms {bytes / 1e6,6:f1} MB {(milliseconds < 30 ? "" : "OVER")}");
        }

        Console.WriteLine("calibration (limit 300 ms)");
        foreach (var (q, steps, epsilon, delta) in new[] { (0.01, 10_000L, 2.0, 1e-5), (0.001, 20_000, 0.5, 1e-6), (0.0043, 14_063, 3.0, 1e-5), (0.1, 300, 8.0, 1e-6), (1.0, 100, 0.5, 1e-6), (1e-5, 1_000_000, 0.1, 1e-9) })
        {
            var noise = 0.0;
            var milliseconds = Enumerable.Range(0, 3).Min(_ => Cpu(() => noise = Calibration.DpSgdNoise(q, steps, new PrivacyBudget(epsilon, delta))));
            Console.WriteLine($"  q {q,-7:g3} T {steps,-8} epsilon {epsilon,-4:g3} delta {delta,-6:g1}: sigma {noise:g7} {milliseconds,6:f1} ms {(milliseconds < 300 ? "" : "OVER")}");
        }

        Noise();
        Ledger();
        return 0;
    }

    private static void Noise()
    {
        using var floats = new SecureNoise();
        using var integers = new DiscreteNoise();
        var values = new double[1 << 18];
        var whole = new long[1 << 17];
        floats.AddGaussian(values, 1);
        integers.AddGaussian(whole, 100);
        var rate = values.Length / Enumerable.Range(0, 15).Min(_ => Cpu(() => floats.AddGaussian(values, 1))) / 1000;
        Console.WriteLine($"Gaussian noise on a fine grid, for training: {rate:f0} M draws/s (limit 100)");
        foreach (var (name, draw) in new (string, Action)[]
        {
            ("discrete Gaussian, sigma 10", () => integers.AddGaussian(whole, 100)), ("discrete Gaussian, sigma 1024", () => integers.AddGaussian(whole, 1 << 20)),
            ("discrete Gaussian, sigma^2 a fraction", () => integers.AddGaussian(whole, 1_638_401, 65_536)), ("discrete Laplace, scale 10", () => integers.AddLaplace(whole, 10)),
        })
        {
            draw();
            Console.WriteLine($"{name}: {whole.Length / Enumerable.Range(0, 5).Min(_ => Cpu(draw)) / 1000:f1} M draws/s a core (limit 1)");
        }
    }

    private static void Ledger()
    {
        var folder = Directory.CreateTempSubdirectory("bulwark-ledger-");
        try
        {
            using var ledger = PrivacyLedger.Open(Path.Combine(folder.FullName, "ledger.jsonl"));
            ledger.SetBudget("data", new PrivacyBudget(1000, 1e-6));
            const int Total = 20_000;
            var clock = Stopwatch.StartNew();
            Task.WhenAll(Enumerable.Range(0, 256).Select(_ => Task.Run(async () =>
            {
                for (var i = 0; i < Total / 256; i++)
                    await ledger.ReserveAsync("data", new GaussianEvent(100), "bench");
            }))).GetAwaiter().GetResult();
            Console.WriteLine($"ledger, 256 callers in groups: {Total / 256 * 256 / clock.Elapsed.TotalSeconds:f0} durable reservations/s of wall time (limit 5000)");
            clock.Restart();
            for (var i = 0; i < 200; i++)
                ledger.Reserve("data", new GaussianEvent(100), "bench");
            Console.WriteLine($"ledger, one after the other: {200 / clock.Elapsed.TotalSeconds:f0} durable reservations/s");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double Cpu(Action work)
    {
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        work();
        return (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds;
    }
}
