using Bulwark.Models;
using Bulwark.Monitoring;
using Bulwark.Server;

namespace Bulwark.Tests.Server;

public class MonitoredQueriesTests
{
    private static readonly FeatureSchema s_schema = new() { Label = "y", Features = [.. Enumerable.Range(0, 8).Select(i => new Feature { Name = $"x{i}", Minimum = 0, Maximum = 10 })] };
    private readonly SetClock _time = new() { Now = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero) };
    private readonly Random _random = new(4);

    [Fact]
    public void An_alarm_withholds_the_answer_and_raises_suspicion_of_the_one_who_asked_last()
    {
        var queries = Watched(AlarmAnswer.Withhold, null);
        var asked = 0;
        while (queries.Observe(Query($"client{asked % 20}")))
            asked++;
        Assert.InRange(asked, 2, 60);   // twenty clients share one count
        Assert.Equal(1, queries.Alarms);
        Assert.Equal(200, queries.StandingOf($"client{asked % 20}").Suspicion);
        Assert.Equal(0, queries.StandingOf("another").Suspicion);
        _time.Now += TimeSpan.FromHours(1);
        Assert.Equal(100, queries.StandingOf($"client{asked % 20}").Suspicion);
    }

    [Fact]
    public void An_alarm_that_is_only_recorded_gives_the_answer()
    {
        var queries = Watched(AlarmAnswer.Record, null);
        Assert.All(Enumerable.Range(0, 100), _ => Assert.True(queries.Observe(Query("one"))));
        Assert.True(queries.Alarms > 0);
        Assert.InRange(queries.StandingOf("one").Suspicion, 1, 1000);
    }

    [Fact]
    public void What_was_withheld_is_withheld_again()
    {
        var queries = Watched(AlarmAnswer.Withhold, null);
        var query = Query("one");
        while (queries.Observe(query))
            query = Query("one");
        Assert.False(queries.Observe(query));
        Assert.False(queries.Observe(query));
    }

    [Theory, InlineData(AlarmAnswer.Withhold, true), InlineData(AlarmAnswer.DecisionOnly, true), InlineData(AlarmAnswer.Repeat, true), InlineData(AlarmAnswer.Record, false)]
    public void Rows_must_be_seen_where_an_alarm_keeps_something_back(AlarmAnswer answer, bool must)
    {
        Assert.Equal(must, Watched(answer, null).MustSeeRows("model"));
        Assert.False(Watched(answer, null).MustSeeRows("another"));
        Assert.False(QueryObserver.None.MustSeeRows("model"));
    }

    [Fact]
    public void Each_alarm_has_its_technique_and_its_evidence()
    {
        var alerts = new List<QueryAlert>();
        var queries = new MonitoredQueries(AlarmAnswer.Record, null, _time) { Alerted = alerts.Add };
        queries.Watch("model", s_schema, Monitor(), new ExtractionWatchOptions { Least = 0.999, Warmup = 20 });
        for (var asked = 0; asked < 100; asked++)
            queries.Observe(Query("one") with { Scores = new float[] { 0.7f } });
        var crowd = Assert.IsType<QueryAlert>(alerts.Find(alert => alert.Detector == "crowd"));
        Assert.Equal(("AML.T0042", "one", "model"), (crowd.Technique, crowd.Client, crowd.Model));
        Assert.True(crowd.Evidence["excess"] > 1 && crowd.Evidence["queries"] > 1);
        var copy = Assert.IsType<QueryAlert>(alerts.Find(alert => alert.Detector == "extraction"));
        Assert.Equal("AML.T0024.002", copy.Technique);
        Assert.InRange(copy.Evidence["W"], 0.01, 0.999);
    }

    [Fact]
    public async Task A_search_is_told_its_first_answer_again_and_ordinary_rows_their_own()
    {
        var queries = Watched(AlarmAnswer.Repeat, null);
        var (asked, word) = (0, ObservedAnswer.Give);
        for (; word == ObservedAnswer.Give && asked < 60; asked++)
            word = await queries.ObserveAsync(Query("one") with { Scores = new float[] { 0.9f - (asked / 100f) } });
        Assert.Equal(ObservedAnswer.Repeat, word);
        var success = Query("one") with { Scores = new float[] { 0.1f } };
        Assert.Equal(ObservedAnswer.Repeat, await queries.ObserveAsync(success));
        Assert.Equal([0.9f], queries.Repeated(success).ToArray());
        Assert.Equal([0.3f], queries.Repeated(success with { Client = "two", Scores = new float[] { 0.3f } }).ToArray());   // never another client's answer
        var elsewhere = new ObservedQuery("one", "model", new float[] { 1, 2, 3, 4, 3, 2, 1, 0 }, 1, new float[] { 0.2f }, _time.GetUtcNow());
        Assert.Equal(ObservedAnswer.Give, await queries.ObserveAsync(elsewhere));
        Assert.Equal([0.2f], queries.Repeated(elsewhere).ToArray());
    }

    [Fact]
    public void First_answers_are_one_clients_of_one_length_and_outlive_a_full_generation()
    {
        var answers = new FirstAnswers(most: 8);
        var row = new QueryFingerprint(default, [1, 2, 3, 4], 0);
        Assert.Equal([0.5f], answers.FirstOr("one", row, [0.5f]));
        Assert.Equal([0.5f], answers.FirstOr("one", row with { Cells = [9, 9, 3, 9] }, [0.6f]));
        Assert.Equal([0.7f], answers.FirstOr("two", row, [0.7f]));
        Assert.Equal([0.5f], answers.FirstOr("one", row, [0.1f]));   // the young generation was full
        Assert.Equal([0.1f, 0.9f], answers.FirstOr("one", row, [0.1f, 0.9f]));
        Assert.Equal([0.1f, 0.9f], answers.FirstOr("one", row, [0.2f, 0.8f]));
    }

    [Fact]
    public void Many_at_once_lose_no_first_answer()
    {
        const int Most = 4096;
        var answers = new FirstAnswers(Most);
        var kept = new QueryFingerprint(default, [1, 2, 3, 4], 0);
        answers.FirstOr("one", kept, [0.5f]);
        Parallel.For(0, 4 * Most, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            answers.FirstOr("other", new(default, [(ulong)(100 + i)], 0), [0.1f]);
            Assert.Equal([0.5f], answers.FirstOr("one", kept, [0.9f]));   // asked for all the time, it never is two generations old
        });
    }

    [Fact]
    public void A_budget_is_spent_by_rows_and_comes_back_the_next_day()
    {
        var queries = new MonitoredQueries(AlarmAnswer.Withhold, 3, _time);
        Assert.Equal(3, queries.StandingOf("one").BudgetLeft);
        Assert.True(queries.Observe(Query("one")));
        Assert.Equal(2, queries.StandingOf("one").BudgetLeft);
        queries.Observe(new("one", "none", new float[40], 5, default, _time.GetUtcNow()));
        Assert.Equal(0, queries.StandingOf("one").BudgetLeft);
        Assert.Equal(3, queries.StandingOf("two").BudgetLeft);
        _time.Now += TimeSpan.FromHours(12);
        Assert.Equal(3, queries.StandingOf("one").BudgetLeft);
    }

    private MonitoredQueries Watched(AlarmAnswer answer, long? budget)
    {
        var queries = new MonitoredQueries(answer, budget, _time);
        queries.Watch("model", s_schema, Monitor());
        return queries;
    }

    private QueryMonitor Monitor() => QueryMonitor.Fit(new byte[32], [.. Enumerable.Range(0, 1000 * 8).Select(_ => _random.NextSingle() * 0.5f)], 8);

    private ObservedQuery Query(string client) =>
        new(client, "model", Enumerable.Range(0, 8).Select(_ => 9 + (_random.NextSingle() * 0.1f)).ToArray(), 1, default, _time.GetUtcNow());

    private sealed class SetClock : TimeProvider
    {
        internal DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
