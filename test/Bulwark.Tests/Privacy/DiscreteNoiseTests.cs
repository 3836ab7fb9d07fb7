using Bulwark.Privacy;

namespace Bulwark.Tests.Privacy;

/// <summary>Draws against the formulas, with repeatable bits: a chi-square of many cells, whose threshold a right sampler crosses once in a hundred thousand seeds.</summary>
public class DiscreteNoiseTests
{
    private const int Draws = 100_000;

    private static DiscreteNoise Repeatable(int seed) => new(new Random(seed).NextBytes);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4)]
    [InlineData(7, 2)]
    [InlineData(100, 1)]
    [InlineData(1L << 36, 1L << 20)]
    public void The_discrete_gaussian_has_its_chances(long numerator, long denominator)
    {
        var variance = (double)numerator / denominator;
        using var noise = Repeatable(7);
        Agrees(() => noise.Gaussian(numerator, denominator), k => Math.Exp(-k * (double)k / (2 * variance)), (int)Math.Ceiling(9 * Math.Sqrt(variance)) + 2);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 5)]
    [InlineData(5, 2)]
    [InlineData(200, 1)]
    public void The_discrete_laplace_has_its_chances(long numerator, long denominator)
    {
        using var noise = Repeatable(11);
        Agrees(() => noise.Laplace(numerator, denominator), k => Math.Exp(-Math.Abs(k) * (double)denominator / numerator), (int)Math.Ceiling(40.0 * numerator / denominator) + 2);
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(1, 3, 0.7165313105737893)]
    [InlineData(1, 1, 0.36787944117144233)]
    [InlineData(5, 2, 0.0820849986238988)]
    public void A_trial_happens_with_its_chance(int numerator, int denominator, double chance)
    {
        using var noise = Repeatable(3);
        var (small, large) = (0, 0);
        for (var i = 0; i < Draws; i++)
        {
            small += noise.HappensExp((UInt128)numerator, (UInt128)denominator) ? 1 : 0;
            large += noise.HappensExp((UInt128)numerator << 70, (UInt128)denominator << 70) ? 1 : 0;   // the way for large fractions
        }

        var deviation = Math.Sqrt(Draws * chance * (1 - chance));
        Assert.InRange(small, (Draws * chance) - (5 * deviation), (Draws * chance) + (5 * deviation));
        Assert.InRange(large, (Draws * chance) - (5 * deviation), (Draws * chance) + (5 * deviation));
    }

    [Fact]
    public void Numbers_below_a_bound_are_alike()
    {
        using var noise = Repeatable(5);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[noise.Below(7)]++;
        Assert.All(counts, count => Assert.InRange(count, 9_500, 10_500));
    }

    [Fact]
    public void Two_production_generators_never_agree()
    {
        using var one = new DiscreteNoise();
        using var other = new DiscreteNoise();
        Assert.NotEqual(Enumerable.Range(0, 20).Select(_ => one.Gaussian(1 << 30)), Enumerable.Range(0, 20).Select(_ => other.Gaussian(1 << 30)));
    }

    /// <summary>Naive noise on doubles leaves results that only one of two neighbouring inputs can have; noise on a grid does not.</summary>
    [Fact]
    public void The_low_order_bits_tell_nothing_on_the_grid_and_tell_all_on_doubles()
    {
        using var random = new SecureRandom();
        static double Laplace(double uniform) => -Math.Log(1 - uniform);
        // Every double that 0 + noise can be has noise's own last bits; 1 + noise has lost them: it is a multiple of 2⁻⁵³ whenever it is below 1.
        var multiples = Enumerable.Range(0, 2000).Select(_ => Laplace(random.NextDouble())).Where(value => value < 0.25).Count(value => value * (1L << 53) % 1 == 0);
        var shifted = Enumerable.Range(0, 2000).Select(_ => 1 - Laplace(random.NextDouble())).Where(value => value is > 0.25 and < 1).Count(value => value * (1L << 54) % 1 != 0);
        Assert.Equal(0, shifted);
        Assert.True(multiples < 400, "most of the unshifted draws are no multiples: an observer tells the inputs apart");
        using var noise = new DiscreteNoise();
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(0, (noise.Gaussian(1 << 20) * 0.25) % 0.25));
    }

    private static void Agrees(Func<long> draw, Func<long, double> weight, int reach)
    {
        var total = 0.0;
        for (long k = -reach; k <= reach; k++)
            total += weight(k);
        var counts = new Dictionary<long, int>();
        for (var i = 0; i < Draws; i++)
        {
            var k = draw();
            counts[k] = counts.GetValueOrDefault(k) + 1;
        }

        // Neighbouring values are joined until a cell expects 50 draws.
        var (square, cells, expected, seen) = (0.0, 0, 0.0, 0);
        for (long k = -reach; k <= reach; k++)
        {
            expected += Draws * weight(k) / total;
            seen += counts.GetValueOrDefault(k);
            if (expected < 50)
                continue;
            square += (seen - expected) * (seen - expected) / expected;
            (expected, seen, cells) = (0, 0, cells + 1);
        }

        var free = cells - 1;
        Assert.True(square < free + (4.5 * Math.Sqrt(2 * Math.Max(1, free))) + 12, $"chi-square {square:f1} with {free} degrees of freedom");
    }
}
