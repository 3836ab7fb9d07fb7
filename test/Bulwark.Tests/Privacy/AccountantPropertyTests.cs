using Bulwark.Privacy;

namespace Bulwark.Tests.Privacy;

/// <summary>What must hold whatever the input, on inputs of no vector.</summary>
public class AccountantPropertyTests
{
    private const double Slack = 3e-3;

    [Fact]
    public void Less_noise_more_steps_more_sampling_and_less_delta_never_cost_less()
    {
        var random = new Random(17);
        for (var i = 0; i < 12; i++)
        {
            var q = Math.Pow(10, -4 * random.NextDouble());
            var sigma = Math.Pow(10, -0.4 + (1.4 * random.NextDouble()));
            var steps = (long)Math.Pow(10, 4 * random.NextDouble());
            var delta = Math.Pow(10, -4 - (6 * random.NextDouble()));
            var bounds = PldAccountant.Epsilon(PrivacyEvent.DpSgd(q, sigma, steps), delta);
            var what = $"q {q:R} sigma {sigma:R} steps {steps} delta {delta:R}: {bounds}";
            Assert.True(bounds.Lower <= bounds.Upper && bounds.Upper >= 0, what);
            Assert.True(bounds.Upper - bounds.Lower <= (Slack * bounds.Upper) + 1e-5, what);
            foreach (var (more, name) in new[]
            {
                (PldAccountant.Epsilon(PrivacyEvent.DpSgd(Math.Min(1, q * 1.2), sigma, steps), delta), "sampling"),
                (PldAccountant.Epsilon(PrivacyEvent.DpSgd(q, sigma / 1.1, steps), delta), "noise"),
                (PldAccountant.Epsilon(PrivacyEvent.DpSgd(q, sigma, steps + 1 + (steps / 10)), delta), "steps"),
                (PldAccountant.Epsilon(PrivacyEvent.DpSgd(q, sigma, steps), delta / 3), "delta"),
            })
            {
                Assert.True(more.Upper >= bounds.Lower, $"{name}, {what}: {more}");
            }

            Assert.True(RdpAccountant.Epsilon(PrivacyEvent.DpSgd(q, sigma, steps), delta, RenyiSeries.Exact).Epsilon >= bounds.Lower, what);
        }
    }

    [Theory]
    [InlineData(0.3, 1, 1e-6)]
    [InlineData(1, 7, 1e-5)]
    [InlineData(0.01, 3, 1e-8)]
    public void Every_kind_of_sampling_of_everything_is_the_mechanism_itself(double scale, long count, double delta)
    {
        var gaussian = new GaussianEvent(2 / scale);
        var exact = PldAccountant.Epsilon(new SelfComposedEvent(gaussian, count), delta);
        Assert.Equal(exact, PldAccountant.Epsilon(new SelfComposedEvent(new PoissonSampledEvent(1, gaussian), count), delta));
        var replaced = PldAccountant.Epsilon(new SelfComposedEvent(gaussian, count), delta, unit: PrivacyUnit.ReplacedRecord);
        var all = new SelfComposedEvent(new FixedSizeSampledEvent(100, 100, gaussian), count);
        Assert.Equal(replaced.Upper, PldAccountant.Epsilon(all, delta, unit: PrivacyUnit.ReplacedRecord).Upper, 1e-9);
        var nearly = new SelfComposedEvent(new FixedSizeSampledEvent(1_000_000_000, 999_999_999, gaussian), count);
        Assert.Equal(replaced.Upper, PldAccountant.Epsilon(nearly, delta, unit: PrivacyUnit.ReplacedRecord).Upper, 1e-3 * replaced.Upper);
    }

    [Fact]
    public void A_fixed_size_sample_is_never_counted_as_a_poisson_sample()
    {
        var sampled = new SelfComposedEvent(new FixedSizeSampledEvent(1000, 10, new GaussianEvent(1)), 100);
        Assert.Throws<NotSupportedException>(() => PldAccountant.Epsilon(sampled, 1e-5));
        Assert.Throws<NotSupportedException>(() => PldAccountant.Epsilon(PrivacyEvent.DpSgd(0.01, 1, 100), 1e-5, unit: PrivacyUnit.ReplacedRecord));
        var poisson = PldAccountant.Epsilon(PrivacyEvent.DpSgd(0.01, 1, 100), 1e-5);
        var replaced = PldAccountant.Epsilon(sampled, 1e-5, unit: PrivacyUnit.ReplacedRecord);
        Assert.True(replaced.Lower > 1.5 * poisson.Upper, $"{replaced} beside {poisson}");   // twice the sensitivity
    }

    /// <summary>One release from a fixed-size sample: Balle, Barthe, Gaboardi 2018, ε′ = log(1 + γ(e^ε − 1)) at δ′ = γδ.</summary>
    [Fact]
    public void One_fixed_size_sample_agrees_with_its_closed_form()
    {
        var inner = GaussianMechanism.Epsilon(2.0 / 2, 1e-5 / 0.05);
        var expected = Math.Log(1 + (0.05 * (Math.Exp(inner) - 1)));
        var bounds = PldAccountant.Epsilon(new FixedSizeSampledEvent(1000, 50, new GaussianEvent(2)), 1e-5, unit: PrivacyUnit.ReplacedRecord);
        Assert.InRange(expected, bounds.Lower - 1e-6, bounds.Upper + 1e-6);
        Assert.True(bounds.Upper - bounds.Lower < 1e-3);
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.2)]
    public void Discrete_noise_that_hardly_is_noise_costs_what_it_should(double sigma)
    {
        var bounds = PldAccountant.Epsilon(new DiscreteGaussianEvent(sigma), 1e-6);
        Assert.True(bounds.Lower > 0.4 / (sigma * sigma), bounds.ToString());   // almost all of the mass moves to where the other has e^(−1/2σ²)
    }

    [Fact]
    public void All_records_of_a_user_cost_more_than_one_and_at_most_what_they_cost_together()
    {
        var happened = PrivacyEvent.DpSgd(0.01, 1, 200);
        var record = PldAccountant.Epsilon(happened, 1e-5);
        var user = PldAccountant.Epsilon(happened, 1e-5, unit: PrivacyUnit.User(3));
        Assert.True(user.Lower > record.Upper);
        // At most all three in every batch where one is: three times the sensitivity, three times the chance.
        Assert.True(user.Upper < PldAccountant.Epsilon(PrivacyEvent.DpSgd(0.03, 1.0 / 3, 200), 1e-5).Upper);
        Assert.Equal(record.Upper, PldAccountant.Epsilon(happened, 1e-5, unit: PrivacyUnit.User(1)).Upper);
        Assert.Equal(GaussianMechanism.Epsilon(2.5, 1e-5), PldAccountant.Epsilon(new GaussianEvent(5), 1e-5, unit: PrivacyUnit.User(2)).Upper, 1e-6);
    }

    [Fact]
    public void Adaptive_clipping_pays_for_its_count()
    {
        var plain = PldAccountant.Epsilon(PrivacyEvent.DpSgd(0.01, 1, 500), 1e-5).Upper;
        PrivacyEvent Adaptive(double count) => new SelfComposedEvent(new PoissonSampledEvent(0.01, new AdaptiveClipEvent(1, count)), 500);
        Assert.True(PldAccountant.Epsilon(Adaptive(3), 1e-5).Lower > plain);
        Assert.Equal(plain, PldAccountant.Epsilon(Adaptive(1e6), 1e-5).Upper, 1e-3);
        Assert.Equal(
            PldAccountant.Epsilon(new ComposedEvent([new GaussianEvent(1), new GaussianEvent(6)]), 1e-5).Upper,
            PldAccountant.Epsilon(new AdaptiveClipEvent(1, 3), 1e-5).Upper, 1e-9);
    }

    [Fact]
    public void Selecting_costs_more_than_one_run_and_less_than_running_all_of_a_tail()
    {
        var run = PrivacyEvent.DpSgd(0.01, 1.5, 300);
        var one = PldAccountant.Epsilon(run, 1e-5);
        var selected = PldAccountant.Epsilon(new RepeatAndSelectEvent(run, 10), 1e-5);
        Assert.InRange(selected.Upper, one.Upper * 1.3, one.Upper * 4.5);
        Assert.Equal(RdpAccountant.Epsilon(run, 1e-5).Epsilon, RdpAccountant.Epsilon(new RepeatAndSelectEvent(run, 1), 1e-5).Epsilon, 1e-9);
        var both = PldAccountant.Epsilon(new ComposedEvent([new GaussianEvent(10), new RepeatAndSelectEvent(run, 10)]), 1e-5);
        Assert.InRange(both.Upper, selected.Upper, selected.Upper + GaussianMechanism.Epsilon(10, 5e-6));
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(5, 0)]
    [InlineData(20, -0.5)]
    [InlineData(3, 4)]
    public void The_number_of_runs_has_the_mean_that_was_asked_for(double mean, double shape)
    {
        var count = new RunCount(mean, shape);
        using var random = new SecureRandom();
        var drawn = Enumerable.Range(0, 20_000).Select(_ => (double)count.Draw(random)).Average();
        Assert.Equal(mean, drawn, 0.12 * mean);
    }

    [Fact]
    public void Delta_and_epsilon_are_inverse()
    {
        var happened = new ComposedEvent([PrivacyEvent.DpSgd(0.02, 1.2, 300), new LaplaceEvent(5)]);
        var epsilon = PldAccountant.Epsilon(happened, 1e-6);
        Assert.True(PldAccountant.Delta(happened, epsilon.Upper).Lower <= 1e-6);
        Assert.True(PldAccountant.Delta(happened, epsilon.Lower).Upper >= 1e-6);
        Assert.Equal(1e-6, PldAccountant.Delta(happened, epsilon.Upper).Upper, 1e-8);
    }

    [Fact]
    public void Calibration_for_a_unit_and_a_mix_keeps_within_the_budget()
    {
        var budget = new PrivacyBudget(1.5, 1e-6);
        PrivacyEvent Plan(double noise) => new ComposedEvent([new DiscreteGaussianEvent(20), PrivacyEvent.DpSgd(0.01, noise, 400)]);
        var sigma = Calibration.NoiseMultiplier(Plan, budget);
        Assert.True(PldAccountant.Epsilon(Plan(sigma), 1e-6).Upper <= 1.5);
        Assert.True(PldAccountant.Epsilon(Plan(sigma * 0.999), 1e-6).Upper > 1.5);
    }
}
