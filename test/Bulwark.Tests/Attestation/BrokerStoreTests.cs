using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.Lineage;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Attestation;

/// <summary>What brokers must not forget, over each store.</summary>
public sealed class BrokerStoreTests : IDisposable
{
    private readonly AttestedWorld _world = new();
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _dataKey = RandomNumberGenerator.GetBytes(32);
    private readonly List<KeyReleaseRecord> _log = [];
    private readonly List<IBrokerStore> _stores = [];
    private string? _database;

    public void Dispose()
    {
        _stores.ForEach(store => store.Dispose());
        _world.Dispose();
        _folder.Dispose();
    }

    [Theory, InlineData("sqlite"), InlineData("postgres")]
    public async Task A_challenge_of_one_broker_is_good_once_at_any_broker_behind_the_store(string kind)
    {
        var (first, second) = (Broker(kind), Broker(kind));
        var evidence = Answer(first.Challenge());

        Assert.NotNull((await second.ReleaseAsync(evidence, Cancel)).Key);
        Refused(await first.ReleaseAsync(evidence, Cancel), "challenge");
    }

    [Theory, InlineData("sqlite"), InlineData("postgres")]
    public async Task Two_brokers_that_are_asked_at_once_give_one_nonce_one_key_and_never_more_leases_than_allowed(string kind)
    {
        var policy = _world.Policy with { Release = new() { MaximumLeases = 3, ChallengesPerMinute = 1000 } };
        KeyBroker[] brokers = [Broker(kind, policy), Broker(kind, policy)];
        var evidence = Enumerable.Range(0, 8).Select(index => Answer(brokers[index % 2].Challenge())).ToList();

        var answers = await Task.WhenAll(evidence.SelectMany(one => brokers.Select(broker => Task.Run(async () => await broker.ReleaseAsync(one, Cancel), Cancel))));

        Assert.Equal(3, answers.Count(answer => answer.Key is not null));
        Assert.Equal(8, answers.Count(answer => answer.Appraisal.Legs.Single(leg => leg.Name == "challenge").Outcome is LegOutcome.Passed));
        Assert.Equal(3, brokers[0].Leases().Count);
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task An_older_policy_is_refused_by_every_broker_once_a_newer_one_was_in_force(string kind)
    {
        var newer = Broker(kind, _world.Policy with { Version = 5 });
        var older = Broker(kind, _world.Policy with { Version = 4 });
        var other = Broker(kind, _world.Policy with { Version = 5, MaximumAgeSeconds = 299 });

        Assert.NotNull((await newer.ReleaseAsync(Answer(newer.Challenge()), Cancel)).Key);
        Refused(await older.ReleaseAsync(Answer(older.Challenge()), Cancel), "policy-version");
        Refused(await other.ReleaseAsync(Answer(other.Challenge()), Cancel), "policy-version");
        Assert.NotNull((await newer.ReleaseAsync(Answer(newer.Challenge()), Cancel)).Key);
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task A_rolled_back_model_stays_refused_when_a_later_policy_leaves_the_floor_out(string kind)
    {
        var named = _world.Policy with { Models = [new ModelRule(_world.Model, "fraud", "1.9")] };
        var raised = Broker(kind, named with { Version = 2, MinimumModelVersions = new Dictionary<string, string> { ["fraud"] = "1.10" } });
        var lowered = Broker(kind, named with { Version = 3 });

        Refused(await raised.ReleaseAsync(Answer(raised.Challenge()), Cancel), "model-version");
        Refused(await lowered.ReleaseAsync(Answer(lowered.Challenge()), Cancel), "model-floor");
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task The_first_release_waits_for_two_approvals_and_later_ones_do_not(string kind)
    {
        using var alice = Signer.Generate();
        using var bob = Signer.Generate();
        var policy = _world.Policy with { Release = new() { Approvers = [alice.PublicKey, bob.PublicKey], ApprovalsNeeded = 2 } };
        var (first, second) = (Broker(kind, policy), Broker(kind, policy));

        Refused(await first.ReleaseAsync(Answer(first.Challenge()), Cancel), "approvals");
        first.Apply(first.Authorise(_world.Authority("approved", alice)));
        first.Apply(first.Authorise(_world.Authority("approved", alice)));
        Refused(await first.ReleaseAsync(Answer(first.Challenge()), Cancel), "approvals");
        second.Apply(second.Authorise(_world.Authority("approved", bob)));
        Assert.NotNull((await first.ReleaseAsync(Answer(first.Challenge()), Cancel)).Key);
        _world.Time.Advance(TimeSpan.FromDays(8));
        Assert.NotNull((await second.ReleaseAsync(Answer(second.Challenge()), Cancel)).Key);
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task A_revoked_model_is_neither_released_nor_renewed_by_any_broker(string kind)
    {
        using var alice = Signer.Generate();
        var policy = _world.Policy with { Release = new() { Approvers = [alice.PublicKey] } };
        var (first, second) = (Broker(kind, policy), Broker(kind, policy));
        var lease = (await first.ReleaseAsync(Answer(first.Challenge()), Cancel)).Record.ReleaseId;

        second.Apply(second.Authorise(_world.Authority("revoked", alice)));

        Refused(await first.ReleaseAsync(Answer(first.Challenge()), Cancel), "not-revoked");
        Refused(await first.ReleaseAsync(Answer(first.Challenge()), lease, Cancel), "not-revoked");
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task A_broker_that_dies_after_its_lease_was_written_releases_nothing_and_the_next_one_goes_on(string kind)
    {
        var store = Open(kind);
        var dying = new KeyBroker(_world.Policy, Key, (_, _) => throw new IOException("killed"), _world.Time, store);
        var evidence = Answer(dying.Challenge());
        await Assert.ThrowsAsync<IOException>(async () => await dying.ReleaseAsync(evidence, Cancel));

        var next = Broker(kind);
        Refused(await next.ReleaseAsync(evidence, Cancel), "challenge");
        Assert.NotNull((await next.ReleaseAsync(Answer(next.Challenge()), Cancel)).Key);
        Assert.Single(next.Leases());
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task A_broker_that_restarts_in_the_middle_of_a_release_spends_the_nonce_once_and_the_worker_asks_again(string kind)
    {
        var before = Broker(kind);
        var (asked, answered) = (before.Challenge(), Answer(before.Challenge()));
        var lost = await before.ReleaseAsync(answered, Cancel);   // decided, recorded, sealed; the answer is lost with the broker

        var after = Broker(kind);
        Refused(await after.ReleaseAsync(answered, Cancel), "challenge");
        var again = await after.ReleaseAsync(Answer(asked), Cancel);   // a challenge of the one before is still good
        Assert.NotNull(again.Key);
        Assert.Equal(new HashSet<string> { lost.Record.ReleaseId, again.Record.ReleaseId }, [.. after.Leases().Select(lease => lease.ReleaseId)]);
        var renewed = await after.ReleaseAsync(Answer(after.Challenge()), again.Record.ReleaseId, Cancel);
        Assert.Equal((again.Record.ReleaseId, again.Record.ReleaseId), (renewed.Record.Renews, renewed.Record.Root));
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task A_release_is_revoked_by_its_lineage_whichever_of_it_is_named(string kind)
    {
        using var alice = Signer.Generate();
        var policy = _world.Policy with { Release = new() { Approvers = [alice.PublicKey] } };
        foreach (var named in (string[])["root", "middle", "last", "boot", "key"])
        {
            using var receipts = Signer.Generate();
            var source = new SimulatedEvidenceSource(_world.DevelopmentKey, _world.Program, _world.Time);
            var (first, second) = (Broker(kind, policy), Broker(kind, policy));
            Evidence Show(KeyBroker broker) => source.Collect(broker.Challenge(), _world.Keys with { Receipt = receipts.PublicKey }, _world.Model);
            var root = (await first.ReleaseAsync(Show(first), Cancel)).Record;
            var middle = (await second.ReleaseAsync(Show(second), root.ReleaseId, Cancel)).Record;
            var last = (await first.ReleaseAsync(Show(first), middle.ReleaseId, Cancel)).Record;
            Assert.Equal(root.ReleaseId, last.Root);

            var used = new KeyAuthorityUsed { Action = "revoked", Model = _world.Model, By = alice.PublicKey, Time = _world.Time.GetUtcNow() };
            second.Apply(named switch
            {
                "root" => used with { ReleaseId = root.ReleaseId },
                "middle" => used with { ReleaseId = middle.ReleaseId },
                "last" => used with { ReleaseId = last.ReleaseId },
                "boot" => used with { BootId = root.BootId },
                _ => used with { ReceiptKey = receipts.PublicKey },
            });

            Refused(await first.ReleaseAsync(Show(first), last.ReleaseId, Cancel), "not-revoked");
            Refused(await second.ReleaseAsync(Show(second), Cancel), "not-revoked");
            using var other = Signer.Generate();
            Assert.NotNull((await first.ReleaseAsync(_world.Source.Collect(first.Challenge(), _world.Keys with { Receipt = other.PublicKey }, _world.Model), Cancel)).Key);
        }
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task A_release_whose_lease_has_lapsed_is_revoked_with_its_worker_and_one_that_nobody_knows_is_an_error(string kind)
    {
        using var alice = Signer.Generate();
        var broker = Broker(kind, _world.Policy with { Release = new() { Approvers = [alice.PublicKey], LeaseSeconds = 100 } });
        var root = (await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel)).Record.ReleaseId;
        var last = (await broker.ReleaseAsync(Answer(broker.Challenge()), root, Cancel)).Record.ReleaseId;
        _world.Time.Advance(TimeSpan.FromDays(1));
        Assert.Empty(broker.Leases());

        var failure = Assert.Throws<InvalidDataException>(() => broker.Authorise(_world.Authority("revoked", alice, release: new string('0', 32))));
        Assert.Contains("knows no worker of the release 0000", failure.Message, StringComparison.Ordinal);
        Assert.NotNull((await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel)).Key);
        broker.Apply(broker.Authorise(_world.Authority("revoked", alice, release: last)));

        Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel), "not-revoked");   // the same worker, asking anew
        using var other = Signer.Generate();
        var elsewhere = new SimulatedEvidenceSource(_world.DevelopmentKey, _world.Program, _world.Time);
        Assert.NotNull((await broker.ReleaseAsync(elsewhere.Collect(broker.Challenge(), _world.Keys with { Receipt = other.PublicKey }, _world.Model), Cancel)).Key);
    }

    [Theory, InlineData("memory"), InlineData("sqlite"), InlineData("postgres")]
    public async Task Rows_of_an_earlier_version_are_read_and_the_running_leases_name_their_worker(string kind)
    {
        using var alice = Signer.Generate();
        var broker = Broker(kind, _world.Policy with { Release = new() { Approvers = [alice.PublicKey] } });
        var root = (await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel)).Record.ReleaseId;
        using (var transaction = Open(kind).Begin())
        {
            transaction.Put("root", $"{_world.Model.ToHex()}/{root}", System.Text.Encoding.ASCII.GetBytes(root), null);   // the root alone
            transaction.Commit();
        }

        var renewed = (await broker.ReleaseAsync(Answer(broker.Challenge()), root, Cancel)).Record;
        Assert.Equal(root, renewed.Root);
        broker.Apply(broker.Authorise(_world.Authority("revoked", alice, release: root)));
        Refused(await broker.ReleaseAsync(Answer(broker.Challenge()), Cancel), "not-revoked");
    }

    [Fact]
    public void What_is_not_committed_never_was_and_what_ended_is_forgotten()
    {
        foreach (var kind in (string[])["memory", "sqlite", "postgres"])
        {
            var store = Open(kind);
            using (var lost = store.Begin())
                lost.Put("b", "gone", [1], null);
            using (var kept = store.Begin())
            {
                kept.Put("b", "a%", [1], null);
                kept.Put("b", "a1", [2], 10);
                kept.Put("c", "a2", [3], 10);
                kept.Put("b", "a1", [4], 20);
                kept.Commit();
            }

            using var read = store.Begin();
            Assert.Null(read.Get("b", "gone"));
            Assert.Equal([4], read.Get("b", "a1"));
            Assert.Equal(1, read.Count("b", "a%"));
            Assert.Equal(["a%", "a1"], read.List("b", "a").Select(one => one.Key));
            read.Expire("b", 20);
            Assert.NotNull(read.Get("b", "a1"));
            read.Expire("b", 21);
            Assert.Null(read.Get("b", "a1"));
            Assert.True(read.Remove("c", "a2"));
            Assert.False(read.Remove("c", "a2"));
        }
    }

    [Theory, InlineData("redis:here"), InlineData("sqlite:/nowhere/at/all.db"), InlineData("postgres:Host")]
    public void A_store_that_is_none_or_cannot_be_opened_says_so(string name) =>
        Assert.True(Record.Exception(() => BrokerStores.Open(name)) is FormatException or IOException);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private KeyBroker Broker(string kind, EvidencePolicy? policy = null) => new(policy ?? _world.Policy, Key, Log, _world.Time, Open(kind));

    private ValueTask<SecretBytes?> Key(Digest model, CancellationToken cancel) => ValueTask.FromResult<SecretBytes?>(SecretBytes.CopyOf(_dataKey));

    private ValueTask Log(KeyReleaseRecord record, CancellationToken cancel)
    {
        lock (_log)
            _log.Add(record);
        return ValueTask.CompletedTask;
    }

    private IBrokerStore Open(string kind)
    {
        var store = kind switch
        {
            "sqlite" => BrokerStores.Open($"sqlite:{_folder["broker.db"]}"),
            "postgres" => BrokerStores.Open($"postgres:{_database ??= PostgresServer.NewDatabase()}"),
            _ => _stores.OfType<MemoryBrokerStore>().FirstOrDefault() ?? (IBrokerStore)new MemoryBrokerStore(),
        };
        _stores.Add(store);
        return store;
    }

    private Evidence Answer(byte[] nonce) => _world.Source.Collect(nonce, _world.Keys, _world.Model);

    private static void Refused(KeyReleaseAnswer answer, string leg)
    {
        Assert.Null(answer.Key);
        Assert.StartsWith(leg + ":", answer.Record.Reason, StringComparison.Ordinal);
    }
}
