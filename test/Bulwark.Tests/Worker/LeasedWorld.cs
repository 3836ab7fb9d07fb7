using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Worker;
using Microsoft.Extensions.Time.Testing;

namespace Bulwark.Tests.Worker;

/// <summary>A sealed model, a broker with leases of 100 s and an injected clock; tests end, renew and revoke.</summary>
internal sealed class LeasedWorld : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly KeyRing _keys;
    private readonly Signer _signer, _development = Signer.Generate(), _approver = Signer.Generate();
    private readonly byte[] _package;

    internal LeasedWorld()
    {
        _keys = KeyRing.Create(_folder["keyring.json"], KeyRingUnlock.KeyFile(_folder["keyring.key"]));
        _keys.CreateSymmetric("sealing");
        _keys.CreateSigning("signing");
        _signer = _keys.OpenSigner("signing");
        var schema = new FeatureSchema { Label = "y", Features = [new() { Name = "amount", Kind = FeatureKind.Numeric, Minimum = 0, Maximum = 1000 }] };
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { [ModelFolder.OnnxName] = OnnxModel.Export(schema, DenseNetwork<float>.Create(new NetworkShape(1, [2], 1), seed: 5)) };
        var manifest = new ModelManifest { Name = "fraud", Version = "1", Created = DateTimeOffset.UnixEpoch };
        var path = _folder["fraud.bulwark"];
        SealedModel.SealAsync(new ModelFolder(manifest, files), manifest, _keys, "sealing", _signer, path).GetAwaiter().GetResult();
        _package = File.ReadAllBytes(path);
        Source = new(_development, Digest.Of("worker"u8), Time);
    }

    internal FakeTimeProvider Time { get; } = new(new DateTimeOffset(2027, 1, 1, 12, 0, 0, TimeSpan.Zero));

    internal SimulatedEvidenceSource Source { get; }

    internal List<KeyReleaseRecord> Decided { get; } = [];

    internal Digest Model => Digest.Of(_package);

    internal static TimeSpan Lease => TimeSpan.FromSeconds(100);

    internal EvidencePolicy Policy => new()
    {
        Environment = EvidenceEnvironment.Development,
        Kinds = [EvidenceKinds.Simulated],
        InsecureSimulated = true,
        SimulatedKeys = [_development.PublicKey],
        Measurements = [Digest.Of("worker"u8)],
        Models = [Model],
        MaximumAgeSeconds = 300,
        Release = new() { LeaseSeconds = (int)Lease.TotalSeconds, Approvers = [_approver.PublicKey] },
    };

    internal KeyBroker Broker(IBrokerStore? store = null) => new(Policy, async (_, cancel) =>
    {
        using var stream = new MemoryStream(_package, writable: false);
        return (await SealedModel.UnwrapDataKeyAsync(stream, _keys, [_signer.PublicKey], cancel)).DataKey;
    }, (record, _) =>
    {
        Decided.Add(record);
        return ValueTask.CompletedTask;
    }, Time, store);

    /// <summary>A worker whose renewals come at half of what is left: no jitter.</summary>
    internal Task<ScoringWorker> StartAsync(IKeyBroker broker) => ScoringWorker.StartAsync(() => new MemoryStream(_package, writable: false), null, [_signer.PublicKey], Source, broker.ChallengeAsync, broker.ReleaseAsync, Time, () => 0, Cancel);

    internal void Revoke(KeyBroker broker, string? release = null) => broker.Apply(new()
    {
        Action = "revoked",
        Model = Model,
        By = _approver.PublicKey,
        Time = Time.GetUtcNow(),
        ReleaseId = release,
    });

    /// <summary>Lets time go on in small steps, and each step's work end.</summary>
    internal async Task PassAsync(ScoringWorker worker, TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await worker.Leased.Settled;
        }
    }

    internal WorkerAnswer Ask(ScoringWorker worker) => worker.Answer(new WorkerRequest("{}"u8.ToArray(), new float[] { 5 }, 1, null, Model));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _signer.Dispose();
        _development.Dispose();
        _approver.Dispose();
        _keys.Dispose();
        _folder.Dispose();
    }
}

/// <summary>A broker that can be cut off, as by a broken line.</summary>
internal sealed class BrokenLine(IKeyBroker broker) : IKeyBroker
{
    internal bool IsCut { get; set; }

    internal IKeyBroker Broker { get; set; } = broker;

    internal int Asked { get; private set; }

    public ValueTask<EvidenceChallenge> ChallengeAsync(EvidenceIntroduction introduction, CancellationToken cancel)
    {
        Asked++;
        return IsCut ? throw new HttpRequestException("The line is cut.") : Broker.ChallengeAsync(introduction, cancel);
    }

    public ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, string? renews, CancellationToken cancel) => Broker.ReleaseAsync(evidence, renews, cancel);
}
