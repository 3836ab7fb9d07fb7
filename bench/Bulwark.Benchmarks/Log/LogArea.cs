using System.Globalization;
using System.Runtime.InteropServices;
using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.Lineage;
using Bulwark.Tests.Servers;

namespace Bulwark.Benchmarks.Log;

/// <summary>The transparency log beside the disk's own flush rate, and what checking costs.</summary>
internal static class LogArea
{
    /// <summary>dotnet run --project bench/Bulwark.Benchmarks -c Release -- log [SECONDS] [FOLDER]: the folder says which disk.</summary>
    internal static int Run(string[] args)
    {
        var seconds = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 5);
        var folder = Directory.CreateDirectory(Path.Combine(args.Length > 1 ? args[1] : Path.Combine(RepositoryFolder.Path, "artifacts", "bench-log"), Guid.NewGuid().ToString("N"))).FullName;
        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores; entries of {AppendRates.EntryBytes} bytes");
        try
        {
            RunAsync(folder, seconds).GetAwaiter().GetResult();
            LargeLog.Run();
            ProofRates.Run(seconds);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(string folder, TimeSpan seconds)
    {
        using var signer = Signer.Generate();
        using var server = PostgresCluster.Binaries is null ? null : PostgresCluster.Start();
        Console.WriteLine($"{"store",-10} {"single/s",9} {"bare fsync/s",13} {"of it",7} | {"batched/s",10} {"p50",8} {"p99",8}   4096 appends outstanding");
        foreach (var kind in (string[])["files", "sqlite", "postgres"])
        {
            if (kind == "postgres" && server is null)
            {
                Console.WriteLine("postgres   not installed: eng/test-servers.sh");
                continue;
            }

            var directory = Path.Combine(folder, kind);
            ILogStore? store = kind switch
            {
                "sqlite" => SqliteLogStore.Open(Path.Combine(folder, "log.db")),
                "postgres" => await PostgresLogStore.OpenAsync(server!.CreateDatabase()),
                _ => null,
            };
            await using var log = await TransparencyLog.CreateAsync(directory, "bench.example/log", signer, store);
            var (single, bare) = await AppendRates.SingleAsync(log, directory, seconds);
            var (batched, p50, p99) = await AppendRates.BatchedAsync(log, 4096, seconds);
            await log.FlushAsync();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-10} {single,9:0} {bare,13:0} {100 * single / bare,6:0.0}% | {batched,10:0} {p50,5:0.0} ms {p99,5:0.0} ms   {log.Size} entries in the tree"));
        }
    }
}
