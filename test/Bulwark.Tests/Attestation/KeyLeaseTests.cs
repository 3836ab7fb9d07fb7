using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Attestation;

public sealed class KeyLeaseTests : IDisposable
{
    private readonly AttestedWorld _world = new();
    private readonly byte[] _dataKey = RandomNumberGenerator.GetBytes(32);

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task At_the_leases_end_the_key_is_wiped_and_the_worker_is_told()
    {
        var (_, _, lease) = await LeasedAsync();
        using (lease)
        {
            Assert.Equal(_dataKey, lease.With(key => key.Span.ToArray()));
            var held = lease.With(key => key);
            _world.Time.Advance(TimeSpan.FromSeconds(99));
            Assert.False(lease.Over.IsCancellationRequested);
            _world.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.True(lease.Over.IsCancellationRequested);
            Assert.ThrowsAny<CryptographicException>(() => lease.With(key => key.Span.Length));
            Assert.ThrowsAny<ObjectDisposedException>(() => held.Span.Length);
        }
    }

    [Fact]
    public async Task A_renewal_by_new_evidence_moves_the_end_and_takes_the_old_leases_place()
    {
        var (broker, answer, lease) = await LeasedAsync();
        using (lease)
        {
            _world.Time.Advance(TimeSpan.FromSeconds(60));
            var asked = _world.Time.GetTimestamp();
            var evidence = Answer(broker.Challenge());
            var renewed = await broker.ReleaseAsync(evidence, answer.Record.ReleaseId, Cancel);
            Assert.Equal(("renewal", answer.Record.ReleaseId), (renewed.Record.Purpose, renewed.Record.Renews));
            lease.Renew(renewed.Key!, _world.HpkeKey, evidence, asked);
            _world.Time.Advance(TimeSpan.FromSeconds(60));
            Assert.False(lease.Over.IsCancellationRequested);
            Assert.Equal(renewed.Record.ReleaseId, Assert.Single(broker.Leases()).ReleaseId);
            _world.Time.Advance(TimeSpan.FromSeconds(40));
            Assert.True(lease.Over.IsCancellationRequested);
        }
    }

    [Fact]
    public async Task A_lease_that_has_ended_is_another_workers_or_never_was_is_not_renewed()
    {
        var (broker, answer, lease) = await LeasedAsync();
        using var other = Signer.Generate();
        using (lease)
        {
            Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), new string('0', 32), Cancel), "lease");
            var stranger = _world.Source.Collect(broker.Challenge(), _world.Keys with { Receipt = other.PublicKey }, _world.Model);
            Refused(await broker.ReleaseAsync(stranger, answer.Record.ReleaseId, Cancel), "lease");
            _world.Time.Advance(TimeSpan.FromSeconds(101));
            Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), answer.Record.ReleaseId, Cancel), "lease");
        }
    }

    [Fact]
    public async Task Whoever_does_not_know_the_key_cannot_lengthen_a_lease()
    {
        var (_, _, lease) = await LeasedAsync();
        using (lease)
        {
            var evidence = Answer(AttestedWorld.Nonce());
            var ends = _world.Time.GetUtcNow().AddDays(30);
            var (enc, sealed_) = Hpke.Seal(evidence.Keys.Hpke, ReleasedKey.Info("x", evidence.Model, evidence.Nonce, ends, 86_400), evidence.ReportData(), RandomNumberGenerator.GetBytes(32));
            var forged = new ReleasedKey { ReleaseId = "x", Model = evidence.Model, LeaseEnds = ends, LeaseSeconds = 86_400, Encapsulated = enc, Ciphertext = sealed_ };
            Assert.ThrowsAny<CryptographicException>(() => lease.Renew(forged, _world.HpkeKey, evidence, _world.Time.GetTimestamp()));
            Assert.NotEqual(ends, lease.Ends);
        }
    }

    [Fact]
    public async Task A_release_whose_end_was_changed_does_not_open()
    {
        var broker = Broker();
        var evidence = Answer(broker.Challenge());
        var key = (await broker.ReleaseAsync(evidence, Cancel)).Key!;
        var asked = _world.Time.GetTimestamp();
        Assert.ThrowsAny<CryptographicException>(() => new KeyLease(key with { LeaseEnds = key.LeaseEnds.AddDays(1) }, _world.HpkeKey, evidence, _world.Time, asked));
        Assert.ThrowsAny<CryptographicException>(() => new KeyLease(key with { LeaseSeconds = 101 }, _world.HpkeKey, evidence, _world.Time, asked));
        _world.Time.Advance(TimeSpan.FromSeconds(100));
        Assert.ThrowsAny<CryptographicException>(() => new KeyLease(key, _world.HpkeKey, evidence, _world.Time, asked));
    }

    [Fact]
    public async Task Approvals_and_revocations_count_only_when_an_approver_signed_them_this_week_for_a_model_of_the_policy()
    {
        using var alice = Signer.Generate();
        using var mallory = Signer.Generate();
        var broker = Broker(_world.Policy with { Release = new() { Approvers = [alice.PublicKey], ApprovalsNeeded = 1, LeaseSeconds = 100 } });
        byte[][] refused =
        [
            _world.Authority("approved", mallory), "{}"u8.ToArray(), _world.Authority("approved", alice, model: Digest.Of("another"u8)),
            _world.Authority("approved", alice, time: _world.Time.GetUtcNow().AddDays(-8)), _world.Authority("approved", alice, time: _world.Time.GetUtcNow().AddDays(1)),
        ];
        Assert.All(refused, envelope => Assert.Throws<InvalidDataException>(() => broker.Authorise(envelope)));
        broker.Apply(broker.Authorise(_world.Authority("approved", alice)));
        var evidence = Answer(broker.Challenge());
        var release = await broker.ReleaseAsync(evidence, Cancel);
        Assert.NotNull(release.Key);
        broker.Apply(broker.Authorise(_world.Authority("revoked", alice, release: release.Record.ReleaseId)));
        Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), release.Record.ReleaseId, Cancel), "not-revoked");
        Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel), "not-revoked");   // the same start of the same worker
        using var other = Signer.Generate();
        var elsewhere = new SimulatedEvidenceSource(_world.DevelopmentKey, _world.Program, _world.Time);
        Assert.NotNull((await broker.ReleaseAsync(elsewhere.Collect(broker.Challenge(), _world.Keys with { Receipt = other.PublicKey }, _world.Model), Cancel)).Key);
    }

    [Fact]
    public void One_caller_that_asks_for_too_many_challenges_waits_a_minute_and_others_do_not()
    {
        var broker = Broker(_world.Policy with { Release = new() { ChallengesPerMinute = 2 } });
        var who = new EvidenceIntroduction { Kind = EvidenceKinds.Simulated };
        Assert.NotNull(broker.Challenge(who, "10.0.0.1"));
        Assert.NotNull(broker.Challenge(who, "10.0.0.1"));
        Assert.Null(broker.Challenge(who, "10.0.0.1"));
        Assert.NotNull(broker.Challenge(who, "10.0.0.2"));
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(broker.Challenge(who, "10.0.0.1"));
    }

    [Fact]
    public async Task However_many_challenges_strangers_open_a_lease_that_runs_is_renewed()
    {
        var broker = Broker(_world.Policy with { Release = new() { ChallengesPerMinute = 1 } });
        var release = (await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel)).Record.ReleaseId;
        var stranger = new EvidenceIntroduction { Kind = EvidenceKinds.Simulated };
        var opened = 0;
        while (broker.Challenge(stranger, $"10.0.0.{opened}") is not null)
            opened++;
        Assert.Equal(3072, opened);
        Assert.Null(broker.Challenge(stranger with { Renews = new string('0', 32) }, "10.1.0.1"));   // no lease of that name runs

        var worker = stranger with { Renews = release };
        for (var time = 0; time < 6; time++)
            Assert.NotNull(broker.Challenge(worker, "10.0.0.1"));   // the address asked too often already
        Assert.Null(broker.Challenge(worker, "10.0.0.1"));   // one lease's share of what is kept free
    }

    [Fact]
    public void Addresses_of_one_ipv6_network_are_one_caller()
    {
        string Caller(string address) => Bulwark.Server.BrokerEndpoints.Caller(System.Net.IPAddress.Parse(address));
        Assert.Equal(Caller("2001:db8:1:2::1"), Caller("2001:db8:1:2:ffff::9"));
        Assert.NotEqual(Caller("2001:db8:1:2::1"), Caller("2001:db8:1:3::1"));
        Assert.NotEqual(Caller("10.0.0.1"), Caller("10.0.0.2"));
        Assert.Equal(Caller("10.0.0.1"), Caller("::ffff:10.0.0.1"));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private KeyBroker Broker(EvidencePolicy? policy = null) =>
        new(policy ?? _world.Policy with { Release = new() { LeaseSeconds = 100 } }, (_, _) => ValueTask.FromResult<SecretBytes?>(SecretBytes.CopyOf(_dataKey)), (_, _) => ValueTask.CompletedTask, _world.Time);

    private async Task<(KeyBroker Broker, KeyReleaseAnswer Answer, KeyLease Lease)> LeasedAsync()
    {
        var broker = Broker();
        var evidence = Answer(broker.Challenge());
        var answer = await broker.ReleaseAsync(evidence, Cancel);
        return (broker, answer, new(answer.Key!, _world.HpkeKey, evidence, _world.Time, _world.Time.GetTimestamp()));
    }

    private Evidence Answer(byte[] nonce) => _world.Source.Collect(nonce, _world.Keys, _world.Model);

    private static void Refused(KeyReleaseAnswer answer, string leg)
    {
        Assert.Null(answer.Key);
        Assert.StartsWith(leg + ":", answer.Record.Reason, StringComparison.Ordinal);
    }
}
