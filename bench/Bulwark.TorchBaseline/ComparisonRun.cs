using Bulwark.Benchmarks;
using TorchSharp;

namespace Bulwark.TorchBaseline;

/// <summary>Bulwark against libtorch, interleaved, minima, one thread each.</summary>
internal static class ComparisonRun
{
    internal static void Print(TextWriter output, TimeSpan duration, string framework)
    {
        torch.set_num_threads(1);   // on shared virtual machines its spinning makes two threads a hundred times slower than one
        torch.random.manual_seed(1);
        Contender[] ours = [NetworkContenders.Product(512, 128, 128), .. NetworkContenders.Steps()];
        Contender[] theirs = [TorchContenders.Product(512, 128, 128), .. TorchContenders.Steps()];
        Contender[] all = [NetworkContenders.Peak(), .. ours, .. theirs];
        var minimum = InterleavedRun.MinimumMicroseconds(all, duration);
        double Of(string name) => minimum[Array.FindIndex(all, contender => contender.Name.StartsWith(name, StringComparison.Ordinal))];

        var peak = all[0].MegaFlop / minimum[0] * 1e3;
        output.WriteLine($"libtorch {torch.__version__}, {framework}, one thread; network {NetworkContenders.Shape}, batch {NetworkContenders.Batch}; microseconds, minimum of interleaved calls");
        output.WriteLine();
        output.WriteLine("| work | Bulwark | libtorch | ratio | Bulwark's share of the peak |");
        output.WriteLine("| --- | ---: | ---: | ---: | ---: |");
        foreach (var (name, rival) in Pairs)
        {
            var index = Array.FindIndex(all, contender => contender.Name.StartsWith(name, StringComparison.Ordinal));
            var share = all[index].MegaFlop / minimum[index] * 1e3 / peak;
            output.WriteLine(FormattableString.Invariant($"| {all[index].Name} | {minimum[index]:F0} | {Of(rival):F0} | {Of(rival) / minimum[index]:F2} | {share:P0} |"));
        }

        output.WriteLine();
        output.WriteLine(FormattableString.Invariant($"Multiply-add peak of one core, registers only, same run: {peak:F0} GFLOP/s."));
    }

    private static readonly (string Ours, string Theirs)[] Pairs =
    [
        ("product 512x128x128", "libtorch product"),
        ("training step", "libtorch training step"),
        ("training step, rows clipped", "libtorch training step"),
        ("private training step", "libtorch training step"),
        ("gradient to inputs", "libtorch gradient to inputs"),
        ("forward", "libtorch forward"),
    ];
}
