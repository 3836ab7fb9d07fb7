using Bulwark.Privacy;

namespace Bulwark.Tests.Privacy;

public sealed class PrivateStatisticsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("statistics");
    private readonly PrivacyLedger _ledger;
    private readonly PrivateStatistics _statistics;
    private readonly double[] _ages = [.. Enumerable.Range(0, 20_000).Select(i => 18.0 + (i % 60))];

    public PrivateStatisticsTests()
    {
        _ledger = PrivacyLedger.Open(Path.Combine(_folder.FullName, "ledger.jsonl"));
        _ledger.SetBudget("data", new PrivacyBudget(20, 1e-6));
        _statistics = new PrivateStatistics(_ledger, "data");
    }

    public void Dispose()
    {
        _ledger.Dispose();
        TemporaryFolder.Remove(_folder.FullName);
    }

    [Fact]
    public void Each_release_is_near_the_truth_and_booked_at_its_cost()
    {
        Assert.InRange(_statistics.Count(20_000, 5), 19_960, 20_040);
        Assert.InRange(_statistics.Sum(_ages, 0, 100, 5), 950_000 - 4_500, 950_000 + 4_500);
        Assert.InRange(_statistics.Mean(_ages, 0, 100, 5), 47, 48);
        Assert.InRange(_statistics.Quantile(_ages, 0.5, [.. Enumerable.Range(0, 101).Select(i => (double)i)], 0.5), 46, 50);
        var histogram = _statistics.Histogram([.. _ages.Select(age => age < 48 ? 0 : 1)], 2, 5);
        Assert.InRange(histogram[0], 9_900, 10_200);
        var booked = _ledger.Entries.Where(entry => entry.Kind == LedgerEntryKind.Reserve).Select(entry => entry.Event).ToList();
        Assert.Equal([PrivateStatistics.CountCost(5), PrivateStatistics.SumCost(5), new ComposedEvent([PrivateStatistics.SumCost(5), PrivateStatistics.CountCost(5)]), PrivateStatistics.QuantileCost(0.5), PrivateStatistics.CountCost(5)], booked);
        Assert.Equal(5, _ledger.Entries.Count(entry => entry.Kind == LedgerEntryKind.Commit));
    }

    [Fact]
    public void A_discrete_release_costs_about_what_its_continuous_twin_costs()
    {
        var exact = GaussianMechanism.Epsilon(5, 1e-6);
        Assert.Equal(exact, PldAccountant.Epsilon(PrivateStatistics.CountCost(5), 1e-6).Upper, 0.01 * exact);
        Assert.Equal(exact, PldAccountant.Epsilon(PrivateStatistics.SumCost(5), 1e-6).Upper, 0.001 * exact);
    }

    [Fact]
    public void Bins_rise_and_split_the_column()
    {
        var edges = _statistics.Bins(_ages, 4, [.. Enumerable.Range(0, 101).Select(i => (double)i)], 3);
        Assert.Equal(3, edges.Length);
        Assert.InRange(edges[0], 31, 35);
        Assert.InRange(edges[2], 61, 65);
    }

    [Fact]
    public void A_sum_is_a_whole_number_of_grid_steps()
    {
        for (var i = 0; i < 20; i++)
            Assert.Equal(0, _statistics.Sum([0.1, 0.2, 0.30001], 0, 1, 16) * 64 % 1);   // 1024/16 steps to the bound
    }

    [Fact]
    public void Without_budget_nothing_is_released()
    {
        Assert.Throws<PrivacyBudgetException>(() => new PrivateStatistics(_ledger, "other").Count(1, 5));
        Assert.Throws<PrivacyBudgetException>(() => _statistics.Count(1, 0.01));
        Assert.DoesNotContain(_ledger.Entries, entry => entry.Kind == LedgerEntryKind.Reserve);
    }
}
