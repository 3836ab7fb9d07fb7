using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Server;
using Bulwark.Tests.Servers;

namespace Bulwark.Tests.Server;

public class SharedQueriesTests
{
    private const int Width = 8;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly FeatureSchema s_schema = new() { Label = "y", Features = [.. Enumerable.Range(0, Width).Select(i => new Feature { Name = $"x{i}", Minimum = 0, Maximum = 10 })] };
    private static readonly float[] s_ordinary = Ordinary(new Random(4));
    private readonly Random _random = new(5);

    [Fact]
    public async Task A_search_spread_over_gateways_and_clients_is_seen_as_by_one()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var first = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        await using var second = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        MonitoredQueries[] gateways = [Watched(first), Watched(second)];
        var alone = Watched(null);
        var (asked, seenAlone) = (0, 0);
        ObservedAnswer answer;
        do
        {
            var query = Query($"client{asked % 5}");
            answer = await gateways[asked % 2].ObserveAsync(query);
            asked++;
            if (seenAlone == 0 && await alone.ObserveAsync(query) == ObservedAnswer.Withhold)
                seenAlone = asked;
        }
        while (answer == ObservedAnswer.Give && asked < 100);
        Assert.Equal(ObservedAnswer.Withhold, answer);
        Assert.Equal(seenAlone, asked);
        var last = $"client{(asked - 1) % 5}";
        Assert.True(gateways[(asked - 1) % 2].StandingOf(last).Suspicion >= 150);
        // Another gateway learns of suspicion with the client's next request, whatever model that is for.
        var told = Watched(second);
        await WaitAsync(async () =>
        {
            await told.ObserveAsync(new(last, "unwatched", default, 1, default, DateTimeOffset.UtcNow));
            return told.StandingOf(last).Suspicion >= 150;
        });
    }

    [Fact]
    public async Task A_client_has_one_budget_for_all_gateways_models_and_ways_of_asking()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var shared = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        MonitoredQueries first = Watched(shared), second = Watched(shared);
        var now = DateTimeOffset.UtcNow;
        await first.ObserveAsync(Query("one"));
        await second.ObserveAsync(new("one", "model", default, 300, default, now));     // sealed: no rows
        await first.ObserveAsync(new("one", "another", default, 600, default, now));
        await second.ObserveAsync(Query("one"));
        Assert.Equal(1000 - 1 - 300 - 600 - 1, second.StandingOf("one").BudgetLeft);
        await second.ObserveAsync(Query("two"));
        Assert.Equal(999, second.StandingOf("two").BudgetLeft);
    }

    [Fact]
    public async Task A_client_has_one_rate_for_all_gateways()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var first = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        await using var second = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        SharedRates[] rates = [new(first, goOnAlone: false), new(second, goOnAlone: true)];
        Task<RateVerdict> TakeAsync(int gateway, string client) => rates[gateway].TakeAsync(NameBytes(client), 0.001, 3).AsTask();
        Assert.Equal(RateVerdict.Within, await TakeAsync(0, "one"));
        Assert.Equal(RateVerdict.Within, await TakeAsync(1, "one"));
        Assert.Equal(RateVerdict.Within, await TakeAsync(0, "one"));
        Assert.Equal(RateVerdict.Above, await TakeAsync(1, "one"));
        Assert.Equal(RateVerdict.Above, await TakeAsync(0, "one"));
        Assert.Equal(RateVerdict.Within, await TakeAsync(1, "two"));
        // A burst refills at the rate: a thousand seconds are awaited by nobody, a millisecond is.
        await WaitAsync(async () => await rates[0].TakeAsync(NameBytes("three"), 1000, 1) == RateVerdict.Within && await rates[1].TakeAsync(NameBytes("three"), 1000, 1) == RateVerdict.Within);
        foreach (var many in (double[])[1e6, 2e6, 1e300])   // more than the store's clock can tell apart
            Assert.Equal(RateVerdict.Within, await rates[0].TakeAsync(NameBytes($"{many}"), many, 100));
        redis.Kill();
        Assert.Equal(RateVerdict.Unknown, await TakeAsync(0, "one"));   // refused
        Assert.Equal(RateVerdict.Within, await TakeAsync(1, "one"));    // by its own count alone
    }

    [Fact]
    public async Task What_was_exchanged_and_never_judged_is_judged_when_it_is_asked_again()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var shared = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        var monitor = QueryMonitor.Fit(new byte[32], s_ordinary, Width);
        var prints = Enumerable.Range(0, 150).Select(_ => monitor.FingerprintOf(Query("one").Rows.Span)).ToList();   // more than one call takes
        async Task<SharedSight> ExchangeAsync() => Assert.IsType<SharedSight>(await shared.ExchangeAsync("monitor", "one", DateTimeOffset.UtcNow, 0, prints));
        var lost = await ExchangeAsync();   // its answer came too late
        var again = await ExchangeAsync();
        Assert.Equal((150, 150), (lost.Earlier.Count, again.Earlier.Count));
        var judged = prints.Zip(again.Earlier, monitor.Judge).ToList();
        Assert.True(judged[^1].IsAlarm);
        Assert.Empty(again.Earlier[0]);     // itself and what came later are not before it
        for (var row = 0; row < prints.Count; row++)   // what a full cell dropped meanwhile is gone, nothing else is there
            Assert.Subset(lost.Earlier[row].Select(one => one.Age).ToHashSet(), again.Earlier[row].Select(one => one.Age).ToHashSet());
        Assert.InRange(again.Earlier[^1].Count, 32, lost.Earlier[^1].Count);
        var third = await shared.ExchangeAsync("monitor", "one", DateTimeOffset.UtcNow, 0, [monitor.FingerprintOf(Query("one").Rows.Span)]);
        Assert.Equal(1, third!.Earlier[0][0].Age);   // 150 are there, not 300
        Assert.All(third.Earlier[0], one => Assert.InRange(one.Age, 1, 150));
    }

    [Fact]
    public async Task Nothing_raw_is_in_the_store_and_everything_expires()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var shared = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        Assert.Equal(ObservedAnswer.Give, await Watched(shared).ObserveAsync(Query("one")));
        var keys = (await redis.AskAsync("KEYS *")).Split("\r\n").Where(line => line.StartsWith('{')).ToList();
        Assert.Equal(4 + 3, keys.Count);   // four cells, the digest, the day, the number
        foreach (var key in keys.Where(key => !key.EndsWith(":n", StringComparison.Ordinal)))
            Assert.DoesNotContain(":-1", await redis.AskAsync($"TTL {key}"), StringComparison.Ordinal);
        var cell = keys.First(key => key.Contains(":c:1:", StringComparison.Ordinal));
        Assert.Contains("$56\r\n", await redis.AskAsync($"LRANGE {cell} 0 -1"), StringComparison.Ordinal);   // a number and a sketch, no 32 bytes of values
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_store_that_is_away_refuses_or_leaves_the_gateway_alone_and_comes_back(bool alone)
    {
        using var redis = await RedisProcess.StartAsync();
        await using var shared = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        var gateway = Watched(shared, alone);
        Assert.Equal(ObservedAnswer.Give, await gateway.ObserveAsync(Query("one")));
        redis.Kill();
        Assert.Equal(alone ? ObservedAnswer.Give : ObservedAnswer.Unavailable, await gateway.ObserveAsync(Query("one")));
        if (alone)   // it still sees a search, by itself
            await WaitAsync(async () => await gateway.ObserveAsync(Query("one")) == ObservedAnswer.Withhold);
        await redis.StartAgainAsync();
        await WaitAsync(async () =>
        {
            await gateway.ObserveAsync(Query("two"));
            return (await redis.AskAsync("KEYS *")).Contains(":b:", StringComparison.Ordinal);
        });
        Assert.NotEqual(ObservedAnswer.Unavailable, await gateway.ObserveAsync(Query("two")));
    }

    [Fact]
    public async Task Gateways_know_a_client_together_by_its_certificate_and_their_key_whatever_each_calls_it()
    {
        using var redis = await RedisProcess.StartAsync();
        byte[] another = [.. new byte[31], 1];
        await using var first = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        await using var second = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        await using var stranger = await SharedQueries.JoinAsync(redis.Address, null, another, TimeSpan.FromHours(1), s_patience);
        MonitoredQueries here = Watched(first), there = Watched(second), elsewhere = Watched(stranger);
        await here.ObserveAsync(Query("its name here") with { Thumbprint = NameBytes("certificate") });
        await there.ObserveAsync(Query("its name there") with { Thumbprint = NameBytes("certificate") });
        Assert.Equal(998, there.StandingOf("its name there").BudgetLeft);
        await elsewhere.ObserveAsync(Query("its name") with { Thumbprint = NameBytes("certificate") });
        Assert.Equal(999, elsewhere.StandingOf("its name").BudgetLeft);
        Assert.DoesNotContain("its name", await redis.AskAsync("KEYS *"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_key_is_told_and_a_store_that_is_away_tells_nothing()
    {
        using var redis = await RedisProcess.StartAsync();
        await using var first = await SharedQueries.JoinAsync(redis.Address, null, new byte[32], TimeSpan.FromHours(1), s_patience);
        await using var stranger = await SharedQueries.JoinAsync(redis.Address, null, Enumerable.Repeat((byte)7, 32).ToArray(), TimeSpan.FromHours(1), s_patience);
        Assert.True(await first.HasSameKeyAsync());
        Assert.False(await stranger.HasSameKeyAsync());
        Assert.True(await first.HasSameKeyAsync());
        await redis.AskAsync($"DEL {SharedQueries.FingerprintKey}");
        Assert.True(await stranger.HasSameKeyAsync());
        redis.Kill();
        Assert.Null(await first.HasSameKeyAsync());
        await Assert.ThrowsAsync<ArgumentException>(() => SharedQueries.JoinAsync(redis.Address, null, new byte[16], TimeSpan.FromHours(1), s_patience));
    }

    [Theory, InlineData("http://127.0.0.1:1"), InlineData("redis://user:password@127.0.0.1:1")]
    public async Task An_address_that_is_none_is_refused(string address) =>
        await Assert.ThrowsAsync<ArgumentException>(() => SharedQueries.JoinAsync(new Uri(address), null, new byte[32], TimeSpan.FromHours(1), s_patience));

    private static byte[] NameBytes(string client) => SHA256.HashData(Encoding.UTF8.GetBytes(client));

    private static async Task WaitAsync(Func<Task<bool>> until)
    {
        for (var limit = Stopwatch.StartNew(); limit.Elapsed < TimeSpan.FromMinutes(2);)
        {
            if (await until())
                return;
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        Assert.Fail("It did not come to pass within two minutes.");
    }

    private static MonitoredQueries Watched(SharedQueries? shared, bool alone = false)
    {
        var queries = new MonitoredQueries(AlarmAnswer.Withhold, 1000, TimeProvider.System, shared, alone);
        queries.Watch("model", s_schema, QueryMonitor.Fit(new byte[32], s_ordinary, Width));
        return queries;
    }

    private static float[] Ordinary(Random random) => [.. Enumerable.Range(0, 600 * Width).Select(_ => random.NextSingle() * 0.5f)];

    private ObservedQuery Query(string client) =>
        new(client, "model", Enumerable.Range(0, Width).Select(_ => 9 + (_random.NextSingle() * 0.1f)).ToArray(), 1, default, DateTimeOffset.UtcNow);
}
