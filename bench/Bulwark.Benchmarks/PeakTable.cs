namespace Bulwark.Benchmarks;

/// <summary>The engine's work beside the multiply-add peak of the core, measured in the same run.</summary>
internal static class PeakTable
{
    internal static void Print(TextWriter output, TimeSpan duration)
    {
        Contender[] contenders =
        [
            NetworkContenders.Peak(),
            NetworkContenders.Product(512, 128, 128),
            NetworkContenders.TransposedProduct(128, 512, 128),
            NetworkContenders.Product(512, 30, 128),
            NetworkContenders.Product(512, 128, 2),
            .. NetworkContenders.Steps(),
        ];
        var minimum = InterleavedRun.MinimumMicroseconds(contenders, duration);
        var peak = contenders[0].MegaFlop / minimum[0] * 1e3;
        output.WriteLine($"network {NetworkContenders.Shape}, batch {NetworkContenders.Batch}, one thread; minimum of interleaved calls");
        output.WriteLine();
        output.WriteLine("| work | microseconds | GFLOP/s | share of the peak |");
        output.WriteLine("| --- | ---: | ---: | ---: |");
        for (var i = 0; i < contenders.Length; i++)
        {
            var speed = contenders[i].MegaFlop / minimum[i] * 1e3;
            output.WriteLine(FormattableString.Invariant($"| {contenders[i].Name} | {minimum[i]:F1} | {speed:F1} | {speed / peak:P0} |"));
        }
    }
}
