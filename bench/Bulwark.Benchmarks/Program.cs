using System.Globalization;
using BenchmarkDotNet.Running;
using Bulwark.Benchmarks;

// dotnet run --project bench/Bulwark.Benchmarks -c Release [SECONDS]      the kernel beside the core's peak, interleaved, minima
// dotnet run --project bench/Bulwark.Benchmarks -c Release -- --statistics [BenchmarkDotNet's options]
// dotnet run --project bench/Bulwark.Benchmarks -c Release -- AREA …      one area beside its limits: see Areas below
return args switch
{
    ["--statistics", .. var rest] => Statistics(rest),
    [var area, .. var rest] when Areas.Find(area) is { } run => run(rest),
    [var seconds] => Kernel(double.Parse(seconds, CultureInfo.InvariantCulture)),
    _ => Kernel(10),
};

static int Statistics(string[] options)
{
    BenchmarkSwitcher.FromTypes([typeof(NetworkBenchmarks)]).Run(options);
    return 0;
}

static int Kernel(double seconds)
{
    PeakTable.Print(Console.Out, TimeSpan.FromSeconds(seconds));
    return 0;
}
