using Bulwark.Privacy;
using Bulwark.Privacy.Accounting;

namespace Bulwark.Tests.Privacy;

public class AccountantTests
{
    [Theory]
    [InlineData(1, 3, 1e-5)]
    [InlineData(100, 30, 1e-8)]
    public void The_lattice_agrees_with_the_exact_gaussian(long count, double noise, double delta)
    {
        var exact = GaussianMechanism.Epsilon(noise / Math.Sqrt(count), delta);
        // Sampling with probability almost 1 forces the lattice; a smaller probability can only cost less.
        var bounds = PldAccountant.Epsilon(PrivacyEvent.DpSgd(1 - 1e-9, noise, count), delta);
        Assert.InRange(exact, bounds.Lower * (1 - 1e-6), bounds.Upper * (1 + 1e-6));
        Assert.True(bounds.Upper - bounds.Lower < 1e-3 * exact);
    }

    [Fact]
    public void One_sampled_gaussian_agrees_with_its_closed_form()
    {
        var (q, noise, delta) = (0.1, 1.0, 1e-5);
        var inner = GaussianMechanism.Epsilon(noise, delta / q);
        var removed = Math.Log(1 + (q * (Math.Exp(inner) - 1)));   // Balle, Barthe, Gaboardi 2018, Theorem 9
        var bounds = PldAccountant.Epsilon(new PoissonSampledEvent(q, new GaussianEvent(noise)), delta);
        Assert.InRange(removed, bounds.Lower, bounds.Upper);
    }

    public static TheoryData<PrivacyEvent> EveryKind() =>
    [
        new GaussianEvent(2), new LaplaceEvent(4), new DiscreteGaussianEvent(3), new DiscreteLaplaceEvent(0.2), new RandomizedResponseEvent(0.5),
        new ExponentialEvent(0.3), new EpsilonDeltaEvent(0.1, 1e-8), new PoissonSampledEvent(0.05, new GaussianEvent(1)), new PoissonSampledEvent(0.1, new LaplaceEvent(2)),
    ];

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void A_count_costs_what_the_list_costs(PrivacyEvent happened)
    {
        var counted = PldAccountant.Epsilon(new SelfComposedEvent(happened, 7), 1e-6);
        var listed = PldAccountant.Epsilon(new ComposedEvent([.. Enumerable.Repeat(happened, 7)]), 1e-6);
        Assert.Equal(listed.Upper, counted.Upper, 1e-9);
        Assert.True(counted.Upper > PldAccountant.Epsilon(happened, 1e-6).Upper);
        Assert.True(counted.Lower <= counted.Upper);
    }

    [Fact]
    public void A_hundred_randomized_responses_cost_a_hundred()
    {
        var bounds = PldAccountant.Epsilon(new SelfComposedEvent(new RandomizedResponseEvent(0.5), 100), 1e-5);
        Assert.InRange(bounds.Upper, 60, 110);   // a repetition count that is dropped would give 1.0986
        Assert.InRange(bounds.Lower, 60, bounds.Upper);
    }

    [Fact]
    public void Renyi_accounting_is_never_below_the_certified_lower_bound()
    {
        foreach (var (q, noise, steps) in new[] { (0.01, 1.0, 1000L), (0.1, 0.8, 50), (1.0, 5, 20) })
        {
            var happened = PrivacyEvent.DpSgd(q, noise, steps);
            Assert.True(RdpAccountant.Epsilon(happened, 1e-5).Epsilon >= PldAccountant.Epsilon(happened, 1e-5).Lower);
        }
    }

    [Fact]
    public void Calibrated_noise_never_costs_more_than_the_budget_and_a_little_less_noise_does()
    {
        var budget = new PrivacyBudget(1, 1e-5);
        var noise = Calibration.DpSgdNoise(0.05, 500, budget);
        Assert.True(PldAccountant.Epsilon(PrivacyEvent.DpSgd(0.05, noise, 500), 1e-5).Upper <= 1);
        Assert.True(PldAccountant.Epsilon(PrivacyEvent.DpSgd(0.05, noise * 0.999, 500), 1e-5).Upper > 1);
    }

    [Fact]
    public void A_composition_under_one_sample_is_refused()
    {
        var happened = new PoissonSampledEvent(0.1, new SelfComposedEvent(new LaplaceEvent(1), 2));
        Assert.Throws<NotSupportedException>(() => PldAccountant.Epsilon(happened, 1e-5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Noise_that_is_no_noise_is_refused(double noise) =>
        Assert.Throws<ArgumentException>(() => PldAccountant.Epsilon(new GaussianEvent(noise), 1e-5));

    [Fact]
    public void Delta_that_no_noise_can_reach_costs_infinity() =>
        Assert.Equal(double.PositiveInfinity, PldAccountant.Epsilon(new EpsilonDeltaEvent(1, 1e-3), 1e-5).Upper);

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1.959963984540054, 0.025)]
    [InlineData(-3, 0.9986501019683699)]
    [InlineData(10, 7.619853024160525e-24)]
    public void Normal_tails_keep_their_digits(double z, double above) => Assert.Equal(1, Normal.Above(z) / above, 1e-12);

    [Fact]
    public void An_event_survives_its_json()
    {
        PrivacyEvent happened = new ComposedEvent([PrivacyEvent.DpSgd(0.1, 1, 5), new LaplaceEvent(2)]);
        Assert.Equal(happened, PrivacyEventJson.Read(PrivacyEventJson.Write(happened)));
        Assert.ThrowsAny<System.Text.Json.JsonException>(() => PrivacyEventJson.Read("""{"kind":"gaussian","noiseMultiplier":1,"count":3}"""));
        Assert.Throws<InvalidDataException>(() => PrivacyEventJson.Read("""{"kind":"gaussian","noiseMultiplier":-1}"""));
        Assert.ThrowsAny<System.Text.Json.JsonException>(() => PrivacyEventJson.Read("""{"kind":"composed","events":[{"noiseMultiplier":1}]}"""));
    }
}
