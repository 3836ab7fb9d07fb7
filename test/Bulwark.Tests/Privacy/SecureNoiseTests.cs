using Bulwark.Privacy;

namespace Bulwark.Tests.Privacy;

public sealed class SecureNoiseTests
{
    [Fact]
    public void Cells_have_the_chances_of_the_formula()
    {
        var weights = Enumerable.Range(0, NoiseCells.Count).Select(cell => Math.Exp(-(double)cell * cell / 8192)).ToArray();
        foreach (var cell in (int[])[0, 1, 17, 64, 200, 400])
            Assert.Equal(1, NoiseCells.Shared.Chance(cell) / (weights[cell] / weights.Sum()), 1e-12);
        Assert.Equal(0, NoiseCells.Shared.Chance(900));   // 14 deviations
    }

    [Fact]
    public void Draws_fill_the_bins_of_a_normal_distribution()
    {
        const int Draws = 400_000;
        using var noise = new SecureNoise();
        var counts = new int[80];
        foreach (var draw in Draw(noise, Draws))
            counts[Math.Clamp((int)Math.Floor(draw / (double)(1 << 27)) + 40, 0, 79)]++;   // eighths of a deviation
        var chi = 0.0;
        for (var bin = 8; bin < 72; bin++)
        {
            var expected = Draws * (Normal((bin - 39) / 8.0) - Normal((bin - 40) / 8.0));
            chi += Math.Pow(counts[bin] - expected, 2) / expected;
        }

        Assert.InRange(chi, 64 - 70, 64 + 90);   // 8 standard deviations of chi-square with 63 degrees
    }

    [Fact]
    public void Within_a_cell_places_are_as_likely_as_the_curve_says()
    {
        // The rejection step: in the cells from 2 to 3 deviations the lower half of a cell is likelier by e^(x·w/2).
        using var noise = new SecureNoise();
        var (lower, upper, lean) = (0, 0, 0.0);
        foreach (var draw in Draw(noise, 2_000_000))
        {
            var size = Math.Abs(draw);
            if (size < 2L << 30 || size >= 3L << 30)
                continue;
            lean += Math.Tanh(size / (double)(1L << 30) / 256);   // (upper − lower) expected, x·w/4 in tanh
            if ((size & 0xFFFFFF) < 1 << 23)
                lower++;
            else
                upper++;
        }

        Assert.InRange(lower - upper - lean, -5.5 * Math.Sqrt(lower + upper), 5.5 * Math.Sqrt(lower + upper));
        Assert.True(lower > upper);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.37)]
    [InlineData(1234.5)]
    public void What_is_released_is_a_whole_number_of_steps_whatever_the_value_was(double deviation)
    {
        using var noise = new SecureNoise();
        var step = deviation * (1 + (1.0 / (1 << 14))) / SecureNoise.StepsPerDeviation;
        double[] values = [0, 1, Math.PI, 1e-9, -7.25];
        for (var i = 0; i < 200; i++)
        {
            var noisy = values.ToArray();
            noise.AddGaussian(noisy.AsSpan(), deviation);
            Assert.All(noisy, value => Assert.Equal(Math.Round(value / step) * step, value));
        }
    }

    /// <summary>Haney et al. (arXiv:2207.13793): whether an output is a multiple of 2⁻⁵³ betrays the value that naive noise was added to.</summary>
    [Fact]
    public void The_precision_attack_works_on_naive_noise_and_not_on_ours()
    {
        Assert.True(Told((value, random) => value + Naive(random)) > 0.2);
        using var noise = new SecureNoise();
        Assert.InRange(Told((value, _) =>
        {
            Span<double> one = [value];
            noise.AddGaussian(one, 1);
            return one[0];
        }), -0.12, 0.12);
    }

    private static IEnumerable<long> Draw(SecureNoise noise, int count)
    {
        var draws = new long[1000];
        for (var i = 0; i < count; i++)
        {
            if (i % draws.Length == 0)
                noise.Fill(draws);
            yield return draws[i % draws.Length];
        }
    }

    /// <summary>How much oftener an output near 0 has bits below 2⁻⁵³ when the value was 0 than when it was 1.</summary>
    private static double Told(Func<double, Random, double> release)
    {
        var random = new Random(3);
        double Fine(double value)
        {
            var (near, fine) = (0, 0);
            while (near < 4000)
            {
                var output = release(value, random);
                if (Math.Abs(output) > 0.25)
                    continue;
                near++;
                fine += Math.ScaleB(output, 53) == Math.Round(Math.ScaleB(output, 53)) ? 0 : 1;
            }

            return fine / 4000.0;
        }

        return Fine(0) - Fine(1);
    }

    private static double Naive(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double Normal(double x) => GaussianTail(x);

    /// <summary>Φ by its series.</summary>
    private static double GaussianTail(double x)
    {
        var (sum, term) = (x, x);
        for (var k = 1; k < 200; k++)
        {
            term *= x * x / ((2 * k) + 1);
            sum += term;
        }

        return 0.5 + (sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));
    }
}
