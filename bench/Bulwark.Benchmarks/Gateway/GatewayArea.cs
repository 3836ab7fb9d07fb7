using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using Bulwark.Models;
using Bulwark.Policy;
using Bulwark.Server;
using ModelSignature = Bulwark.Server.ModelSignature;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>What the whole chain costs beside the bare protocol over mutual TLS, by the server process's own clock; and its parts one by one.</summary>
internal static class GatewayArea
{
    private static readonly Process Self = Process.GetCurrentProcess();

    /// <summary>dotnet run --project bench/Bulwark.Benchmarks -c Release -- gateway [chain] [ROUNDS] [SECONDS] [CONNECTIONS], gateway parts, or for a profiler gateway one full|bare SECONDS</summary>
    internal static int Run(string[] arguments)
    {
        if (arguments is ["load", .. var rest])
            return LoadGenerator.Run(rest);
        if (arguments is ["parts"])
        {
            using var stage = GatewayStage.CreateAsync().GetAwaiter().GetResult();
            Parts(stage);
            return 0;
        }

        if (arguments is ["one", var which, var length])
        {
            OneAsync(which == "full", int.Parse(length, CultureInfo.InvariantCulture)).GetAwaiter().GetResult();
            return 0;
        }

        var isChain = arguments is ["chain", ..];
        int Number(int place, int otherwise) => arguments.Length > place + (isChain ? 1 : 0) ? int.Parse(arguments[place + (isChain ? 1 : 0)], CultureInfo.InvariantCulture) : otherwise;
        var (rounds, seconds, connections) = (Number(0, 4), Number(1, 4), Number(2, 64));
        (isChain ? ChainAsync(rounds, seconds, connections) : RunAsync(rounds, seconds, connections)).GetAwaiter().GetResult();
        return 0;
    }

    private static async Task RunAsync(int rounds, int seconds, int connections)
    {
        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores; {GatewayStage.Features} features, {connections} connections, load in a process of its own");
        using var stage = await GatewayStage.CreateAsync();
        Parts(stage);
        await using var bare = await BareServer.StartAsync(stage);
        await using var plain = await BareServer.StartAsync(stage, isPlain: true);
        using var nginx = await NginxProxy.StartAsync(stage, plain.Port);
        await using var small = await GatewayHost.StartAsync(stage.Options(64, ReceiptMode.Asked), default);
        await using var large = await GatewayHost.StartAsync(stage.Options(1000, ReceiptMode.Asked), default);
        await using var signed = await GatewayHost.StartAsync(stage.Options(64, ReceiptMode.Always), default);
        Contender limit = new("bare protocol over mutual TLS (limit)", bare.Port), whole = new("full chain, 64 rules", small.BaseAddress.Port);
        List<Contender> contenders =
        [
            limit, whole, new("full chain, 1,000 rules", large.BaseAddress.Port), new("full chain, 64 rules, a receipt each", signed.BaseAddress.Port),
        ];
        var proxied = nginx is null ? null : new Contender("nginx, mutual TLS, before the bare server", nginx.Port, () => nginx.CpuMicroseconds);
        Run([.. contenders, .. proxied is null ? [] : (Contender[])[proxied]], stage, rounds, seconds, connections);
        if (proxied is null)
            Console.WriteLine("nginx is not installed (Debian: apt install nginx-light): no comparison with it.");
        else
            PrintProxy(proxied, whole, limit);
        Console.WriteLine("One connection, one request after the other: nothing waits for a group to gather.");
        Run([new("bare protocol over mutual TLS (limit)", bare.Port), new("full chain, 64 rules", small.BaseAddress.Port)], stage, rounds, seconds, 1);
    }

    /// <summary>nginx beside the chain, and what the best chain could reach: one that costs nothing beyond the server, the protocol and the model.</summary>
    private static void PrintProxy(Contender proxied, Contender whole, Contender limit)
    {
        var plain = proxied.Best - proxied.Beside;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"nginx over the full chain, 64 rules: {proxied.Best / whole.Best:N1} times the processor time (goal 2.5); over a chain that cost nothing: {proxied.Best / limit.Best:N1}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"nginx takes {proxied.Beside:N1} CPU-µs for TLS and forwarding, the server without TLS behind it {plain:N1} for HTTP, JSON and inference; TLS inside the server {limit.Best - plain:N1}. TLS 1.3, connections kept alive on both sides."));
    }

    private static void Run(List<Contender> contenders, GatewayStage stage, int rounds, int seconds, int connections)
    {
        WarmUp(contenders, stage, seconds, connections);
        for (var round = 0; round < rounds; round++)
            foreach (var contender in contenders)
                contender.Measure(stage, connections, seconds, isWarmUp: false);
        Contender.PrintHead(rounds, seconds);
        foreach (var contender in contenders)
            contender.Print(contenders[0]);
    }

    /// <summary>Until the compiler has little left to do: what it does in the background would be counted as the servers'.</summary>
    private static void WarmUp(List<Contender> contenders, GatewayStage stage, int seconds, int connections)
    {
        const int MostRounds = 5;
        for (var (round, before) = (0, TimeSpan.Zero); round < MostRounds && (round == 0 || JitInfo.GetCompilationTime() - before > TimeSpan.FromSeconds(0.005 * seconds * contenders.Count)); round++)
        {
            before = JitInfo.GetCompilationTime();
            foreach (var contender in contenders)
                contender.Measure(stage, connections, seconds, isWarmUp: true);
        }
    }

    /// <summary>The bare server and the whole chain alone.</summary>
    private static async Task ChainAsync(int rounds, int seconds, int connections)
    {
        using var stage = await GatewayStage.CreateAsync();
        await using var bare = await BareServer.StartAsync(stage);
        await using var host = await GatewayHost.StartAsync(stage.Options(64, ReceiptMode.Asked), default);
        Run([new("bare protocol over mutual TLS (limit)", bare.Port), new("full chain, 64 rules", host.BaseAddress.Port)], stage, rounds, seconds, connections);
    }

    private static async Task OneAsync(bool full, int seconds)
    {
        using var stage = await GatewayStage.CreateAsync();
        await using var bare = await BareServer.StartAsync(stage);
        await using var host = await GatewayHost.StartAsync(stage.Options(64, ReceiptMode.Asked), default);
        var one = new Contender("one", full ? host.BaseAddress.Port : bare.Port);
        WarmUp([one], stage, 4, 64);
        Console.WriteLine("warm");
        one.Measure(stage, 64, seconds, false);
        one.Print(one);
    }

    private static void Parts(GatewayStage stage)
    {
        var encoder = new FeatureEncoder(GatewayStage.Schema);
        var encoded = new float[encoder.EncodedWidth];
        var model = ModelSignature.OfRows("bench", "1", GatewayStage.Features, 1, 1024);
        var body = File.ReadAllBytes(stage.BodyFile);
        Print("read a request of 30 features", PerCall(20_000, () => InferenceRequest.Read(body, model, out _)));
        Print("screen: contract, encoding, distance", PerCall(20_000, () =>
        {
            stage.Screen.CheckContract(stage.Row);
            encoder.Encode(stage.Row, 1, encoded);
            return stage.Screen.CheckDistance(encoded);
        }));
        foreach (var rules in (int[])[64, 1000])
        {
            var policies = PolicySet.Parse(GatewayStage.Policy(rules));
            var facts = new PolicyFacts { Time = DateTimeOffset.UtcNow };
            var (request, entities) = GatewayPolicy.Question("payments", "payments", "infer", "bench", facts);
            if (policies.Authorize(request, entities).Decision != Decision.Allow)
                throw new InvalidOperationException("The policy does not permit.");
            Print($"policy, {rules:N0} rules", PerCall(20_000, () => policies.Authorize(request, entities)));
        }

        foreach (var size in (int[])[1, 8, 64])
            AuditCosts.Print(stage, size);
        TokenRates.Run();
    }

    private static void Print(string name, (double Median, double Best, double Cpu) microseconds) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-42}{microseconds.Median,12:N2} µs p50{microseconds.Best,12:N2} µs best{microseconds.Cpu,12:N2} CPU-µs mean"));

    /// <summary>Wall time of batches of 20 calls on one thread, and the processor time of all of them together.</summary>
    private static (double Median, double Best, double Cpu) PerCall<T>(int batches, Func<T> call)
    {
        const int Batch = 20;
        for (var i = 0; i < 20_000 / Batch; i++)
            call();
        var times = new double[batches];
        Self.Refresh();
        var cpu = Self.TotalProcessorTime;
        for (var i = 0; i < batches; i++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var j = 0; j < Batch; j++)
                call();
            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds / Batch;
        }

        Self.Refresh();
        var mean = (Self.TotalProcessorTime - cpu).TotalMicroseconds / (batches * Batch);
        Array.Sort(times);
        return (times[batches / 2], times[0], mean);
    }
}
