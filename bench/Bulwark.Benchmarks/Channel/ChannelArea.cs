using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Benchmarks.Channel;

/// <summary>What sealing costs: a request of 4 KiB, a stream, and a session from evidence that is at hand; beside the bare cipher in the same run.</summary>
/// <remarks>dotnet run --project bench/Bulwark.Benchmarks -c Release -- channel [--seconds N]. CPU time of one thread.</remarks>
internal static class ChannelArea
{
    private static readonly SealedRoute s_route = new("POST", "/v2/models/fraud/sealed", "fraud");

    internal static int Run(string[] args)
    {
        var at = Array.IndexOf(args, "--seconds");
        var seconds = at >= 0 ? double.Parse(args[at + 1], CultureInfo.InvariantCulture) : 10;
        Console.WriteLine($"channel: one thread, its CPU time, {Environment.ProcessorCount} cores, OpenSSL {TlsPolicy.OpenSslVersion}");
        Requests(seconds);
        Streams(seconds);
        Sessions(seconds);
        SealedModelLatency.Run(seconds);
        return 0;
    }

    /// <summary>Client seals, worker opens, worker seals an answer, client opens: all that a sealed request adds to a plain one.</summary>
    private static void Requests(double seconds)
    {
        using var world = new World();
        var (body, answer) = (RandomNumberGenerator.GetBytes(4096), RandomNumberGenerator.GetBytes(512));
        using var channel = SealedChannel.Open(world.Key, world.Binding, DateTimeOffset.UtcNow);
        var later = Percentiles(seconds, () => Exchange(world.Endpoint, channel, body, answer));
        var first = new List<double>();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
        {
            // The client makes its half when it verifies the evidence: that is in the session's figure below, not in a request's.
            using var fresh = SealedChannel.Open(world.Key, world.Binding, DateTimeOffset.UtcNow);
            using var endpoint = new SealedEndpoint(world.NewPair(), world.Binding, TimeProvider.System);
            first.Add(ThreadClock.Of(() => Exchange(endpoint, fresh, body, answer)));
        }

        first.Sort();
        Line("a sealed 4 KiB request adds", later, 1);
        Line("the first of a session adds", first, 1);
    }

    private static void Streams(double seconds)
    {
        const int Size = 16 << 20;
        using var world = new World();
        var body = RandomNumberGenerator.GetBytes(Size);
        using var channel = SealedChannel.Open(world.Key, world.Binding, DateTimeOffset.UtcNow);
        var message = Array.Empty<byte>();
        var (sealing, opening, bare) = (new List<double>(), new List<double>(), new List<double>());
        using var aes = new AesGcm(RandomNumberGenerator.GetBytes(32), 16);
        var (target, tag, nonce) = (new byte[1 << 16], new byte[16], new byte[12]);
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
        {
            bare.Add(ThreadClock.Of(() =>
            {
                for (var offset = 0; offset < Size; offset += target.Length)
                    aes.Encrypt(nonce, body.AsSpan(offset, target.Length), target, tag);
            }));
            sealing.Add(ThreadClock.Of(() => message = channel.Seal(s_route, body).Message.ToArray()));
            opening.Add(ThreadClock.Of(() => world.Endpoint.Open(s_route, message)));
        }

        double Rate(List<double> times) => Size / times.Min() / 1e6;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"streams of 16 MiB: seal {Rate(sealing):N0} MB/s, open {Rate(opening):N0} MB/s; AES-256-GCM alone {Rate(bare):N0} MB/s (goal 500 MB/s a core)"));
    }

    /// <summary>Evidence that is at hand is verified anew and a session opened with its key.</summary>
    private static void Sessions(double seconds)
    {
        using var world = new World();
        using var development = Signer.Generate();
        using var receipt = Signer.Generate();
        var (model, measurement, challenge) = (Digest.Of("model"u8), Digest.Of("worker"u8), RandomNumberGenerator.GetBytes(32));
        var evidence = new SimulatedEvidenceSource(development, measurement, TimeProvider.System).Collect(challenge, new() { Hpke = world.Key, Receipt = receipt.PublicKey }, model).ToJson();
        var policy = new EvidencePolicy
        {
            Environment = EvidenceEnvironment.Development,
            Kinds = [EvidenceKinds.Simulated],
            InsecureSimulated = true,
            SimulatedKeys = [development.PublicKey],
            Measurements = [measurement],
            Models = [model],
            MaximumAgeSeconds = 3600,
        };
        var times = Percentiles(seconds, () =>
        {
            var read = Evidence.FromJson(evidence);
            if (new EvidenceVerifier(policy, TimeProvider.System).Verify(read, challenge).Verdict is not EvidenceVerdict.Trusted)
                throw new InvalidOperationException("The evidence is refused.");
            using var channel = SealedChannel.Open(read.Keys.Hpke, read.ChannelBinding(), DateTimeOffset.UtcNow);
            channel.Seal(s_route, new byte[4096]);
        });
        Line("a session from evidence at hand (simulated)", times, 25);
    }

    private static void Exchange(SealedEndpoint endpoint, SealedChannel channel, byte[] body, byte[] answer)
    {
        var call = channel.Seal(s_route, body);
        var arrival = endpoint.Open(s_route, call.Message.Span);
        call.Open(arrival.Seal(answer));
    }

    private static List<double> Percentiles(double seconds, Action work)
    {
        for (var i = 0; i < 200; i++)
            work();
        var times = new List<double>();
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
            times.Add(ThreadClock.Of(work));
        times.Sort();
        return times;
    }

    private static void Line(string what, List<double> times, double goal) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what,-44} p50 {times[times.Count / 2] * 1e3:F3} ms, p99 {times[times.Count * 99 / 100] * 1e3:F3} ms of {times.Count} (goal p50 {goal} ms)"));

    /// <summary>A worker's key with its endpoint.</summary>
    private sealed class World : IDisposable
    {
        private readonly HpkeKeyPair _pair = HpkeKeyPair.Generate();

        internal World() => Endpoint = new(NewPair(), Binding, TimeProvider.System);

        internal byte[] Key => _pair.PublicKey.ToArray();
        internal byte[] Binding { get; } = RandomNumberGenerator.GetBytes(32);
        internal SealedEndpoint Endpoint { get; }

        internal HpkeKeyPair NewPair() => HpkeKeyPair.Import(_pair.ExportPrivateKey());

        public void Dispose()
        {
            Endpoint.Dispose();
            _pair.Dispose();
        }
    }
}
