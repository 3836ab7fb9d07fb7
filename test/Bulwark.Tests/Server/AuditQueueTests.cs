using Bulwark.Cryptography;
using Bulwark.Server;

namespace Bulwark.Tests.Server;

public class AuditQueueTests
{
    private static readonly Digest One = Digest.Of("one"u8), Other = Digest.Of("other"u8);

    [Fact]
    public void What_waits_is_given_out_in_its_order_in_groups_of_one_policy_and_no_more_than_fits()
    {
        var queue = new AuditQueue(100);
        WaitingDecision[] all = [Of(One), Of(One), Of(One), Of(Other), Of(One)];
        foreach (var waiting in all)
            Assert.True(queue.TryAdd(waiting));
        Assert.Equal(5, queue.Count);
        Assert.Equal(all[..2], Take(queue, 2 * all[0].Bytes));
        Assert.Equal(all[2..3], Take(queue, 100_000));
        Assert.Equal(all[3..4], Take(queue, 100_000));
        Assert.Equal(all[4..], Take(queue, 1));   // one that is larger than a group is a group
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void A_full_queue_refuses_and_takes_again_when_there_is_room()
    {
        var queue = new AuditQueue(2);
        Assert.True(queue.TryAdd(Of(One)) && queue.TryAdd(Of(One)));
        Assert.False(queue.TryAdd(Of(One)));
        Assert.Equal(2, Take(queue, 100_000).Count);
        Assert.True(queue.TryAdd(Of(One)));
    }

    [Fact]
    public async Task A_closed_queue_takes_nothing_gives_out_what_waits_and_ends()
    {
        var queue = new AuditQueue(10);
        Assert.True(queue.TryAdd(Of(One)));
        queue.Close();
        Assert.False(queue.TryAdd(Of(One)));
        Assert.Single(Take(queue, 100_000));
        Assert.Empty(Take(queue, 100_000));
        var asleep = new AuditQueue(10);
        var taking = Task.Run(() => Take(asleep, 100_000), TestContext.Current.CancellationToken);
        asleep.Close();
        Assert.Empty(await taking);
    }

    [Fact]
    public async Task Nothing_is_lost_between_many_who_add_and_the_one_who_takes()
    {
        const int Writers = 8, Each = 2000;
        var queue = new AuditQueue(Writers * Each);
        var taken = Task.Run(() =>
        {
            var all = new HashSet<WaitingDecision>();
            while (Take(queue, 44_000) is { Count: > 0 } group)
                all.UnionWith(group);
            return all;
        }, TestContext.Current.CancellationToken);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++)
                Assert.True(queue.TryAdd(Of(One)));
        }, TestContext.Current.CancellationToken)));
        queue.Close();
        Assert.Equal(Writers * Each, (await taken).Count);
    }

    private static List<WaitingDecision> Take(AuditQueue queue, int largest)
    {
        var group = new List<WaitingDecision>();
        Assert.Equal(queue.Take(group, largest), group.Count > 0);
        return group;
    }

    private static WaitingDecision Of(Digest policy) => new(new("infer", DateTimeOffset.UnixEpoch) { Policy = policy }, null);
}
