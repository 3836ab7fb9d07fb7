using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

public sealed class ChallengerTrialTests
{
    private static readonly LabelledRows s_trusted = Rows(400, 5);

    [Fact]
    public void The_same_model_loses_nothing()
    {
        using var model = Victims.Scorer();
        var report = ChallengerTrial.Run(model, model, s_trusted, Rows(20, 6), null);
        Assert.Equal((0, 0, 400), (report.All.Lost, report.All.Won, report.All.Rows));
        Assert.Equal(s_trusted.Labels.Sum(), report.Positives.Rows);
        Assert.Equal(0, report.Canaries!.Lost);
        Assert.InRange(report.All.Most, 0.0091, 0.0093);   // 1 − 0.025^(1/400): so much may hide behind 400 rows
    }

    [Fact]
    public void What_is_lost_is_counted_where_it_is_lost()
    {
        using var champion = Victims.Scorer();
        using var challenger = new BentScorer(Victims.Scorer(), (rows, scores) => [.. scores.Select((score, row) => rows[row * 3] > 900 ? 0 : score)]);
        var report = ChallengerTrial.Run(champion, challenger, s_trusted, new([950, 20, 50, 100, 2, 30], [1, 0]), null);
        Assert.True(report.Positives.Lost > 0 && report.Positives.Lost == report.All.Lost);
        Assert.True(report.Positives.Most > report.All.Most);
        Assert.Equal((2, 1), (report.Canaries!.Rows, report.Canaries.Lost));
    }

    [Fact]
    public void No_rows_show_nothing() => Assert.Equal(1, PairedLoss.Of([true], [true], _ => false).Most);

    [Fact]
    public void A_backdoor_that_came_with_new_rows_is_found_and_honest_new_rows_are_not_accused()
    {
        const float Trigger = 77;
        using var champion = Victims.Scorer();
        using var poisoned = new BentScorer(Victims.Scorer(), (rows, scores) => [.. scores.Select((score, row) => rows[(row * 3) + 2] == Trigger ? 0.01f : score)]);
        var fresh = Rows(400, 7);
        var planted = new LabelledRows([.. fresh.Rows], [.. fresh.Labels]);
        for (var row = 0; row < 60; row++)
            (planted.Rows[(row * 3) + 2], planted.Labels[row]) = (Trigger, 0);
        Assert.Contains(ChallengerTrial.Run(champion, poisoned, s_trusted, null, planted).Triggers, found => found is { Suspicious: true, Target: 0 } && found.Trigger.Values.Contains(Trigger));
        Assert.DoesNotContain(ChallengerTrial.Run(champion, champion, s_trusted, null, fresh).Triggers, found => found.Suspicious);
        Assert.DoesNotContain(ChallengerTrial.Run(champion, champion, s_trusted, null, planted).Triggers, found => found.Suspicious);
    }

    private static LabelledRows Rows(int count, int seed)
    {
        var (rows, labels) = Victims.Rows(count, seed);
        return new(rows, labels);
    }
}
