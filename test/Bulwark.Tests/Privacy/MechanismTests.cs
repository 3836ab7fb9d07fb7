using Bulwark.Privacy;

namespace Bulwark.Tests.Privacy;

public sealed class MechanismTests : LedgerOfOne
{
    [Fact]
    public void Noise_has_the_deviation_that_was_asked_for()
    {
        using var noise = new SecureNoise();
        var values = new float[200_001];
        noise.AddGaussian(values, 3);
        Assert.InRange(values.Average(), -0.05, 0.05);                                  // 7 standard errors
        Assert.InRange(Math.Sqrt(values.Average(value => (double)value * value)), 2.96, 3.04);
        Assert.InRange(values.Count(value => Math.Abs(value) > 6), 8500, 9700);         // 4.55 % beyond two deviations
    }

    [Fact]
    public void Two_generators_never_agree()
    {
        using var one = new SecureRandom();
        using var other = new SecureRandom();
        var (first, second) = (new byte[32], new byte[32]);
        one.Fill(first);
        other.Fill(second);
        Assert.NotEqual(first, second);
    }

    [Fact]
    public void A_poisson_sample_takes_each_record_alike_and_may_be_empty()
    {
        using var random = new SecureRandom();
        var (sample, hits, empty) = (new List<int>(), new int[10], 0);
        for (var i = 0; i < 20_000; i++)
        {
            random.PoissonSample(10, 0.1, sample);
            empty += sample.Count == 0 ? 1 : 0;
            foreach (var index in sample)
                hits[index]++;
        }

        Assert.All(hits, count => Assert.InRange(count, 1700, 2300));   // 2000 ± 7 deviations
        Assert.InRange(empty, 6400, 7500);                              // 0.9¹⁰ = 34.9 %
    }

    [Fact]
    public void Moments_come_out_near_and_are_paid_for_once()
    {
        var random = new Random(1);
        var rows = new float[20_000 * 2];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = random.NextSingle();
        var moments = PrivateMoments.Release(rows, 2, Math.Sqrt(2), 20, Ledger, "data");
        Assert.Equal(0.5, moments.Mean[0], 0.05);
        Assert.Equal(1 / 12.0, moments.Covariance[0], 0.05);
        Assert.Equal(moments.Covariance[1], moments.Covariance[2]);
        Assert.Equal(1, Ledger.Spent("data", 1e-5).Events);
    }

    [Fact]
    public void A_row_moves_the_moments_by_no_more_than_its_sensitivity()
    {
        // The sums' length with one row of the largest length, without noise to speak of: the count, the mean and the product are 1 each at most.
        var moments = PrivateMoments.Release([1e6f, 1e6f], 2, 1, 1e-12, Rich(), "rich");
        Assert.Equal(1, moments.Count, 1e-6);
        Assert.Equal(1, (moments.Mean[0] * moments.Mean[0]) + (moments.Mean[1] * moments.Mean[1]), 1e-3);   // whole steps of 2⁻¹², never longer
        Assert.True((moments.Mean[0] * moments.Mean[0]) + (moments.Mean[1] * moments.Mean[1]) <= 1);
    }

    [Fact]
    public void Moments_without_budget_are_refused()
    {
        Assert.Throws<PrivacyBudgetException>(() => PrivateMoments.Release(new float[10], 2, 1, 0.5, Ledger, "data"));
        Assert.Equal(0, Ledger.Spent("data", 1e-5).Events);
    }

    [Fact]
    public void Bounds_hold_the_bulk_of_a_column()
    {
        var values = Enumerable.Range(0, 10_000).Select(i => 3 + (i % 90)).Select(value => (double)value).Append(double.NaN).Append(1e30).ToArray();
        var bounds = PrivateBounds.Release(values, 20, Ledger, "data", "age");
        Assert.Equal((2.0, 128.0), bounds);   // the lone 1e30 does not stand out of the noise
        Assert.Equal(1, Ledger.Spent("data", 1e-5).Events);
    }

    private PrivacyLedger Rich()
    {
        Ledger.SetBudget("rich", new PrivacyBudget(1e300, 1e-5));
        return Ledger;
    }
}
