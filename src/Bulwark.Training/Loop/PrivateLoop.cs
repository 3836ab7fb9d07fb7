using System.Diagnostics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Bulwark.Networks;
using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>
/// DP-SGD: Poisson batches, each row's gradient clipped, noise on the sum, division by the expected batch size, an empty batch a step like any other.
/// Momentum and the average of the second half of the iterates are post-processing. Nothing else of the rows is looked at.
/// </summary>
internal sealed class PrivateLoop(DenseNetwork<float> network, TrainingAttack? attack, TrainingOptions options)
{
    private const int DefaultEpochs = 40;
    private const int Slice = 512;
    private readonly PrivacyOptions _private = options.Private!;
    private readonly double _clipping = options.Private!.ClippingNorm ?? (options.Hidden.Count == 0 ? 1 : 5);
    private readonly Batch _batch = new(Slice, network.Shape.Inputs);
    private readonly NetworkGradients<float> _gradients = new(network, Slice);
    private readonly float[] _sum = new float[network.Parameters.Length];

    internal TrainedNetwork Run(EncodedDataset train, PrivacyAccount account, long started, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var q = _private.SamplingProbability;
        progress?.Report(new TrainingProgress(0, "calibrating the noise"));
        var (planned, noise, steps) = Plan(options);
        var reservation = account.Ledger.Reserve(account.Dataset, planned, $"private training, {network.Shape}, {steps} steps");
        using var random = new SecureRandom();
        using var gaussian = new SecureNoise();
        reservation.Begin();
        var rows = _private.PublicRows ?? NoisyCount(train.Rows, gaussian);
        Descend(train, steps, noise, q * rows, random, gaussian, progress, cancel);
        reservation.Commit();
        progress?.Report(new TrainingProgress(1, "trained"));
        return new TrainedNetwork(network, Statement(_private.Also is null ? planned : new ComposedEvent([_private.Also, planned]), noise, steps), [], null, steps, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>What the training will release, by its options alone: the noise is the least that keeps all of it, what else is released included, within ε.</summary>
    internal static (PrivacyEvent Event, double Noise, long Steps) Plan(TrainingOptions options)
    {
        var settings = options.Private!;
        var steps = Math.Max(1, (long)Math.Ceiling((options.Epochs ?? DefaultEpochs) / settings.SamplingProbability));
        PrivacyEvent Training(double noise) => settings.PublicRows is null
            ? new ComposedEvent([new GaussianEvent(settings.CountNoise), PrivacyEvent.DpSgd(settings.SamplingProbability, noise, steps)])
            : PrivacyEvent.DpSgd(settings.SamplingProbability, noise, steps);
        PrivacyEvent Whole(double noise) => settings.Also is null ? Training(noise) : new ComposedEvent([settings.Also, Training(noise)]);
        var noise = Calibration.NoiseMultiplier(Whole, new PrivacyBudget(settings.Epsilon, settings.Delta));
        return (Training(noise), noise, steps);
    }

    private void Descend(
        EncodedDataset train, long steps, double noise, double expectedBatch, SecureRandom random, SecureNoise gaussian,
        IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var optimizer = new SgdOptimizer<float>(network.Parameters.Length, momentum: 0.9);
        var rate = options.LearningRate ?? DefaultRate;
        var (average, averaged) = (new float[network.Parameters.Length], 0);
        var sample = new List<int>();
        for (long step = 0; step < steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            attack?.NextRound();
            random.PoissonSample(train.Rows, _private.SamplingProbability, sample);
            SumClipped(train, CollectionsMarshal.AsSpan(sample));
            gaussian.AddGaussian(_sum, MathF.BitIncrement((float)(noise * _clipping)));
            TensorPrimitives.Divide(_sum, (float)expectedBatch, _sum);
            TensorPrimitives.MultiplyAdd(network.Parameters, (float)(options.WeightDecay ?? 1e-4), _sum, _sum);
            var done = (double)step / steps;
            optimizer.Step(network.Parameters, _sum, (float)(rate * Math.Min(1, (done / 0.1) + 0.1) * (1 - (0.8 * done))));
            if (step >= steps / 2)
                TensorPrimitives.Lerp<float>(average, network.Parameters, 1f / ++averaged, average);
            progress?.Report(new TrainingProgress(done, $"private step {step + 1} of {steps}"));
        }

        average.CopyTo(network.Parameters);
    }

    private double DefaultRate => options.Hidden.Count == 0 ? 3.0 : 0.5;

    /// <summary>Sum over the sample of each row's gradient, which is no longer than the clipping norm: with an attack, its clean and its moved part share that length.</summary>
    private void SumClipped(EncodedDataset train, ReadOnlySpan<int> sample)
    {
        Array.Clear(_sum);
        var lambda = attack?.Options.AdversarialWeight ?? 0;
        var (cleanShare, movedShare) = (1 / (1 + lambda), lambda / (1 + lambda));
        for (; !sample.IsEmpty; sample = sample[Math.Min(Slice, sample.Length)..])
        {
            _batch.Load(train, sample[..Math.Min(Slice, sample.Length)]);
            _gradients.ClippedSum(_batch.Inputs, _batch.Classes, Loss.Logistic, (float)(_clipping * cleanShare), _sum, rowWeights: _batch.Weigh(options.PositiveWeight, cleanShare));
            if (attack is not null)
                _gradients.ClippedSum(attack.Move(_batch), _batch.Classes, Loss.Logistic, (float)(_clipping * movedShare), _sum, rowWeights: _batch.Weigh(options.PositiveWeight, movedShare));
        }
    }

    private double NoisyCount(int rows, SecureNoise gaussian)
    {
        Span<double> count = [rows];
        gaussian.AddGaussian(count, _private.CountNoise);
        return Math.Max(1, count[0]);
    }

    private PrivacyStatement Statement(PrivacyEvent happened, double noise, long steps)
    {
        var bounds = PldAccountant.Epsilon(happened, _private.Delta);
        return new PrivacyStatement
        {
            Epsilon = bounds.Upper,
            EpsilonLower = bounds.Lower,
            Delta = _private.Delta,
            SamplingProbability = _private.SamplingProbability,
            NoiseMultiplier = noise,
            Steps = steps,
            ClippingNorm = _clipping,
            Event = happened,
        };
    }
}
