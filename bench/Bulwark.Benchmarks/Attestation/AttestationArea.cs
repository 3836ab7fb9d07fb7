using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Attestation.Sources;
using Bulwark.Attestation.Tpm;
using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.Tests.Attestation;

namespace Bulwark.Benchmarks.Attestation;

/// <summary>What verification and a key's release cost: each kind verified offline; challenge and release with a TPM in software, from the worker's first word to the opened key.</summary>
internal static class AttestationArea
{
    private const int Rounds = 200;

    public static int Run(string[] arguments)
    {
        var rounds = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : Rounds;
        Console.WriteLine($"{rounds} rounds each, one thread; ms wall, and ms of this process's processor time; limit of verification: p50 10 ms");
        using var world = new HardwareWorld();
        foreach (var kind in HardwareWorld.Kinds)
        {
            var evidence = world.Evidence(kind);
            var bytes = evidence.ToJson();
            Time($"verify {kind}, from JSON of {bytes.Length:N0} bytes", rounds, () =>
            {
                if (world.Verify(Evidence.FromJson(bytes)).Verdict is not EvidenceVerdict.Trusted)
                    throw new InvalidOperationException("Genuine evidence was refused.");
            });
        }

        ReleaseAsync(rounds).GetAwaiter().GetResult();
        return 0;
    }

    /// <summary>In one process, over the store that a broker has: what HTTPS adds is the channel area's.</summary>
    private static async Task ReleaseAsync(int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("bulwark-attestation-");
        try
        {
            using var store = BrokerStores.Open($"sqlite:{Path.Combine(folder.FullName, "broker.db")}");
            using var development = Signer.Generate();
            using var receipts = Signer.Generate();
            using var hpke = HpkeKeyPair.Generate();
            var (program, model, dataKey) = (Digest.Of("program"u8), Digest.Of("model"u8), RandomNumberGenerator.GetBytes(32));
            var policy = new EvidencePolicy
            {
                Environment = EvidenceEnvironment.Development,
                Kinds = [EvidenceKinds.Simulated],
                InsecureSimulated = true,
                SimulatedKeys = [development.PublicKey],
                Measurements = [program],
                Models = [model],
                MaximumAgeSeconds = 300,
                Release = new() { MaximumLeases = 10_000, ChallengesPerMinute = 10_000 },
            };
            var broker = new KeyBroker(policy, (_, _) => ValueTask.FromResult<SecretBytes?>(SecretBytes.CopyOf(dataKey)), (_, _) => ValueTask.CompletedTask, TimeProvider.System, store);
            await TimeAsync("challenge and release, simulated, SQLite", rounds, broker, new SimulatedEvidenceSource(development, program, TimeProvider.System), hpke, receipts, model, evidence => evidence);
            await TpmAsync(rounds, store, hpke, receipts, model, dataKey);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task TpmAsync(int rounds, IBrokerStore store, HpkeKeyPair hpke, Signer receipts, Digest model, byte[] dataKey)
    {
        using var server = TpmProcess.Start();
        if (server is null)
        {
            Console.WriteLine("challenge and release, TPM: left out, swtpm is not installed (eng/test-servers.sh)");
            return;
        }

        using var source = new TpmEvidenceSource(server.Address, new PcrSelection(TpmHash.Sha256, [0, 7, 16]));
        using var root = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (policy, chain) = await TpmEnrolment.EnrolAsync(source, new PcrSelection(TpmHash.Sha256, [0, 7, 16]), root, model, receipts.PublicKey);
        var broker = new KeyBroker(policy with { Version = 2, Release = new() { MaximumLeases = 10_000, ChallengesPerMinute = 10_000 } },
            (_, _) => ValueTask.FromResult<SecretBytes?>(SecretBytes.CopyOf(dataKey)), (_, _) => ValueTask.CompletedTask, TimeProvider.System, store);
        await TimeAsync("challenge and release, swtpm, SQLite (limits: p50 40 ms, p99 150 ms)", rounds, broker, source, hpke, receipts, model,
            evidence => evidence with { Parts = new Dictionary<string, byte[]>(evidence.Parts) { [EvidenceParts.EndorsementChain] = chain } });
    }

    private static async Task TimeAsync(string name, int rounds, KeyBroker broker, IEvidenceSource source, HpkeKeyPair hpke, Signer receipts, Digest model, Func<Evidence, Evidence> complete)
    {
        var keys = new EvidenceKeys { Hpke = hpke.PublicKey.ToArray(), Receipt = receipts.PublicKey };
        var wall = new List<double>();
        var cpu = Environment.CpuUsage.TotalTime;
        for (var round = -5; round < rounds; round++)
        {
            var clock = Stopwatch.GetTimestamp();
            var challenge = await broker.ChallengeAsync(await source.IntroduceAsync(CancellationToken.None), CancellationToken.None);
            var evidence = complete(await source.CollectAsync(challenge, keys, model, CancellationToken.None));
            var answer = await broker.ReleaseAsync(evidence, CancellationToken.None);
            using (answer.Key?.Open(hpke, evidence) ?? throw new InvalidOperationException(answer.Record.Reason))
            {
                if (round >= 0)
                    wall.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
            }
        }

        Print(name, wall, Environment.CpuUsage.TotalTime - cpu, rounds + 5);
    }

    private static void Time(string name, int rounds, Action once)
    {
        for (var round = 0; round < 5; round++)
            once();
        var wall = new List<double>();
        var cpu = Environment.CpuUsage.TotalTime;
        for (var round = 0; round < rounds; round++)
        {
            var clock = Stopwatch.GetTimestamp();
            once();
            wall.Add(Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
        }

        Print(name, wall, Environment.CpuUsage.TotalTime - cpu, rounds);
    }

    private static void Print(string name, List<double> wall, TimeSpan cpu, int rounds)
    {
        wall.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-72} p50 {wall[wall.Count / 2],7:F2}  p99 {wall[wall.Count * 99 / 100],7:F2}  processor {cpu.TotalMilliseconds / rounds,6:F2}"));
    }
}
