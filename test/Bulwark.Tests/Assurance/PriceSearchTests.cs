using Bulwark.Assurance;

namespace Bulwark.Tests.Assurance;

/// <summary>A fraudster who pays for what he changes.</summary>
public class PriceSearchTests
{
    private const string Prices = """
        { "format": "bulwark-constraints/v1", "features": { "amount": { "up": 0.01, "down": 0.002 }, "count": { "change": 0.1, "up": 1, "down": 0.2 } } }
        """;

    private static readonly TabularSpace s_space = new(Victims.Encoder, TabularConstraints.Parse(Prices).Compile(Victims.Schema));

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(1.5)]
    public void What_was_found_is_misread_paid_and_can_be_sent(double budget)
    {
        var (raw, labels) = Victims.Rows(120);
        var reach = new TabularReach(PerturbationNorm.L2, double.PositiveInfinity, budget);
        var (model, adversarial, spent) = (Model(), new float[raw.Length], new int[labels.Length]);
        var wrong = new PriceSearch { Reach = reach }.Run(model, s_space, raw, labels, adversarial, spent);
        var leads = new float[labels.Length];
        model.Lead(adversarial, labels.Length, leads);
        for (var row = 0; row < labels.Length; row++)
        {
            var sent = adversarial.AsSpan(row * 3, 3);
            var original = raw.AsSpan(row * 3, 3);
            Assert.Equal(wrong[row], RowModel.IsWrong(leads[row], labels[row]));
            Assert.Null(reach.Reject(s_space, sent, original, s_space.Encoder.Encode(sent), s_space.Encoder.Encode(original)));
            Assert.InRange(spent[row], 1, 10_000);
        }
    }

    /// <summary>Of one row the cheapest way is known: 0.2 a unit of count moves an encoded value by 0.05, 0.002 a unit of amount by 0.001.</summary>
    [Fact]
    public void The_cheapest_way_is_found_and_one_cent_less_does_not_suffice()
    {
        float[] raw = [600, 10, 50];   // 0.6 + 0.5 + 0.0005 - 1: positive by 0.1005; down 101 of the amount costs 0.202
        bool Falls(double budget) => new PriceSearch { Reach = new(PerturbationNorm.L2, double.PositiveInfinity, budget) }.Run(Model(), s_space, raw, [1], new float[3])[0];
        Assert.True(Falls(0.25));
        Assert.False(Falls(0.19));
    }

    [Fact]
    public void Uniform_cost_pays_no_more_than_the_greedy_way()
    {
        var (raw, labels) = Victims.Rows(14);
        var reach = new TabularReach(PerturbationNorm.L2, double.PositiveInfinity, 0.6);
        var (greedy, cheapest, spent) = (new float[raw.Length], new float[raw.Length], new int[labels.Length]);
        var byGreed = new PriceSearch { Reach = reach }.Run(Model(), s_space, raw, labels, greedy);
        var byCost = new UniformCostSearch { Reach = reach, Queries = 600 }.Run(Model(), s_space, raw, labels, cheapest, spent);
        Assert.Contains(true, byCost);
        for (var row = 0; row < labels.Length; row++)
        {
            var sent = cheapest.AsSpan(row * 3, 3);
            var original = raw.AsSpan(row * 3, 3);
            Assert.Null(reach.Reject(s_space, sent, original, s_space.Encoder.Encode(sent), s_space.Encoder.Encode(original)));
            Assert.InRange(spent[row], 1, 600);
            if (byCost[row] && byGreed[row])
                Assert.True(s_space.Constraints.Cost(sent, original) <= (s_space.Constraints.Cost(greedy.AsSpan(row * 3, 3), original) * 1.001) + 1e-9);
        }
    }

    [Fact]
    public void Relaxed_prices_never_exceed_real_ones()
    {
        var prices = RelaxedPrices.Of(s_space);
        Assert.Equal(2.0, prices[0], 1e-9);            // 0.002 a unit, 1000 units
        Assert.Equal(0.1 + (20 * 0.2), prices[1], 1e-9);
        Assert.Equal(double.PositiveInfinity, prices[2]);
        var free = new TabularSpace(Victims.Encoder, TabularConstraints.None.Compile(Victims.Schema));
        Assert.Contains("'amount' can be moved for nothing", Assert.Throws<InvalidDataException>(() => RelaxedPrices.Of(free)).Message, StringComparison.Ordinal);
    }

    private static NetworkRows Model() => new(s_space.Encoder, new DifferentiableNetwork<float>(Victims.Network()), 0.5);
}
