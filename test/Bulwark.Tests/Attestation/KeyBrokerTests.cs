using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;

namespace Bulwark.Tests.Attestation;

public sealed class KeyBrokerTests : IDisposable
{
    private readonly AttestedWorld _world = new();
    private readonly byte[] _dataKey = RandomNumberGenerator.GetBytes(32);
    private readonly List<KeyReleaseRecord> _log = [];

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task The_attested_worker_opens_the_key_and_the_release_is_in_the_log()
    {
        var broker = Broker();
        var evidence = Answer(broker.Challenge());
        var answer = await broker.ReleaseAsync(evidence, Cancel);
        using var opened = answer.Key!.Open(_world.HpkeKey, evidence);
        Assert.Equal(_dataKey, opened.Span.ToArray());
        var record = Assert.Single(_log);
        Assert.Equal((KeyReleaseVerdict.Released, "", true), (record.Verdict, record.Reason, record.Insecure));
        Assert.Equal(evidence.Digest(), record.Evidence);
        Assert.Equal(_world.Policy.Digest(), record.Policy);
    }

    [Fact]
    public async Task Another_key_or_another_nonce_or_a_changed_release_does_not_open_it()
    {
        var broker = Broker();
        var evidence = Answer(broker.Challenge());
        var key = (await broker.ReleaseAsync(evidence, Cancel)).Key!;
        using var other = HpkeKeyPair.Generate();
        Assert.ThrowsAny<CryptographicException>(() => key.Open(other, evidence));
        Assert.ThrowsAny<CryptographicException>(() => key.Open(_world.HpkeKey, evidence with { Nonce = AttestedWorld.Nonce() }));
        Assert.ThrowsAny<CryptographicException>(() => (key with { ReleaseId = new string('0', 32) }).Open(_world.HpkeKey, evidence));
        Assert.ThrowsAny<CryptographicException>(() => (key with { Model = Digest.Of("another"u8) }).Open(_world.HpkeKey, evidence));
    }

    [Fact]
    public async Task A_challenge_is_good_once()
    {
        var broker = Broker();
        var evidence = Answer(broker.Challenge());
        Assert.NotNull((await broker.ReleaseAsync(evidence, Cancel)).Key);
        Unchallenged(await broker.ReleaseAsync(evidence, Cancel));
        Assert.Single(_log);
    }

    [Fact]
    public async Task A_challenge_is_good_for_a_minute()
    {
        var broker = Broker();
        var inTime = broker.Challenge();
        var late = broker.Challenge();
        _world.Time.Advance(KeyBroker.ChallengeLifetime);
        Assert.NotNull((await broker.ReleaseAsync(Answer(inTime), Cancel)).Key);
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        Unchallenged(await broker.ReleaseAsync(Answer(late), Cancel));
    }

    [Fact]
    public async Task A_nonce_that_the_broker_never_gave_is_refused_and_fills_no_log()
    {
        Unchallenged(await Broker().ReleaseAsync(Answer(AttestedWorld.Nonce()), Cancel));
        Assert.Empty(_log);
    }

    [Fact]
    public void One_caller_that_asks_for_too_many_keys_waits_a_minute_and_others_do_not()
    {
        var broker = Broker(_world.Policy with { Release = new() { ReleasesPerMinute = 2, ChallengesPerMinute = 1 } });
        Assert.NotNull(broker.Challenge(new() { Kind = EvidenceKinds.Simulated }, "10.0.0.1"));   // its rate is another
        Assert.True(broker.TryAdmit("10.0.0.1") && broker.TryAdmit("10.0.0.1"));
        Assert.False(broker.TryAdmit("10.0.0.1"));
        Assert.True(broker.TryAdmit("10.0.0.2"));
        _world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(broker.TryAdmit("10.0.0.1"));
    }

    [Fact]
    public async Task A_refusal_is_logged_with_the_leg_that_failed()
    {
        var broker = Broker(_world.Policy with { Measurements = [Digest.Of("another"u8)] });
        Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel), "measurement");
        Assert.Equal(["measurement"], Assert.Single(_log).FailedLegs);
    }

    [Fact]
    public async Task A_production_policy_releases_nothing_to_simulated_evidence()
    {
        var broker = Broker(_world.Policy with { Environment = EvidenceEnvironment.Production });
        Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel), "policy");
    }

    [Fact]
    public async Task Without_a_key_of_that_model_the_release_is_refused_and_logged()
    {
        var broker = new KeyBroker(_world.Policy, (_, _) => ValueTask.FromResult<SecretBytes?>(null), Log, _world.Time);
        Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel), "key");
    }

    [Fact]
    public async Task When_the_decision_cannot_be_recorded_there_is_no_key()
    {
        var broker = new KeyBroker(_world.Policy, (_, _) => ValueTask.FromResult<SecretBytes?>(SecretBytes.CopyOf(_dataKey)), (_, _) => throw new IOException("The disk is full."), _world.Time);
        await Assert.ThrowsAsync<IOException>(async () => await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private KeyBroker Broker(EvidencePolicy? policy = null) => new(policy ?? _world.Policy, (_, _) => ValueTask.FromResult<SecretBytes?>(SecretBytes.CopyOf(_dataKey)), Log, _world.Time);

    private Evidence Answer(byte[] nonce) => _world.Source.Collect(nonce, _world.Keys, _world.Model);

    private ValueTask Log(KeyReleaseRecord record, CancellationToken cancel)
    {
        _log.Add(record);
        return ValueTask.CompletedTask;
    }

    private static void Unchallenged(KeyReleaseAnswer answer)
    {
        Assert.Null(answer.Key);
        Assert.Equal(["challenge"], answer.Record.FailedLegs);
    }

    private void Refused(KeyReleaseAnswer answer, string leg)
    {
        Assert.Null(answer.Key);
        Assert.Equal(KeyReleaseVerdict.Refused, answer.Record.Verdict);
        Assert.StartsWith(leg + ":", answer.Record.Reason, StringComparison.Ordinal);
        Assert.Same(answer.Record, _log[^1]);
    }
}
