using System.Diagnostics;
using System.Globalization;
using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.Benchmarks.Gateway;

/// <summary>What a recorded decision costs by the size of its group: the signature, the writes and the flush of a group are shared.</summary>
internal static class AuditCosts
{
    internal static void Print(GatewayStage stage, int size)
    {
        var decisions = 500 * size;
        var trail = stage.PathOf(string.Create(CultureInfo.InvariantCulture, $"trail-alone-{size}"));
        using var self = Process.GetCurrentProcess();
        var audit = new AuditWriter(stage.Log, stage.Keys.OpenSigner("signing"), new AuditTrail(trail), 1024, _ => null, failure => throw new InvalidOperationException("The log refuses.", failure));
        var (cpu, policy) = (TimeSpan.Zero, Digest.Of(stage.Onnx));
        for (var done = -10 * size; done < decisions; done += size)   // the first ones warm up
        {
            if (done <= 0)
            {
                self.Refresh();
                cpu = self.TotalProcessorTime;
            }

            Task.WaitAll(Enumerable.Range(0, size).Select(_ => audit.RecordAsync(Decision(policy)).AsTask()));
        }

        self.Refresh();
        var each = (self.TotalProcessorTime - cpu).TotalMicroseconds / decisions;
        audit.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{$"a recorded decision, in groups of {size}",-42}{each,62:N2} CPU-µs mean"));
    }

    private static GatewayDecision Decision(Digest policy) => new("infer", DateTimeOffset.UtcNow)
    {
        Client = "hmac-sha256:" + new string('a', 64),
        Subject = "payments",
        Model = "bench",
        Policies = ["policy63"],
        Policy = policy,
        Outcome = "scored",
        Reason = "accepted",
        Status = 200,
        Facts = new() { Time = DateTimeOffset.UnixEpoch },
    };
}
