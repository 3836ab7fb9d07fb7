using System.Net;
using Bulwark.Attestation;
using Bulwark.Client;
using Bulwark.Cryptography;
using Bulwark.Databases;
using Bulwark.EndToEnd.Gateway;
using Bulwark.Lineage;
using Bulwark.Models;
using Bulwark.Server;
using Bulwark.Worker;

namespace Bulwark.EndToEnd.Broker;

/// <summary>A broker behind TLS, with a real package, a real log and a real database.</summary>
public sealed class BrokerHostTests : IAsyncLifetime
{
    private readonly HpkeKeyPair _hpke = HpkeKeyPair.Generate();
    private readonly Signer _receipts = Signer.Generate(), _approver = Signer.Generate(), _statements = Signer.Generate();
    private GatewayWorld _world = null!;
    private SimulatedEvidenceSource _source = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await GatewayWorld.CreateAsync();
        _source = new(_world.DevelopmentKey, WorkerClosure.Measure(), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.Log.DisposeAsync();   // it writes its tree behind the appends; its folder goes next
        _hpke.Dispose();
        _receipts.Dispose();
        _approver.Dispose();
        _statements.Dispose();
        _world.Dispose();
    }

    [Fact]
    public async Task Two_round_trips_open_the_model_and_each_decision_is_in_the_log_refusals_too()
    {
        using var store = Store();
        await using var host = await StartAsync(store, Policy);
        using var http = Client(host);
        var broker = new KeyBrokerClient(http);

        var asked = TimeProvider.System.GetTimestamp();
        var evidence = await EvidenceAsync(broker);
        var answer = await broker.ReleaseAsync(evidence, null, Cancel);
        using (var lease = new KeyLease(answer.Key!, _hpke, evidence, TimeProvider.System, asked))
        {
            await using var package = File.OpenRead(_world.PackagePath);
            using var opened = await lease.With(key => SealedModel.OpenAsync(package, key, [_world.Keys.PublicKey("signing")], Cancel));
            Assert.Equal(_world.Package, opened.PackageDigest);
        }

        var again = await broker.ReleaseAsync(evidence, null, Cancel);
        Assert.Null(again.Key);
        Assert.StartsWith("challenge:", again.Record.Reason, StringComparison.Ordinal);   // in no log: anybody could fill it
        Assert.StartsWith("lease:", (await broker.ReleaseAsync(await EvidenceAsync(broker), new string('0', 32), Cancel)).Record.Reason, StringComparison.Ordinal);
        using var scrape = new HttpClient();
        Assert.Contains("bulwark_key_requests_unchallenged_total 1", await scrape.GetStringAsync(host.MetricsAddress, Cancel), StringComparison.Ordinal);
        var renewed = await broker.ReleaseAsync(await EvidenceAsync(broker), answer.Record.ReleaseId, Cancel);
        Assert.NotNull(renewed.Key);

        var logged = await LoggedAsync<KeyReleased>();
        Assert.Equal([("released", "release", true), ("refused", "renewal", true), ("released", "renewal", true)], logged.Select(one => (one.Verdict, one.Purpose!, one.Insecure)));
        Assert.Equal(answer.Record.ReleaseId, logged[2].Renews);
    }

    [Fact]
    public async Task Approvals_and_revocations_over_the_wire_are_in_the_log_before_they_count()
    {
        using var store = Store();
        await using var host = await StartAsync(store, Policy with { Release = new() { Approvers = [_approver.PublicKey], ApprovalsNeeded = 1 } });
        using var http = Client(host);
        var broker = new KeyBrokerClient(http);

        Assert.StartsWith("approvals:", (await broker.ReleaseAsync(await EvidenceAsync(broker), null, Cancel)).Record.Reason, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, await AuthorityAsync(http, "approved", _receipts));
        Assert.Equal(HttpStatusCode.OK, await AuthorityAsync(http, "approved", _approver));
        Assert.NotNull((await broker.ReleaseAsync(await EvidenceAsync(broker), null, Cancel)).Key);
        Assert.Equal(HttpStatusCode.OK, await AuthorityAsync(http, "revoked", _approver));
        Assert.StartsWith("not-revoked:", (await broker.ReleaseAsync(await EvidenceAsync(broker), null, Cancel)).Record.Reason, StringComparison.Ordinal);
        Assert.Equal(["approved", "revoked"], (await LoggedAsync<KeyAuthorityUsed>()).Select(one => one.Action));
    }

    /// <param name="pinned">Without the broker's key its refusal of a renewal counts for nothing: the lease ends by itself.</param>
    [Theory, InlineData(true), InlineData(false)]
    public async Task A_gateway_whose_broker_is_elsewhere_serves_renews_and_stops_when_its_release_is_revoked(bool pinned)
    {
        using var store = Store();
        var policy = Policy with { Release = new() { LeaseSeconds = 10, Approvers = [_approver.PublicKey] } };
        await using var host = await StartAsync(store, policy);
        using var http = Client(host);
        await using var gateway = await _world.StartAsync(_world.Options with { Broker = new(http), BrokerKeys = pinned ? [_statements.PublicKey] : [], EvidencePolicy = policy });
        using var client = new BulwarkClient(ClientOptions(gateway, policy));
        await Eventually.SucceedsAsync(() => client.PredictAsync(GatewayWorld.GoodRow, 1, Cancel));   // on a busy machine ten seconds may pass first
        Assert.NotNull(gateway.Worker.Release.Root);
        await Eventually.IsSoAsync(() => gateway.Worker.Release.Purpose == "renewal");
        await Eventually.SucceedsAsync(() => client.ScoreAsync(GatewayWorld.GoodRow, Cancel));

        var release = gateway.Worker.Release;
        Assert.Equal(HttpStatusCode.OK, await AuthorityAsync(http, "revoked", _approver, release.ReleaseId));
        BulwarkClientException? failure = null;
        await Eventually.IsSoAsync(async () =>
        {
            failure = await Record.ExceptionAsync(() => client.ScoreAsync(GatewayWorld.GoodRow, Cancel)) as BulwarkClientException;
            return failure?.Failure is ClientFailure.LeaseEnded;
        });
        Assert.Contains("lease-ended", failure!.Message, StringComparison.Ordinal);
        if (!pinned)
            Assert.DoesNotContain("revoked", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Who stands between the gateway and its broker must not be able to stop a worker by a word.</summary>
    [Fact]
    public async Task A_refusal_counts_only_when_the_broker_signed_it_for_this_request()
    {
        using var store = Store();
        await using var host = await StartAsync(store, Policy with { Release = new() { Approvers = [_approver.PublicKey], ApprovalsNeeded = 1 } });
        using var between = new Between(new SocketsHttpHandler { SslOptions = TlsPolicy.Client([_world.Identity.LoadAuthority()]) });
        using var http = new HttpClient(between) { BaseAddress = host.BaseAddress };
        var options = _world.Options with { Broker = new(http), BrokerKeys = [_statements.PublicKey] };
        async Task<string> FailureAsync() => (await Assert.ThrowsAsync<IOException>(() => _world.StartAsync(options))).Message;

        var refused = await Assert.ThrowsAsync<KeyRefusedException>(() => _world.StartAsync(options));   // as the broker signed it
        Assert.StartsWith("approvals:", refused.Answer.Record.Reason, StringComparison.Ordinal);
        between.Change = (body, envelope) => (body, null);
        Assert.Contains("taken for no answer", await FailureAsync(), StringComparison.Ordinal);
        between.Change = (body, envelope) => (body.Replace("approvals", "not-revoked", StringComparison.Ordinal), envelope);
        Assert.Contains("taken for no answer", await FailureAsync(), StringComparison.Ordinal);
        var earlier = between.Last;
        between.Change = (_, _) => earlier;   // signed, and about an earlier nonce
        Assert.Contains("taken for no answer", await FailureAsync(), StringComparison.Ordinal);
        options = options with { BrokerKeys = [_receipts.PublicKey] };
        between.Change = null;
        Assert.Contains("taken for no answer", await FailureAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_brokers_decision_counts_as_it_was_signed_and_is_insecure_when_nobody_said_whose_signature_counts()
    {
        using var store = Store();
        await using var host = await StartAsync(store, Policy);
        using var http = Client(host);
        using var embellished = Client(host, embellish: true);
        var options = _world.Options with { Broker = new(http), BrokerKeys = [_statements.PublicKey] };
        await using (var gateway = await _world.StartAsync(options))
            Assert.NotNull(gateway.Worker.Release.Root);
        Assert.Contains("not signed by a key that counts", (await Assert.ThrowsAsync<IOException>(() => _world.StartAsync(options with { BrokerKeys = [_receipts.PublicKey] }))).Message, StringComparison.Ordinal);
        Assert.Contains("signed another", (await Assert.ThrowsAsync<IOException>(() => _world.StartAsync(options with { Broker = new(embellished) }))).Message, StringComparison.Ordinal);
        await using var unpinned = await _world.StartAsync(options with { Broker = new(embellished), BrokerKeys = [] });
        Assert.True(unpinned.Worker.Insecure);   // although the answer claimed hardware
    }

    [Fact]
    public async Task A_client_that_was_given_a_revocation_refuses_the_worker_while_its_lease_runs()
    {
        var policy = Policy with { Release = new() { Approvers = [_approver.PublicKey] } };
        await using var gateway = await _world.StartAsync(_world.Options with { EvidencePolicy = policy });
        byte[] Revoke(Signer by, string? release) => Dsse.Sign(Statement.Of("model", _world.Package,
            new KeyAuthorityUsed { Action = "revoked", Model = _world.Package, By = by.PublicKey, Time = DateTimeOffset.UtcNow, ReleaseId = release, Reason = "stolen disk" }), by);
        using var other = new BulwarkClient(ClientOptions(gateway, policy) with { Revocations = [Revoke(_approver, new string('0', 32))] });
        Assert.Single(await other.ScoreAsync(GatewayWorld.GoodRow, Cancel));
        using var client = new BulwarkClient(ClientOptions(gateway, policy) with { Revocations = [Revoke(_approver, gateway.Worker.Release.ReleaseId)] });
        var failure = await Assert.ThrowsAsync<BulwarkClientException>(() => client.ScoreAsync(GatewayWorld.GoodRow, Cancel));
        Assert.Equal(ClientFailure.Revoked, failure.Failure);
        Assert.Contains("stolen disk", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new BulwarkClient(ClientOptions(gateway, policy) with { Revocations = [Revoke(_receipts, null)] }));

        var later = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow.AddHours(2));   // the lease is over by the client's clock; the evidence is not judged by age
        using var late = new BulwarkClient(ClientOptions(gateway, policy with { MaximumAgeSeconds = 3600 }) with { Time = later });
        var ended = await Assert.ThrowsAsync<BulwarkClientException>(() => late.ScoreAsync(GatewayWorld.GoodRow, Cancel));
        Assert.True(ended.Failure is ClientFailure.LeaseEnded or ClientFailure.EvidenceRefused, ended.Message);
    }

    [Fact]
    public async Task A_broker_that_is_started_anew_keeps_the_challenge_the_lease_and_the_policys_version()
    {
        EvidenceChallenge challenge;
        KeyReleaseAnswer answer;
        using (var store = Store())
        {
            await using var host = await StartAsync(store, Policy with { Version = 2 });
            using var http = Client(host);
            var broker = new KeyBrokerClient(http);
            answer = await broker.ReleaseAsync(await EvidenceAsync(broker), null, Cancel);
            challenge = await broker.ChallengeAsync(await ((IEvidenceSource)_source).IntroduceAsync(Cancel), Cancel);
        }

        using var kept = Store();
        await using (var host = await StartAsync(kept, Policy with { Version = 2 }))
        {
            using var http = Client(host);
            var broker = new KeyBrokerClient(http);
            Assert.NotNull((await broker.ReleaseAsync(Collect(challenge), answer.Record.ReleaseId, Cancel)).Key);
        }

        await using var older = await StartAsync(kept, Policy with { Version = 1 });
        using var last = Client(older);
        var refused = await new KeyBrokerClient(last).ReleaseAsync(await EvidenceAsync(new KeyBrokerClient(last)), null, Cancel);
        Assert.StartsWith("policy-version:", refused.Record.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_question_is_400_and_what_cannot_be_recorded_is_503_without_a_key()
    {
        using var store = Store();
        await using var host = await StartAsync(store, Policy);
        using var http = Client(host);
        using var rubbish = new StringContent("{}");
        Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsync(KeyBrokerClient.ReleasePath, rubbish, Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsync(KeyBrokerClient.ChallengePath, rubbish, Cancel)).StatusCode);
        Assert.Equal(_world.EvidencePolicy.Digest(), EvidencePolicy.FromJson(await http.GetByteArrayAsync("attest/policy", Cancel)).Digest());

        var broker = new KeyBrokerClient(http);
        var evidence = await EvidenceAsync(broker);
        await _world.Log.DisposeAsync();
        var failure = await Assert.ThrowsAsync<HttpRequestException>(async () => await broker.ReleaseAsync(evidence, null, Cancel));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, failure.StatusCode);
        Assert.Empty(host.Broker.Leases());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private EvidencePolicy Policy => _world.EvidencePolicy;

    private IBrokerStore Store() => BrokerStores.Open($"sqlite:{Path.Combine(_world.LogDirectory, "..", "broker.db")}");

    private Task<BrokerHost> StartAsync(IBrokerStore store, EvidencePolicy policy) => BrokerHost.StartAsync(new()
    {
        Packages = [_world.PackagePath],
        Publishers = [_world.Keys.PublicKey("signing")],
        Keys = _world.Keys,
        Signer = _statements,
        Policy = policy,
        Log = _world.Log,
        Store = store,
        ServerCertificate = _world.Identity.LoadServer(),
        MetricsPort = 0,
    }, Cancel);

    private HttpClient Client(BrokerHost host, bool embellish = false)
    {
        var handler = new SocketsHttpHandler { SslOptions = TlsPolicy.Client([_world.Identity.LoadAuthority()]) };
        return new(embellish ? new Embellisher(handler) : handler, disposeHandler: true) { BaseAddress = host.BaseAddress };
    }

    private async Task<Evidence> EvidenceAsync(KeyBrokerClient broker) => Collect(await broker.ChallengeAsync(await ((IEvidenceSource)_source).IntroduceAsync(Cancel), Cancel));

    private Evidence Collect(EvidenceChallenge challenge) => _source.Collect(challenge.Nonce, new() { Hpke = _hpke.PublicKey.ToArray(), Receipt = _receipts.PublicKey }, _world.Package);

    private BulwarkClientOptions ClientOptions(GatewayHost gateway, EvidencePolicy policy) => new()
    {
        Gateway = gateway.BaseAddress,
        Model = "fraud",
        Policy = policy,
        Log = _world.Keys.PublicKey("log"),
        Brokers = [_statements.PublicKey, _world.Keys.PublicKey("signing")],
        Authorities = [_world.Identity.LoadAuthority()],
        Certificate = _world.Identity.LoadClient("payments"),
        Token = _world.Identity.LoadToken("payments"),
    };

    private async Task<HttpStatusCode> AuthorityAsync(HttpClient http, string action, Signer by, string? release = null)
    {
        var used = new KeyAuthorityUsed { Action = action, Model = _world.Package, By = by.PublicKey, Time = DateTimeOffset.UtcNow, ReleaseId = release };
        using var content = new ByteArrayContent(Dsse.Sign(Statement.Of("model", _world.Package, used), by));
        return (await http.PostAsync("attest/authority", content, Cancel)).StatusCode;
    }

    /// <summary>Whoever stands between: says hardware where the broker said insecure.</summary>
    private sealed class Embellisher(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            response.Content = new StringContent(body.Replace("\"insecure\":true", "\"insecure\":false", StringComparison.Ordinal));
            return response;
        }
    }

    /// <summary>Whoever stands between, and changes what the broker decided.</summary>
    private sealed class Between(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        internal Func<string, string?, (string Body, string? Envelope)>? Change { get; set; }

        /// <summary>The last decision, as the broker sent it.</summary>
        internal (string Body, string? Envelope) Last { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (!request.RequestUri!.AbsolutePath.EndsWith(KeyBrokerClient.ReleasePath, StringComparison.Ordinal))
                return response;
            Last = (await response.Content.ReadAsStringAsync(cancellationToken), response.Headers.TryGetValues(KeyBrokerClient.EnvelopeHeader, out var header) ? header.First() : null);
            var (body, envelope) = Change?.Invoke(Last.Body, Last.Envelope) ?? Last;
            response.Content = new StringContent(body);
            response.Headers.Remove(KeyBrokerClient.EnvelopeHeader);
            if (envelope is not null)
                response.Headers.Add(KeyBrokerClient.EnvelopeHeader, envelope);
            return response;
        }
    }

    private async Task<List<T>> LoggedAsync<T>() where T : class, IPredicate<T>
    {
        var found = new List<T>();
        var last = await _world.Log.AppendAsync("the end"u8.ToArray(), Cancel);
        await _world.Log.IntegratedAsync(last.Index, Cancel);
        foreach (var (_, entry) in _world.Log.ReadEntries(0, last.Index))
        {
            if (Dsse.Peek(entry) is { } peeked && Predicates.TryRead<T>(Statement.Parse(peeked.Payload)) is { } claim)
                found.Add(claim);
        }

        return found;
    }
}
