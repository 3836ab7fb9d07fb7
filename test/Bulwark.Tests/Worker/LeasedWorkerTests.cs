using System.Security.Cryptography;
using Bulwark.Attestation;
using Bulwark.Cryptography;
using Bulwark.Server;
using Bulwark.Worker;
using Bulwark.Worker.Leases;

namespace Bulwark.Tests.Worker;

/// <summary>The worker under its lease: it renews, it ends, it comes back.</summary>
public sealed class LeasedWorkerTests : IDisposable
{
    private readonly LeasedWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task When_the_lease_ends_key_and_model_are_wiped_and_nothing_is_answered()
    {
        var line = new BrokenLine(_world.Broker());
        using var worker = await _world.StartAsync(line);
        var scores = _world.Ask(worker).Scores.ToArray();
        var (held, key) = (worker.Leased.Last, worker.Leased.Last.Lease.With(one => one));
        line.IsCut = true;

        await _world.PassAsync(worker, LeasedWorld.Lease - TimeSpan.FromSeconds(1));
        Assert.Equal(scores, _world.Ask(worker).Scores.ToArray());
        await _world.PassAsync(worker, TimeSpan.FromSeconds(1));

        var ended = Assert.Throws<LeaseEndedException>(() => _world.Ask(worker));
        Assert.Contains("ended 2027-01-01 12:01:40Z: it ran out", ended.Message, StringComparison.Ordinal);
        Assert.Throws<LeaseEndedException>(() => worker.Answer(new SealedAsk(new("POST", "/", "fraud"), new byte[64], _world.Model, 1)));
        await Assert.ThrowsAsync<LeaseEndedException>(async () => await worker.AttestAsync(new byte[32], Cancel));
        Assert.False(worker.IsReady);
        Assert.Throws<ObjectDisposedException>(() => key.Span.Length);
        Assert.ThrowsAny<CryptographicException>(() => held.Lease.With(one => one.Length));
        Assert.Throws<ObjectDisposedException>(() => held.Model.Score(new float[] { 5 }, 1, new float[1]));
    }

    [Fact]
    public async Task A_renewal_by_new_evidence_goes_on_without_a_gap_and_receipts_name_the_new_evidence()
    {
        using var worker = await _world.StartAsync(_world.Broker());
        var first = worker.Evidence.Digest();
        for (var second = 0; second < 350; second++)
        {
            await _world.PassAsync(worker, TimeSpan.FromSeconds(1));
            Assert.True(_world.Ask(worker).Verdict.IsAccepted);
        }

        Assert.Equal(["release", "renewal"], _world.Decided.Select(one => one.Purpose!).Distinct());
        Assert.All(_world.Decided, one => Assert.Equal(KeyReleaseVerdict.Released, one.Verdict));
        Assert.NotEqual(first, worker.Evidence.Digest());
        Assert.Equal(_world.Decided[^1], worker.Release);
        Assert.Equal(_world.Decided.Select(one => one.ReleaseId).SkipLast(1), _world.Decided.Skip(1).Select(one => one.Renews));
    }

    [Fact]
    public async Task A_line_that_is_cut_for_less_than_the_lease_costs_nothing_and_for_longer_the_worker_comes_back_by_itself()
    {
        var line = new BrokenLine(_world.Broker());
        using var worker = await _world.StartAsync(line);
        line.IsCut = true;
        await _world.PassAsync(worker, TimeSpan.FromSeconds(90));
        Assert.InRange(line.Asked, 3, 20);   // it tried again and again before the end
        line.IsCut = false;
        await _world.PassAsync(worker, TimeSpan.FromSeconds(30));
        Assert.True(_world.Ask(worker).Verdict.IsAccepted);

        line.IsCut = true;
        await _world.PassAsync(worker, TimeSpan.FromSeconds(200));
        Assert.Throws<LeaseEndedException>(() => _world.Ask(worker));
        line.IsCut = false;
        await _world.PassAsync(worker, TimeSpan.FromMinutes(2));
        Assert.True(_world.Ask(worker).Verdict.IsAccepted);
        Assert.True(worker.IsReady);
        Assert.Equal(2, _world.Decided.Count(one => one.Purpose == "release"));
    }

    [Fact]
    public async Task A_revoked_worker_ends_at_its_next_renewal_not_at_its_leases_end_and_asks_ever_less_often()
    {
        var broker = _world.Broker();
        using var worker = await _world.StartAsync(broker);
        _world.Revoke(broker);
        await _world.PassAsync(worker, LeasedWorld.Lease / 2);
        var ended = Assert.Throws<LeaseEndedException>(() => _world.Ask(worker));
        Assert.Contains("it was revoked", ended.Message, StringComparison.Ordinal);
        Assert.Contains("not-revoked", _world.Decided[^1].FailedLegs);

        var before = _world.Decided.Count;
        await _world.PassAsync(worker, TimeSpan.FromHours(1));
        Assert.InRange(_world.Decided.Count - before, 5, 25);   // refusals are log entries: there must not be many
        Assert.Throws<LeaseEndedException>(() => _world.Ask(worker));
    }

    [Fact]
    public async Task A_broker_that_lost_its_store_is_asked_for_a_first_release_again()
    {
        var line = new BrokenLine(_world.Broker());
        using var worker = await _world.StartAsync(line);
        line.Broker = _world.Broker();   // knows no lease
        await _world.PassAsync(worker, TimeSpan.FromSeconds(150));
        Assert.True(_world.Ask(worker).Verdict.IsAccepted);
        Assert.Contains(_world.Decided, one => one.FailedLegs is ["lease"]);
    }

    /// <summary>Whoever stands before a broker whose key is not pinned says first that it knows no such lease, then that it was revoked.</summary>
    [Fact]
    public async Task Unsigned_words_in_a_row_wipe_no_model()
    {
        var between = new UnsignedWords(_world.Broker());
        using var worker = await _world.StartAsync(between);
        between.Lies = true;
        await _world.PassAsync(worker, LeasedWorld.Lease - TimeSpan.FromSeconds(1));
        Assert.Contains("lease", between.Told);
        Assert.Contains("not-revoked", between.Told);
        Assert.True(_world.Ask(worker).Verdict.IsAccepted);
        between.Lies = false;
        await _world.PassAsync(worker, TimeSpan.FromMinutes(2));
        Assert.True(_world.Ask(worker).Verdict.IsAccepted);
    }

    /// <summary>Holds to what a gateway does that has no broker's key.</summary>
    private sealed class UnsignedWords(IKeyBroker broker) : IKeyBroker
    {
        internal bool Lies { get; set; }

        internal List<string> Told { get; } = [];

        public ValueTask<EvidenceChallenge> ChallengeAsync(EvidenceIntroduction introduction, CancellationToken cancel) => broker.ChallengeAsync(introduction, cancel);

        public async ValueTask<KeyReleaseAnswer> ReleaseAsync(Evidence evidence, string? renews, CancellationToken cancel)
        {
            var answer = await broker.ReleaseAsync(evidence, renews, cancel);
            if (!Lies)
                return answer;
            Told.Add(renews is null ? "not-revoked" : "lease");
            answer = answer with { Key = null, Record = answer.Record with { Verdict = KeyReleaseVerdict.Refused, FailedLegs = [Told[^1]] } };
            return GatewayRecords.CountsUnsigned(renews, answer.Record) ? answer : throw new IOException("It is taken for no answer.");
        }
    }

    [Theory, InlineData(0), InlineData(1), InlineData(30)]
    public async Task Whoever_turns_the_calendar_back_before_the_lease_or_during_it_lengthens_none(int daysBefore)
    {
        var clock = new TurnedBack(_world.Time) { Back = TimeSpan.FromDays(daysBefore) };
        var keys = HpkeKeyPair.Generate();
        var receipts = Signer.Generate();
        var broker = _world.Broker();
        var evidence = _world.Source.Collect(broker.Challenge(), new() { Hpke = keys.PublicKey.ToArray(), Receipt = receipts.PublicKey }, _world.Model);
        using var lease = new KeyLease((await broker.ReleaseAsync(evidence, Cancel)).Key!, keys, evidence, clock, clock.GetTimestamp());
        clock.Back = TimeSpan.FromDays(30);   // where it was not turned back before already
        _world.Time.Advance(LeasedWorld.Lease - TimeSpan.FromSeconds(1));
        Assert.False(lease.Over.IsCancellationRequested);
        _world.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(lease.Over.IsCancellationRequested);
        keys.Dispose();
        receipts.Dispose();
    }

    [Fact]
    public async Task An_answer_that_is_held_back_takes_its_time_from_the_lease()
    {
        var clock = new TurnedBack(_world.Time);
        using var keys = HpkeKeyPair.Generate();
        using var receipts = Signer.Generate();
        var broker = _world.Broker();
        var asked = clock.GetTimestamp();
        var evidence = _world.Source.Collect(broker.Challenge(), new() { Hpke = keys.PublicKey.ToArray(), Receipt = receipts.PublicKey }, _world.Model);
        var key = (await broker.ReleaseAsync(evidence, Cancel)).Key!;
        _world.Time.Advance(TimeSpan.FromSeconds(60));
        clock.Back = TimeSpan.FromSeconds(60);   // and the calendar is turned back over it
        using var lease = new KeyLease(key, keys, evidence, clock, asked);
        Assert.Equal(LeasedWorld.Lease - TimeSpan.FromSeconds(60), lease.Left);
    }

    [Fact]
    public async Task Those_who_score_when_the_lease_ends_finish_and_no_others_begin()
    {
        var line = new BrokenLine(_world.Broker());
        using var worker = await _world.StartAsync(line);
        line.IsCut = true;
        using var under = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var scoring = Task.Run(() =>
        {
            using var loan = worker.Leased.Borrow();
            under.Set();
            go.Wait(Cancel);
            var scores = new float[1];
            loan.Held.Model.Score(new float[] { 5 }, 1, scores);
            return scores[0];
        }, Cancel);
        under.Wait(Cancel);
        var ending = Task.Run(() => _world.Time.Advance(LeasedWorld.Lease), Cancel);
        while (worker.IsReady)
            await Task.Yield();
        go.Set();
        Assert.InRange(await scoring, 0, 1);
        await ending;
        Assert.Throws<LeaseEndedException>(() => _world.Ask(worker));
    }

    [Fact]
    public void Renewals_are_spread_and_come_before_the_end_and_retries_back_off()
    {
        foreach (var jitter in (double[])[0, 0.5, 0.999])
        {
            var schedule = new LeaseSchedule(() => jitter);
            Assert.InRange(schedule.Renewal(TimeSpan.FromHours(1)).TotalMinutes, 30, 45);
            Assert.InRange(schedule.Retry(TimeSpan.FromMinutes(10)).TotalMinutes, 2, 4);
            Assert.InRange(schedule.Recovery(0, refused: false).TotalSeconds, 0.5, 1);
            Assert.InRange(schedule.Recovery(50, refused: false).TotalSeconds, 30, 60);
            Assert.InRange(schedule.Recovery(50, refused: true).TotalMinutes, 7.5, 15);
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A calendar that somebody turned back; its clock still goes forward.</summary>
    private sealed class TurnedBack(TimeProvider inner) : TimeProvider
    {
        internal TimeSpan Back { get; set; }

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() - Back;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(callback, state, dueTime, period);
    }
}
