using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

public class MembershipTests
{
    [Theory]
    [InlineData(0, 10, 0, 0.30850)]
    [InlineData(5, 10, 0.18709, 0.81291)]
    [InlineData(10, 10, 0.69150, 1)]
    [InlineData(0, 0, 0, 1)]
    [InlineData(750, 1000, 0.72194, 0.77657)]
    public void Intervals_are_the_published_ones(int successes, int trials, double lower, double upper)
    {
        var interval = ClopperPearson.Interval(successes, trials);
        Assert.Equal(lower, interval.Lower, 1e-5);
        Assert.Equal(upper, interval.Upper, 1e-5);
    }

    [Fact]
    public void An_interval_misses_at_most_as_often_as_it_says()
    {
        const int Trials = 30;
        foreach (var share in (double[])[0.05, 0.3, 0.5, 0.9])
        {
            double missed = 0, probability = Math.Pow(1 - share, Trials);
            for (var successes = 0; successes <= Trials; successes++)
            {
                var (lower, upper) = ClopperPearson.Interval(successes, Trials);
                if (share < lower || share > upper)
                    missed += probability;
                probability *= share / (1 - share) * (Trials - successes) / (successes + 1);
            }

            Assert.InRange(missed, 0, 0.05);
        }
    }

    [Fact]
    public void A_model_that_remembers_is_caught_and_one_that_does_not_is_not()
    {
        var (raw, labels) = Victims.Rows(400);
        var members = raw[..600].Chunk(3).Select(row => row[0]).ToHashSet();
        var remembers = new BentScorer(Victims.Scorer(), (rows, scores) => [.. scores.Select((_, i) =>
        {
            var row = Array.FindIndex(raw, value => value == rows[i * 3]) / 3;
            var sure = members.Contains(rows[i * 3]) ? 0.999f : 0.7f;
            return labels[row] == 1 ? sure : 1 - sure;
        })]);
        var caught = MembershipAttack.Run(remembers, raw.AsSpan(0, 600), labels.AsSpan(0, 200), raw.AsSpan(600), labels.AsSpan(200));
        Assert.Equal(1, caught.Auc);
        Assert.Equal(1, caught.Points[1].TruePositiveRate);
        Assert.Equal(0, caught.Points[1].FalsePositives);
        Assert.True(caught.MeanLossOfMembers < caught.MeanLossOfOthers);

        var constant = new BentScorer(Victims.Scorer(), (_, scores) => [.. scores.Select(_ => 0.5f)]);
        var guessed = MembershipAttack.Run(constant, raw.AsSpan(0, 600), labels.AsSpan(0, 200), raw.AsSpan(600), labels.AsSpan(200));
        Assert.Equal(0.5, guessed.Auc);
        Assert.Equal(0, guessed.Points[0].TruePositives);   // equal scores move together: none can be told apart
        Assert.Equal(0.5, guessed.BalancedAccuracy);
    }

    [Fact]
    public void The_realized_rate_is_reported_when_the_target_is_out_of_reach()
    {
        var curve = MembershipCurve.Of([3, 2, 1, 0], [true, false, true, false]);
        var point = curve.At(0.3);
        Assert.Equal((0.5, 1, 0, 0.0), (point.TruePositiveRate, point.TruePositives, point.FalsePositives, point.RealizedFalsePositiveRate));
        Assert.Equal(1, curve.At(0.5).TruePositiveRate);
        Assert.Equal(0.75, curve.Auc);
    }

    [Fact]
    public void Scores_that_say_nothing_are_refused()
    {
        Assert.Throws<ArgumentException>(() => MembershipCurve.Of([1, double.NaN], [true, false]));
        Assert.Throws<ArgumentException>(() => MembershipCurve.Of([1, 2], [true, true]));
        Assert.Throws<ArgumentException>(() => MembershipCurve.Of([1], [true, false]));
        Assert.Throws<ArgumentException>(() => MembershipAttack.Run(Victims.Scorer(), [1, 2], [1], [1, 2, 3], [0]));
    }
}
