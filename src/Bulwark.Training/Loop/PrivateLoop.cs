using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Bulwark.Networks;
using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>
/// DP-SGD: Poisson batches, each row's gradient clipped, noise on the sum, division by the expected batch size, an empty batch a step like any other.
/// Momentum and averages of iterates are post-processing. Nothing else of the rows is looked at.
/// </summary>
internal sealed class PrivateLoop(DenseNetwork<float> network, TrainingOptions options, PrivateParts? parts = null, IPrivateObserver? observer = null, double stepFactor = 1)
{
    private const double Momentum = 0.9;

    /// <summary>Standard deviations that a noisy count of rows is too low by less than once in 10²².</summary>
    private const double CountTail = 10;

    private readonly PrivacyOptions _private = options.Private!;

    /// <summary>Noise over what is booked: covers what rounding, of sums within blocks of rows above all, can add to one row's reach. docs/privacy.md has the terms.</summary>
    internal const double Rounding = 1.01;

    private readonly double[] _sum = new double[network.Parameters.Length];
    private readonly float[] _gradient = new float[network.Parameters.Length];
    private double _clipping = Norm(options);

    /// <summary>The clipping norm that a run starts with.</summary>
    internal static double Norm(TrainingOptions options) => options.Private!.ClippingNorm ?? (options.Hidden.Count == 0 ? 1 : 5);

    internal TrainedNetwork Run(EncodedDataset train, PrivacyAccount account, long started, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        progress?.Report(new TrainingProgress(0, "calibrating the noise"));
        var plan = PrivatePlan.Of(options);
        var reservation = account.Ledger.Reserve(account.Dataset, plan.Event, $"private training, {network.Shape}, {plan.Steps} steps");
        using var own = parts is null ? new PrivateParts(Environment.ProcessorCount) : null;
        reservation.Begin();
        var clipping = _clipping;
        Descend(train, plan, parts ?? own!, progress, cancel);
        reservation.Commit();
        progress?.Report(new TrainingProgress(1, "trained"));
        return new TrainedNetwork(network, Statement(options, plan, clipping, plan.Event), [], null, plan.Steps, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Trains by a plan that is booked already.</summary>
    internal void Descend(EncodedDataset train, PrivatePlan plan, PrivateParts steps, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var centre = options.Robust is null ? InputCentre.Of(train) : null;   // an attack moves values within [0, 1]
        var rows = _private.PublicRows ?? Math.Max(1, steps.Noisy(train.Rows, plan.RowNoise!.Value * Rounding));
        var expectedBatch = plan.Batches.ExpectedSize(rows);
        var blocks = RowBlocks.Draw(train.Rows, plan.Batches.ExpectedSize(rows + (CountTail * (plan.RowNoise ?? 0))));
        var gradients = new ClippedGradients(network, options, centre, Environment.ProcessorCount, blocks);
        var optimizer = new SgdOptimizer<float>(network.Parameters.Length, Momentum);
        var rate = options.LearningRate ?? (stepFactor * StepSize.Of(plan, _clipping, rows, network.Parameters.Length, options.Hidden.Count == 0));
        var average = new RunningAverage(_private.Average, network.Parameters.Length);
        var (sample, step) = (new List<int>(), 0L);
        foreach (var phase in plan.Phases)
        {
            for (var (i, count) = (0L, steps.Steps(phase)); i < count; i++, step++)
            {
                cancel.ThrowIfCancellationRequested();
                var done = (double)step / plan.Steps;
                NoisyGradient(train, plan, phase, steps, gradients, step, sample, expectedBatch);
                TensorPrimitives.MultiplyAdd(network.Parameters, (float)(options.WeightDecay ?? 1e-4), _gradient, _gradient);
                optimizer.Step(network.Parameters, _gradient, (float)(rate * StepSize.Schedule(done)));
                average.Add(network.Parameters, done);
                progress?.Report(new TrainingProgress(done, $"private step {step + 1} of {plan.Steps}"));
            }
        }

        average.CopyTo(network.Parameters);
        centre?.Fold(network);
    }

    /// <summary>One step's release: into <see cref="_gradient"/>, divided.</summary>
    private void NoisyGradient(
        EncodedDataset train, PrivatePlan plan, PlannedPhase phase, PrivateParts steps, ClippedGradients gradients, long step, List<int> sample, double expectedBatch)
    {
        gradients.NextRound();
        steps.Draw(plan.Batches, train.Rows, sample);
        var batch = CollectionsMarshal.AsSpan(sample);
        observer?.Drawn(step, batch);
        Array.Clear(_sum);
        var clipping = _clipping * phase.Clipping;
        var kept = steps.AddClipped(gradients, train, batch, (float)clipping, _sum);
        steps.AddNoise(_sum, phase.Noise * clipping * Rounding);
        var divisor = steps.Divisor(expectedBatch, batch.Length);
        observer?.Released(step, network, _sum, clipping, phase.Noise * clipping * Rounding, divisor);
        TensorPrimitives.Divide(_sum, divisor, _sum);
        TensorPrimitives.ConvertTruncating<double, float>(_sum, _gradient);
        if (_private.Adaptive is { } adaptive)
            _clipping = Math.Clamp(_clipping * Math.Exp(-adaptive.Rate * (NoisyShare(kept, batch.Length, phase, steps, expectedBatch) - adaptive.Quantile)), 1e-6, 1e6);
    }

    /// <summary>Noisy share of rows whose gradient was short enough: the count is released around one half a row, so that one row moves it by one half.</summary>
    private static double NoisyShare(int kept, int batch, PlannedPhase phase, PrivateParts steps, double expectedBatch) =>
        Math.Clamp(0.5 + (steps.Noisy(kept - (batch / 2.0), phase.CountNoise!.Value / 2 * Rounding) / expectedBatch), 0, 1);

    /// <summary>What a run that booked <paramref name="booked"/> guarantees.</summary>
    internal static PrivacyStatement Statement(TrainingOptions options, PrivatePlan plan, double clipping, PrivacyEvent booked)
    {
        var settings = options.Private!;
        var happened = settings.Also is null ? booked : new ComposedEvent([settings.Also, booked]);
        var bounds = PldAccountant.Epsilon(happened, settings.Delta);
        return new PrivacyStatement
        {
            Epsilon = bounds.Upper,
            EpsilonLower = bounds.Lower,
            Delta = settings.Delta,
            SamplingProbability = plan.Batches.Probability,
            NoiseMultiplier = plan.Noise,
            Steps = plan.Steps,
            ClippingNorm = clipping,
            Event = happened,
        };
    }
}
