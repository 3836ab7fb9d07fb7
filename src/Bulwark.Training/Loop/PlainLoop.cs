using System.Diagnostics;
using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Shuffled batches, Adam, a warm start and a cosine down to zero; the best epoch on validation is kept.</summary>
internal sealed class PlainLoop(DenseNetwork<float> network, TrainingOptions options)
{
    private const int DefaultEpochs = 20;
    private const int FewestLinearSteps = 3000;   // a regression has one optimum: few rows are no reason to stop short of it

    internal TrainedNetwork Run(EncodedDataset train, EncodedDataset? validation, long started, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var size = Math.Min(options.BatchSize, train.Rows);
        var stepsPerEpoch = (train.Rows + size - 1) / size;
        var epochs = options.Epochs ?? (options.Hidden.Count > 0 ? DefaultEpochs : Math.Max(DefaultEpochs, FewestLinearSteps / stepsPerEpoch));
        var step = new Step(network, options, size);
        if (options.InputNoise > 0 && validation is not null)
            validation = new GaussianNoise(options.Seed + 1, options.InputNoise).On(validation);
        var average = options.WeightAverage > 0 ? new AveragedNetwork(network, options.WeightAverage) : null;
        var result = average?.Network ?? network;
        var judge = validation is { Rows: > 0 } ? new ValidationScore(result, options, validation) : null;
        var watched = validation is { Rows: > 0 } ? validation : train;
        var guard = options.Robust is { IsOneStep: true, GuardPoints: > 0 } ? new OverfittingGuard(network, options, new(network, options, watched)) : null;
        var averaged = guard is null || average is null ? null : new ValidationScore(result, options, watched);   // the guard's figure is of the raw network, which nobody gets
        var order = Enumerable.Range(0, train.Rows).ToArray();
        var random = new Random(unchecked((int)options.Seed));
        StartAtBaseRate(train);
        var (reports, best) = (new List<EpochReport>(), (Epoch: (int?)null, Score: double.NegativeInfinity, Network: result));
        for (var epoch = 1; epoch <= epochs; epoch++)
        {
            random.Shuffle(order);
            var loss = 0.0;
            for (var i = 0; i < stepsPerEpoch; i++)
            {
                cancel.ThrowIfCancellationRequested();
                var done = (((epoch - 1.0) * stepsPerEpoch) + i) / ((double)epochs * stepsPerEpoch);
                loss += step.Take(train, order.AsSpan(i * size, Math.Min(size, train.Rows - (i * size))), Schedule(done));
                average?.Add();
                if (i % 16 == 0)
                    progress?.Report(new TrainingProgress(done, $"epoch {epoch} of {epochs}"));
            }

            var tripped = guard?.Trips() == true;
            if (tripped)
                (step, average) = (new Step(network, guard!.Safer, size), average?.Anew());
            var score = judge?.Judge(average is null ? step.Attack : step.AttackOn(result)) ?? new(double.NaN, double.NaN, null);
            reports.Add(new EpochReport(epoch, loss / stepsPerEpoch, score.PrAuc) { RobustAccuracy = averaged is null ? guard?.Last ?? score.RobustAccuracy : score.RobustAccuracy ?? averaged.Guarded(options.Robust!), GuardTripped = tripped });
            if (options.KeepBest && score.Choice > best.Score)
                best = (epoch, score.Choice, result.Clone());
        }

        progress?.Report(new TrainingProgress(1, "trained"));
        return new TrainedNetwork(best.Network, null, reports, best.Epoch, (long)epochs * stepsPerEpoch, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static double Schedule(double done) => Math.Min(1, done / 0.05 + 0.1) * 0.5 * (1 + Math.Cos(Math.PI * done));

    /// <summary>The last bias starts at the base rate's log-odds: a rare class is not first unlearnt for an epoch.</summary>
    private void StartAtBaseRate(EncodedDataset train)
    {
        if (network.Shape.Outputs > 1)
            return;
        var positives = options.PositiveWeight * (train.Positives + 0.5);
        network.Biases(network.Shape.Layers - 1)[0] = (float)Math.Log(positives / (train.Rows - train.Positives + 0.5));
    }

    /// <summary>One batch's optimiser steps and their working memory.</summary>
    private sealed class Step(DenseNetwork<float> network, TrainingOptions options, int size)
    {
        private readonly Batch _batch = new(size, network.Shape.Inputs);
        private readonly StepObjective _objective = new(network, options, size);
        private readonly AdamOptimizer<float> _adam = new(network.Parameters.Length);
        private readonly double _rate = options.LearningRate ?? (options.Hidden.Count == 0 ? 1e-2 : options.Convolutions is null ? 5e-3 : 8e-3);
        private readonly double _decay = options.WeightDecay ?? (options.Hidden.Count == 0 || options.Convolutions is not null ? 0 : 0.7);
        private readonly float[] _standing = options.Robust?.Method == RobustMethod.Free ? new float[size * network.Shape.Inputs] : [];
        private readonly float[] _slopes = options.Robust?.Method == RobustMethod.Free ? new float[size * network.Shape.Inputs] : [];

        private readonly GaussianNoise? _noise = options.InputNoise > 0 ? new(options.Seed, options.InputNoise) : null;

        internal TrainingAttack? Attack { get; } = options.Robust is { } robust ? new TrainingAttack(robust, network, options.Seed) : null;

        /// <summary>The same attacker against another network.</summary>
        internal TrainingAttack? AttackOn(DenseNetwork<float> other) => options.Robust is { } robust ? new TrainingAttack(robust, other, options.Seed) : null;

        internal double Take(EncodedDataset train, ReadOnlySpan<int> rows, double schedule)
        {
            _batch.Load(train, rows);
            _noise?.Add(_batch.Features.AsSpan(0, _batch.Rows * network.Shape.Inputs));
            var rate = (float)(_rate * schedule);
            if (_standing.Length > 0)
                return Replay(rate);
            var loss = _objective.Of(_batch, Attack);
            Descend(rate);
            return loss;
        }

        /// <summary>The batch several times: each gradient moves the network down and the standing perturbation, which stays for the next batch, up.</summary>
        private double Replay(float rate)
        {
            var loss = 0.0;
            var inputs = _batch.Inputs;
            var moved = new float[inputs.Length];
            for (var replay = 0; replay < options.Robust!.Steps; replay++)
            {
                TensorPrimitives.Add(inputs, _standing.AsSpan(0, inputs.Length), moved);
                TensorPrimitives.Clamp<float>(moved, 0, 1, moved);
                loss += _objective.Of(_batch, moved, _slopes.AsSpan(0, inputs.Length)) / options.Robust.Steps;
                Attack!.Ascend(_batch, moved, _slopes.AsSpan(0, inputs.Length));
                TensorPrimitives.Subtract(moved, inputs, _standing.AsSpan(0, inputs.Length));
                Descend(rate);
            }

            return loss;
        }

        private void Descend(float rate)
        {
            if (_decay > 0)
                TensorPrimitives.Multiply(network.Parameters, (float)(1 - (rate * _decay)), network.Parameters);
            _adam.Step(network.Parameters, _objective.Gradient, rate);
        }
    }
}
