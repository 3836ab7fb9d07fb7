using System.Globalization;
using BenchmarkDotNet.Running;
using Bulwark.Benchmarks;

// dotnet run --project bench/Bulwark.Benchmarks -c Release [SECONDS]      the kernel beside the core's peak, interleaved, minima
// dotnet run --project bench/Bulwark.Benchmarks -c Release -- --statistics [BenchmarkDotNet's options]
if (args is ["--statistics", .. var rest])
{
    BenchmarkSwitcher.FromTypes([typeof(NetworkBenchmarks)]).Run(rest);
    return 0;
}

PeakTable.Print(Console.Out, TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 10));
return 0;
