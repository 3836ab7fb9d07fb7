using System.Diagnostics;
using System.Globalization;
using Bulwark.Benchmarks.Gateway;
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
        var (answered, faults) = (0L, 0);
        await using (var host = await GatewayHost.StartAsync(options, default))
        {
            foreach (var (name, count) in ((string, int)[])[("warm-up", 200), ("many", connections), ("slow", 200), ("hostile", 2000), ("many", connections)])
            {
                var before = Settled();
                var began = Stopwatch.GetTimestamp();
                var said = await ClientsAsync(host, stage, name, count, out var peak);
                var growth = Settled() - before;
                answered += long.Parse(said.Split(' ').First(word => word.StartsWith("recorded=", StringComparison.Ordinal))["recorded=".Length..], CultureInfo.InvariantCulture);
                var sound = said.EndsWith(" sound", StringComparison.Ordinal) && (name == "warm-up" || growth < MostGrowthMegabytes);
                faults += sound ? 0 : 1;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{name,-8}{count,7:N0} in {Stopwatch.GetElapsedTime(began).TotalSeconds,5:N0} s: {said}; memory {peak - before:+0.0;-0.0} MB at the most, {growth:+0.0;-0.0} MB afterwards (limit {MostGrowthMegabytes}): {(sound ? "held" : "MISSED")}"));
            }
        }

        var lines = Directory.EnumerateFiles(options.TrailDirectory!).Sum(file => File.ReadLines(file).LongCount());
        Console.WriteLine($"{answered:N0} answers that clients read and that decide something, {lines:N0} decisions in the trail: {(lines >= answered ? "none unrecorded" : "SOME ARE MISSING")}");
        return faults == 0 && lines >= answered ? 0 : 1;
    }

    /// <summary>The resident memory of this process, which is the server, when nothing is left to collect; in MB.</summary>
    private static double Settled()
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
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(LoadArea).Assembly.Location);
        foreach (var argument in (string[])["load", "clients", what, $"{host.BaseAddress.Port}", stage.Identity.Folder, $"{count}", stage.BodyFile])
            start.ArgumentList.Add(argument);
        using var child = Process.Start(start)!;
        var said = child.StandardOutput.ReadToEndAsync();
        peak = Resident();
        while (!child.WaitForExit(250))
            peak = Math.Max(peak, Resident());
        return Task.FromResult(said.GetAwaiter().GetResult().Trim());
    }
}
