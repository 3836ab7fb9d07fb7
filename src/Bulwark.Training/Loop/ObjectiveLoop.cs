using System.Diagnostics;
using System.Numerics.Tensors;
using Bulwark.Networks;
using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>A private logistic regression as the minimum of a perturbed objective: all rows at once, noise once, no steps to account for. See <see cref="ObjectivePlan"/>.</summary>
/// <remarks>
/// What the proof needs and the usual code lacks: the intercept is regularised like any weight; a row longer than the public bound is shortened, its constant with it; the
/// regulariser goes by the bound's square; the search ends only where the gradient is short, and noise hides what remains of it, rounding included.
/// </remarks>
internal sealed class ObjectiveLoop(TrainingOptions options)
{
    /// <summary>Longest gradient of a minimum that is taken, over σ; as much again is granted to rounding.</summary>
    private const double Tolerance = 2e-6;

    internal TrainedNetwork Run(EncodedDataset train, PrivacyAccount account, long started, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var plan = ObjectivePlan.Of(options);
        var reservation = account.Ledger.Reserve(account.Dataset, plan.Event, $"private regression on {train.Width} values, objective perturbation");
        reservation.Begin();
        var (network, length) = Minimise(train, plan, progress, cancel);
        reservation.Commit();
        var settings = options.Private!;
        var happened = settings.Also is null ? plan.Event : new ComposedEvent([settings.Also, plan.Event]);
        var bounds = PldAccountant.Epsilon(happened, settings.Delta);
        var statement = new PrivacyStatement
        {
            Epsilon = bounds.Upper,
            EpsilonLower = bounds.Lower,
            Delta = settings.Delta,
            Sampling = "every row, once: objective perturbation",
            SamplingProbability = 1,
            NoiseMultiplier = plan.Noise,
            Steps = 1,
            ClippingNorm = length,
            Event = happened,
        };
        return new TrainedNetwork(network, statement, [], null, 1, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Draws the noise and finds the minimum of a plan that is booked already.</summary>
    internal (DenseNetwork<float> Network, double Length) Minimise(EncodedDataset train, ObjectivePlan plan, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var centre = InputCentre.Of(train);
        var length = Math.Sqrt(1 + (train.Sources.Count > 0 ? train.Sources.Distinct().Count() : train.Width));
        var weight = Math.Max(1, options.PositiveWeight);
        var (deviation, lambda) = (plan.Noise * weight * length, plan.Regularisation(length, weight));
        using var noise = new SecureNoise();
        var linear = new double[train.Width + 1];
        noise.AddGaussian(linear.AsSpan(), deviation);
        var offset = options.BaseRate is { } rate ? Math.Log(options.PositiveWeight * rate / (1 - rate)) : 0;
        var objective = new PerturbedObjective(train, centre, length, options.PositiveWeight, offset, linear, lambda);
        var weights = new double[linear.Length];
        new LimitedMemoryMinimiser(objective.Evaluate).Run(weights, Tolerance * deviation, progress, cancel);
        noise.AddGaussian(weights.AsSpan(), Found(deviation, lambda));

        var network = new DenseNetwork<float>(new NetworkShape(train.Width, [], 1));
        TensorPrimitives.ConvertTruncating<double, float>(weights.AsSpan(0, train.Width), network.Weights(0));
        network.Biases(0)[0] = (float)(weights[^1] + offset);
        centre?.Fold(network);
        return (network, length);
    }

    /// <summary>A gradient of length g lies at most g/λ from the minimum, so two such places that stand for the same minimum lie at most 2g/λ apart.</summary>
    internal static double Found(double deviation, double lambda) => ObjectivePlan.FoundNoise * 2 * (2 * Tolerance * deviation) / lambda;
}
