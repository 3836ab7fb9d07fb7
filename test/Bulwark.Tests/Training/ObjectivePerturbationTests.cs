using Bulwark.Privacy;
using Bulwark.Training;
using Bulwark.Training.Loop;

namespace Bulwark.Tests.Training;

/// <summary>The conditions that objective perturbation rests on, each by itself, and the guarantee against exact densities.</summary>
public sealed class ObjectivePerturbationTests
{
    private static readonly TrainingOptions s_options = new() { Hidden = [], Private = new PrivacyOptions { Epsilon = 1, ObjectivePerturbation = true } };

    /// <summary>In one dimension the minimum's density is known: θ has b(θ) = −Σ∇ℓ − λθ, and density φ_σ(b(θ))·|b′(θ)|. The usual implementation breaks its ε at these lengths.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(12)]
    [InlineData(50)]
    public void The_exact_density_keeps_epsilon_and_delta_for_rows_of_any_length(double length)
    {
        var plan = ObjectivePlan.Of(s_options);
        var (sigma, lambda) = (plan.Noise * length, plan.Regularisation(length, 1));
        var epsilon = plan.Jacobian + GaussianMechanism.Epsilon(plan.Noise, 5e-6);
        foreach (var others in (double[][])[[], [length], [-length, length * 0.3]])
        {
            foreach (var row in (double[])[length, -length, length / 3])
            {
                double[] with = [.. others, row];
                Assert.InRange(Exceeds(with, others, sigma, lambda, epsilon), 0, 5e-6);
                Assert.InRange(Exceeds(others, with, sigma, lambda, epsilon), 0, 5e-6);
            }
        }
    }

    /// <summary>The constant that forgets the square of the length breaks the same bound: the test can see it.</summary>
    [Fact]
    public void A_regulariser_that_goes_by_the_length_alone_is_refuted()
    {
        var plan = ObjectivePlan.Of(s_options);
        var (sigma, lambda) = (plan.Noise * 50, plan.Regularisation(50, 1) / 50 / 50);
        Assert.True(Exceeds([50.0], [], sigma, lambda, plan.Jacobian + GaussianMechanism.Epsilon(plan.Noise, 5e-6)) > 5e-6);
    }

    [Fact]
    public void What_is_booked_covers_both_releases_within_the_budget()
    {
        var plan = ObjectivePlan.Of(s_options);
        var composed = Assert.IsType<ComposedEvent>(plan.Event);
        Assert.Equal(2, composed.Events.Count);
        Assert.InRange(PldAccountant.Epsilon(plan.Event, 1e-5).Upper, 0.98, 1.0);
        var also = ObjectivePlan.Of(s_options with { Private = s_options.Private! with { Also = new GaussianEvent(20) } });
        Assert.True(also.Noise > plan.Noise);
    }

    [Fact]
    public void The_minimum_is_found_to_its_tolerance_and_the_intercept_is_regularised()
    {
        var rows = Rows(400, 6, 3);
        var linear = Enumerable.Range(0, 7).Select(i => i - 2.5).ToArray();
        var objective = new PerturbedObjective(rows, null, 3, 2, 0.5, linear, 4);
        var weights = new double[7];
        new LimitedMemoryMinimiser(objective.Evaluate).Run(weights, 1e-9, null, TestContext.Current.CancellationToken);
        var gradient = new double[7];
        var value = objective.Evaluate(weights, gradient);
        Assert.InRange(System.Numerics.Tensors.TensorPrimitives.Norm<double>(gradient), 0, 1e-9);
        for (var i = 0; i < 7; i++)
        {
            var moved = weights.ToArray();
            moved[i] += 1e-3;
            Assert.InRange(objective.Evaluate(moved, gradient) - value, 4 / 2.0 * 1e-6 * 0.999, 1);   // curved by λ at least, the intercept's direction too
        }
    }

    [Fact]
    public void A_gradient_is_the_values_slope()
    {
        var objective = new PerturbedObjective(Rows(50, 4, 5), null, 2.5, 3, 0.2, [1, -1, 0.5, 0, 2], 1.5);
        var (at, gradient, scratch) = ((double[])[0.3, -0.2, 0.7, 0.1, -0.4], new double[5], new double[5]);
        objective.Evaluate(at, gradient);
        for (var i = 0; i < 5; i++)
        {
            var (up, down) = (at.ToArray(), at.ToArray());
            (up[i], down[i]) = (up[i] + 1e-5, down[i] - 1e-5);
            Assert.Equal((objective.Evaluate(up, scratch) - objective.Evaluate(down, scratch)) / 2e-5, gradient[i], 1e-6);
        }
    }

    [Theory]
    [InlineData(1e6f)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NaN)]
    public void A_row_is_never_longer_than_the_bound_with_its_constant(float value)
    {
        var objective = new PerturbedObjective(new EncodedDataset([value, 0.5f, value], 3, [1]), null, 2, 1, 0, new double[4], 1);
        var row = new double[4];
        objective.Load(0, new float[3], row);
        Assert.InRange(System.Numerics.Tensors.TensorPrimitives.Norm<double>(row), 1e-9, 2);
    }

    [Fact]
    public void Options_that_have_no_proof_are_refused()
    {
        Assert.Empty(s_options.Faults());
        Assert.NotEmpty((s_options with { Hidden = [4] }).Faults());
        Assert.NotEmpty((s_options with { Robust = new RobustOptions() }).Faults());
        Assert.NotEmpty((s_options with { Selection = new SelectionOptions() }).Faults());
        Assert.NotEmpty((s_options.Private! with { ClippingNorm = 1 }).Faults());
    }

    [Fact]
    public void It_learns_and_is_booked()
    {
        var folder = Directory.CreateTempSubdirectory("objective");
        try
        {
            using var ledger = PrivacyLedger.Open(Path.Combine(folder.FullName, "ledger.jsonl"));
            ledger.SetBudget("data", new PrivacyBudget(1, 1e-5));
            var trained = Trainer.Train(Rows(4000, 6, 7), null, s_options, new PrivacyAccount(ledger, "data"), cancel: TestContext.Current.CancellationToken);
            var test = Rows(1000, 6, 8);
            Assert.True(Evaluation.Of(Trainer.Score(trained.Network, test), test.Labels).Auc > 0.8);
            Assert.InRange(trained.Privacy!.Epsilon, 0.98, 1);
            Assert.Throws<PrivacyBudgetException>(() => Trainer.Train(Rows(10, 6, 7), null, s_options, new PrivacyAccount(ledger, "data"), cancel: TestContext.Current.CancellationToken));
        }
        finally
        {
            TemporaryFolder.Remove(folder.FullName);
        }
    }

    private static EncodedDataset Rows(int count, int width, int seed)
    {
        var random = new Random(seed);
        var (features, labels) = (new float[count * width], new int[count]);
        for (var row = 0; row < count; row++)
        {
            for (var i = 0; i < width; i++)
                features[(row * width) + i] = random.NextSingle();
            labels[row] = random.NextDouble() < 1 / (1 + Math.Exp(-6 * (features[row * width] - features[(row * width) + 1]))) ? 1 : 0;
        }

        return new EncodedDataset(features, width, labels);
    }

    /// <summary>∫ (p − e^ε·q)₊ over θ, for rows that are numbers with positive labels.</summary>
    private static double Exceeds(double[] mine, double[] theirs, double sigma, double lambda, double epsilon)
    {
        var (sum, reach) = (0.0, ((12 * sigma) + (4 * mine.Concat(theirs).Select(Math.Abs).DefaultIfEmpty(0).Max())) / lambda);
        const int Steps = 400_000;
        var step = 2 * reach / Steps;
        for (var i = 0; i < Steps; i++)
        {
            var theta = -reach + ((i + 0.5) * step);
            sum += Math.Max(0, Density(mine, theta, sigma, lambda) - (Math.Exp(epsilon) * Density(theirs, theta, sigma, lambda))) * step;
        }

        return sum;
    }

    private static double Density(double[] rows, double theta, double sigma, double lambda)
    {
        var (force, slope) = (-lambda * theta, lambda);
        foreach (var row in rows)
        {
            var share = 1 / (1 + Math.Exp(row * theta));
            force += row * share;
            slope += row * row * share * (1 - share);
        }

        return Math.Exp(-force * force / (2 * sigma * sigma)) / (sigma * Math.Sqrt(2 * Math.PI)) * slope;
    }
}
