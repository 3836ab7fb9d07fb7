using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Attestation.Sources;
using Bulwark.Attestation.Tpm;
using Bulwark.Cli.Serving;
using Bulwark.Client;
using Bulwark.Cryptography;
using Bulwark.Tests.Attestation;
using Bulwark.Tests.Servers;
using Bulwark.Worker;

namespace Bulwark.EndToEnd.Gateway;

/// <summary>A served worker whose evidence is a real TPM's (in software): credential, key release, separate process, sealed requests; and a machine that changes while it serves.</summary>
public sealed class TpmServingTests : IAsyncLifetime
{
    private static readonly PcrSelection s_selection = new(TpmHash.Sha256, [0, 7, 16]);
    private readonly ECDsa _root = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private SoftwareTpm _tpm = null!;
    private GatewayWorld _world = null!;
    private TpmEvidenceSource _device = null!;
    private EnrolledTpm _source = null!;
    private EvidencePolicy _policy = null!;

    public async ValueTask InitializeAsync()
    {
        _tpm = SoftwareTpm.Start();
        _world = await GatewayWorld.CreateAsync();
        _device = Open();
        using var receipts = Signer.Generate();
        var (policy, chain) = await TpmEnrolment.EnrolAsync(_device, s_selection, _root, _world.Package, receipts.PublicKey);
        TpmPublic.TryRead(_device.AttestationKey.Span, out var key);
        _policy = policy with { Tpm = policy.Tpm! with { AttestationKeys = [Convert.ToHexStringLower(key!.Name.Span)] } };   // a client gives no credential: the key was enrolled
        _source = new(_device, chain);
    }

    public ValueTask DisposeAsync()
    {
        _device?.Dispose();
        _tpm?.Dispose();
        _world?.Dispose();
        _root.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_worker_behind_a_real_TPM_gets_its_key_by_credential_and_quote_and_a_client_verifies_its_quote()
    {
        await using var host = await _world.StartAsync(_world.Options with { SeparateWorker = true, EvidencePolicy = _policy, EvidenceSource = _source });
        Assert.True(_source.Credentials > 0);   // the TPM opened the broker's credential
        Assert.Equal(EvidenceKinds.Tpm, host.Worker.Evidence.Kind);
        using var client = new BulwarkClient(Options(host));
        var prediction = await client.PredictAsync(GatewayWorld.GoodRow, 1, GatewayWorld.Cancel);
        Assert.Single(prediction.Scores);
        Assert.True(client.Appraisal!.Legs.Count >= 25);

        Extend(16);   // something else runs on the machine now
        var failure = await Assert.ThrowsAsync<BulwarkClientException>(() => client.AttestAsync(GatewayWorld.Cancel));
        Assert.Equal(ClientFailure.EvidenceRefused, failure.Failure);
        Assert.Contains(failure.Appraisal!.Legs, leg => leg is { Name: "measurement", Outcome: LegOutcome.Failed });
        await Assert.ThrowsAsync<KeyRefusedException>(() => _world.StartAsync(_world.Options with { EvidencePolicy = _policy, EvidenceSource = _source }));
    }

    [Fact]
    public async Task Another_TPM_gets_no_key()
    {
        using var elsewhere = SoftwareTpm.Start();
        using var other = new TpmEvidenceSource(elsewhere.Address, s_selection);
        var refused = await Assert.ThrowsAsync<KeyRefusedException>(() => _world.StartAsync(_world.Options with { EvidencePolicy = _policy, EvidenceSource = new EnrolledTpm(other, _source.Chain) }));
        Assert.Contains("tpm.ek-binding", refused.Answer.Record.FailedLegs);
    }

    /// <summary>This TPM in software talks to one at a time.</summary>
    private void Extend(int register)
    {
        _device.Dispose();
        using (var tpm = _tpm.Open())
            tpm.ExtendPcr(register, SHA256.HashData("another program"u8));
        _source.Tpm = _device = Open();
    }

    /// <summary>As <c>serve --source</c> does.</summary>
    private TpmEvidenceSource Open() =>
        (TpmEvidenceSource)WorkerEvidence.Open("tpm:" + _tpm.Address, _world.Options with { EvidencePolicy = _world.EvidencePolicy with { Tpm = new() { Required = s_selection } } });

    private BulwarkClientOptions Options(Server.GatewayHost host) => new()
    {
        Gateway = host.BaseAddress,
        Model = "fraud",
        Policy = _policy,
        Log = _world.Keys.PublicKey("log"),
        Brokers = [_world.Keys.PublicKey("signing")],
        Authorities = [_world.Identity.LoadAuthority()],
        Certificate = _world.Identity.LoadClient("payments"),
        Token = _world.Identity.LoadToken("payments"),
    };

    /// <summary>A TPM with the endorsement certificate that its maker would have put in: swtpm comes without.</summary>
    private sealed class EnrolledTpm(TpmEvidenceSource tpm, byte[] chain) : IEvidenceSource
    {
        internal TpmEvidenceSource Tpm { get; set; } = tpm;

        internal byte[] Chain => chain;

        internal int Credentials { get; private set; }

        public string Kind => Tpm.Kind;

        public ValueTask<EvidenceIntroduction> IntroduceAsync(CancellationToken cancel) => Tpm.IntroduceAsync(cancel);

        public async ValueTask<Evidence> CollectAsync(EvidenceChallenge challenge, EvidenceKeys keys, Digest model, CancellationToken cancel)
        {
            var evidence = await Tpm.CollectAsync(challenge, keys, model, cancel);
            if (evidence.Parts.ContainsKey(EvidenceParts.Credential))
                Credentials++;
            return evidence with { Parts = new Dictionary<string, byte[]>(evidence.Parts) { [EvidenceParts.EndorsementChain] = chain } };
        }
    }
}
