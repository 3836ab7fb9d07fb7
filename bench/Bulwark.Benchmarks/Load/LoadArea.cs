using System.Diagnostics;
using System.Globalization;
using Bulwark.Benchmarks.Gateway;
using Bulwark.Lineage;
using Bulwark.Server;

namespace Bulwark.Benchmarks.Load;

/// <summary>A gateway under clients that come in thousands, dawdle, lie and leave: what is answered, what memory stays, what is recorded.</summary>
internal static class LoadArea
{
    private const double MostGrowthMegabytes = 64;

    /// <summary>dotnet run --project bench/Bulwark.Benchmarks -c Release -- load [CONNECTIONS]</summary>
    internal static int Run(string[] arguments)
    {
        if (arguments is ["clients", .. var rest])
            return LoadClients.Run(rest);
        var connections = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 10_000;
        return RunAsync(connections).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(int connections)
    {
        using var stage = await GatewayStage.CreateAsync();
        var options = stage.Options(64, ReceiptMode.Asked) with { MaximumConnections = connections + 1000, MaximumConcurrentRequests = 4096 };
        var (answered, faults, start) = (0L, 0, 0.0);
        await using (var host = await GatewayHost.StartAsync(options, default))
        {
            foreach (var (name, count) in ((string, int)[])[("warm-up", 500), ("many", connections), ("slow", 200), ("hostile", 2000), ("many", connections)])
            {
                var isWarmUp = name == "warm-up";
                var began = Stopwatch.GetTimestamp();
                var said = await ClientsAsync(host, stage, name, count, out var peak);
                var settled = Settled();
                start = isWarmUp ? settled : start;   // code, pools and threads that any traffic brings
                answered += long.Parse(said.Split(' ').First(word => word.StartsWith("recorded=", StringComparison.Ordinal))["recorded=".Length..], CultureInfo.InvariantCulture);
                var sound = said.EndsWith(" sound", StringComparison.Ordinal) && settled - start < MostGrowthMegabytes;
                faults += sound ? 0 : 1;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name,-8}{count,7:N0} in {Stopwatch.GetElapsedTime(began).TotalSeconds,5:N0} s: {said}; since the warm-up {(isWarmUp ? 0 : peak - start):+0.0;-0.0} MB at the most, {settled - start:+0.0;-0.0} MB when all are gone (limit {MostGrowthMegabytes}): {(sound ? "held" : "MISSED")}"));
            }
        }

        var lines = Directory.EnumerateFiles(options.TrailDirectory!).Sum(file => File.ReadLines(file).LongCount());
        var logged = await LoggedAsync(stage);
        var isWhole = lines >= answered && logged == lines;
        Console.WriteLine($"{answered:N0} answers that clients read and that decide something, {lines:N0} decisions in the trail, {logged:N0} in the log: {(isWhole ? "none unrecorded" : "SOME ARE MISSING")}");
        return faults == 0 && isWhole ? 0 : 1;
    }

    /// <summary>Decisions that the log's groups hold, each entry held against the tree and its signature checked.</summary>
    private static async Task<long> LoggedAsync(GatewayStage stage)
    {
        await stage.Log.FlushAsync();
        var decisions = 0L;
        foreach (var (_, entry) in stage.Log.ReadEntries())
        {
            var statement = Statement.Parse(Dsse.Verify(entry, stage.Keys.PublicKey("signing")) is { Verdict: DsseVerdict.Trusted } opened ? opened.Payload : throw new InvalidDataException("An entry is not signed."));
            if (statement.PredicateType == PredicateTypes.AccessBatch)
                decisions += statement.Read<RequestsJudged>().Decisions.Count;
        }

        return decisions;
    }

    /// <summary>The resident memory of this process, which is the server, when nothing is left to collect and its pools have let go what nobody uses; in MB.</summary>
    private static double Settled()
    {
        var (now, least) = (Collected(), double.MaxValue);
        for (var (wait, quiet) = (0, 0); wait < 12 && quiet < 4; wait++)   // Kestrel's pools let go within the minute
        {
            least = Math.Min(least, now);
            Thread.Sleep(TimeSpan.FromSeconds(10));
            now = Collected();
            quiet = least - now > 1 ? 0 : quiet + 1;
        }

        return now;
    }

    private static double Collected()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return Resident();
    }

    private static double Resident()
    {
        using var self = Process.GetCurrentProcess();
        return self.WorkingSet64 / 1048576.0;
    }

    private static Task<string> ClientsAsync(GatewayHost host, GatewayStage stage, string what, int count, out double peak)
    {
        using var child = ClientSide.Start("load", "clients", what, $"{host.BaseAddress.Port}", stage.Identity.Folder, $"{count}", stage.BodyFile);
        var said = child.StandardOutput.ReadToEndAsync();
        peak = Resident();
        while (!child.WaitForExit(250))
            peak = Math.Max(peak, Resident());
        return Task.FromResult(said.GetAwaiter().GetResult().Trim());
    }
}
