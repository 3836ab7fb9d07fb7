using System.Diagnostics;
using Bulwark.Networks;
using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>Cyclic boosting over bins; see <see cref="AdditiveOptions"/>. Without privacy the same, without noise.</summary>
internal sealed class AdditiveLoop(TrainingOptions options, BinnedRows rows)
{
    private readonly AdditiveOptions _additive = options.Additive!;
    private readonly double[] _weights = new double[rows.Columns + 1];   // the intercept last
    private readonly double[] _average = new double[rows.Columns + 1];
    private readonly double[] _logits = new double[rows.Rows];
    private int _averaged;

    internal TrainedNetwork Run(PrivacyAccount? account, long started, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var plan = options.Private is null ? null : AdditivePlan.Of(options, rows.Features);
        var reservation = plan is null ? null : account!.Ledger.Reserve(account.Dataset, plan.Event, $"private additive model of {rows.Features} features, {_additive.Rounds} rounds");
        reservation?.Begin();
        var network = Descend(plan, progress, cancel);
        reservation?.Commit();
        var steps = (long)_additive.Rounds * (rows.Features + 1);
        return new TrainedNetwork(network, plan is null ? null : Statement(plan, steps), [], null, steps, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Trains by a plan that is booked already; null without privacy.</summary>
    internal DenseNetwork<float> Descend(AdditivePlan? plan, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        using var noise = new SecureNoise();
        var counts = Counts(plan?.CountNoise ?? 0, noise);
        if (options.BaseRate is { } rate)
            Shift(Math.Log(rate / (1 - rate)));
        for (var round = 0; round < _additive.Rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            StepIntercept(counts[^1], plan?.Noise ?? 0, noise);
            for (var feature = 0; feature < rows.Features; feature++)
                Step(feature, counts, plan?.Noise ?? 0, noise);
            if (2 * round >= _additive.Rounds - 1)
                Average();
            progress?.Report(new TrainingProgress((round + 1.0) / _additive.Rounds, $"round {round + 1} of {_additive.Rounds}"));
        }

        return Network();
    }

    /// <summary>Noisy rows in each bin, and in all: the mean of what the features say.</summary>
    private double[] Counts(double deviation, SecureNoise noise)
    {
        var counts = new double[rows.Columns + 1];
        for (var row = 0; row < rows.Rows; row++)
        {
            foreach (var column in rows.Of(row))
            {
                if (column >= 0)
                    counts[column]++;
            }
        }

        if (deviation > 0)
            noise.AddGaussian(counts.AsSpan(0, rows.Columns), deviation);
        counts[^1] = Math.Max(1, counts.Sum() / rows.Features);
        for (var column = 0; column < rows.Columns; column++)
            counts[column] = Math.Max(0, counts[column]);
        return counts;
    }

    private void StepIntercept(double count, double deviation, SecureNoise noise)
    {
        Span<double> sum = [0];
        for (var row = 0; row < rows.Rows; row++)
            sum[0] += Residual(row);
        if (deviation > 0)
            noise.AddGaussian(sum, deviation);
        Shift(_additive.Rate * sum[0] / Curvature(count, deviation));
    }

    private void Shift(double change)
    {
        _weights[^1] += change;
        for (var row = 0; row < rows.Rows; row++)
            _logits[row] += change;
    }

    private void Step(int feature, double[] counts, double deviation, SecureNoise noise)
    {
        var (from, to) = rows.Bins(feature);
        var sums = new double[to - from];
        for (var row = 0; row < rows.Rows; row++)
        {
            if (rows.Of(row)[feature] is >= 0 and var column)
                sums[column - from] += Residual(row);
        }

        if (deviation > 0)
            noise.AddGaussian(sums.AsSpan(), deviation);
        for (var bin = 0; bin < sums.Length; bin++)
            _weights[from + bin] += sums[bin] = _additive.Rate * sums[bin] / Curvature(counts[from + bin], deviation);
        for (var row = 0; row < rows.Rows; row++)
        {
            if (rows.Of(row)[feature] is >= 0 and var column)
                _logits[row] += sums[column - from];
        }
    }

    /// <summary>A logistic curve bends by at most a quarter a row; a bin that noise outweighs steps as if it had more rows.</summary>
    private static double Curvature(double count, double deviation) => (0.25 * count) + deviation + 1;

    /// <summary>In steps of 2⁻²⁰, so that sums are exact in any order and one row moves one by at most 1.</summary>
    private double Residual(int row) => Math.Round((rows.Labels[row] - (1 / (1 + Math.Exp(-_logits[row])))) * (1 << 20)) / (1 << 20);

    private void Average()
    {
        _averaged++;
        for (var i = 0; i < _weights.Length; i++)
            _average[i] += (_weights[i] - _average[i]) / _averaged;
    }

    private DenseNetwork<float> Network()
    {
        var network = new DenseNetwork<float>(new NetworkShape(rows.Columns, [], 1));
        for (var column = 0; column < rows.Columns; column++)
            network.Weights(0)[column] = (float)_average[column];
        network.Biases(0)[0] = (float)_average[^1];
        return network;
    }

    private PrivacyStatement Statement(AdditivePlan plan, long steps)
    {
        var settings = options.Private!;
        var happened = settings.Also is null ? plan.Event : new ComposedEvent([settings.Also, plan.Event]);
        var bounds = PldAccountant.Epsilon(happened, settings.Delta);
        return new PrivacyStatement
        {
            Epsilon = bounds.Upper,
            EpsilonLower = bounds.Lower,
            Delta = settings.Delta,
            Sampling = "every row in every step",
            SamplingProbability = 1,
            NoiseMultiplier = plan.Noise,
            Steps = steps,
            ClippingNorm = 1,
            Event = happened,
        };
    }
}
