using System.Text.Json;
using Bulwark.Privacy;

namespace Bulwark.Tests.Privacy;

public class PrivacyNoticeTests
{
    [Fact]
    public void A_statement_survives_its_json_and_can_be_counted_again()
    {
        var happened = PrivacyEvent.DpSgd(0.02, 1.5, 200);
        var notice = PrivacyNotice.Of(happened, 1e-5, "Poisson", ["weights"], ["test rows"]);
        var read = PrivacyNotice.Parse(notice.ToJson());
        Assert.Equal(notice.Epsilon, read.Recount().Upper);
        Assert.Equal(happened, read.Event);
        Assert.Equal(PrivacyUnit.Record, read.Unit);
        Assert.Contains(PldAccountant.Version, read.Accountants.Keys);
        Assert.Contains("one training run", string.Join(" ", read.Words), StringComparison.Ordinal);
        Assert.Equal(3, read.AttackLimits.Count);
        Assert.Throws<InvalidDataException>(() => PrivacyNotice.Parse(JsonSerializer.SerializeToElement(new { format = "other" })));
    }

    [Fact]
    public void A_selection_counts_all_of_its_runs_in_the_statement()
    {
        var notice = PrivacyNotice.Of(new RepeatAndSelectEvent(PrivacyEvent.DpSgd(0.02, 3, 100), 8), 1e-5, "Poisson", [], []);
        Assert.Equal(8, notice.RunsCounted);
        Assert.Empty(notice.AttackLimits);   // only epsilon is known of a selection
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(2)]
    public void No_attack_limit_is_below_what_the_exact_gaussian_allows(double noise)
    {
        foreach (var rate in new[] { 0.001, 0.05, 0.3 })
        {
            // The best test of N(0,σ²) against N(1,σ²) at this rate of false alarms.
            var threshold = Quantile(1 - rate);
            var best = Bulwark.Privacy.Accounting.Normal.Above(threshold - (1 / noise));
            var limit = Distinguishing.LargestTruePositiveRate(new GaussianEvent(noise), rate);
            Assert.InRange(limit, best - 1e-9, Math.Min(1, (best * 1.5) + 0.05));
        }
    }

    private static double Quantile(double share)
    {
        var (low, high) = (-10.0, 10.0);
        for (var i = 0; i < 100; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = 1 - Bulwark.Privacy.Accounting.Normal.Above(middle) < share ? (middle, high) : (low, middle);
        }

        return low;
    }
}
