using System.Diagnostics;
using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>Shuffled batches, Adam, a warm start and a cosine down to zero; the best epoch on validation is kept.</summary>
internal sealed class PlainLoop(DenseNetwork<float> network, TrainingAttack? attack, TrainingOptions options)
{
    private const int DefaultEpochs = 20;
    private const int FewestLinearSteps = 3000;   // a regression has one optimum: few rows are no reason to stop short of it

    internal TrainedNetwork Run(EncodedDataset train, EncodedDataset? validation, long started, IProgress<TrainingProgress>? progress, CancellationToken cancel)
    {
        var size = Math.Min(options.BatchSize, train.Rows);
        var stepsPerEpoch = (train.Rows + size - 1) / size;
        var epochs = options.Epochs ?? (options.Hidden.Count > 0 ? DefaultEpochs : Math.Max(DefaultEpochs, FewestLinearSteps / stepsPerEpoch));
        var step = new Step(network, attack, options, size);
        var order = Enumerable.Range(0, train.Rows).ToArray();
        var random = new Random(unchecked((int)options.Seed));
        StartAtBaseRate(train);
        var (reports, best) = (new List<EpochReport>(), (Epoch: (int?)null, Score: double.NegativeInfinity, Network: network));
        for (var epoch = 1; epoch <= epochs; epoch++)
        {
            random.Shuffle(order);
            var loss = 0.0;
            for (var i = 0; i < stepsPerEpoch; i++)
            {
                cancel.ThrowIfCancellationRequested();
                var done = (((epoch - 1.0) * stepsPerEpoch) + i) / ((double)epochs * stepsPerEpoch);
                loss += step.Take(train, order.AsSpan(i * size, Math.Min(size, train.Rows - (i * size))), Schedule(done));
                if (i % 16 == 0)
                    progress?.Report(new TrainingProgress(done, $"epoch {epoch} of {epochs}"));
            }

            var score = validation is { Rows: > 0 } ? Judge(validation) : double.NaN;
            reports.Add(new EpochReport(epoch, loss / stepsPerEpoch, score));
            if (options.KeepBest && score > best.Score)
                best = (epoch, score, network.Clone());
        }

        progress?.Report(new TrainingProgress(1, "trained"));
        return new TrainedNetwork(best.Network, null, reports, best.Epoch, (long)epochs * stepsPerEpoch, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>PR-AUC on validation rows; of a robust run the mean of that on clean and on moved rows, or the choice would undo the training.</summary>
    private double Judge(EncodedDataset validation)
    {
        var clean = Evaluation.AveragePrecision(Trainer.Score(network, validation), validation.Labels);
        if (attack is null)
            return clean;
        const int Slice = 512;
        var (batch, scores) = (new Batch(Slice, validation.Width), new float[validation.Rows]);
        for (var row = 0; row < validation.Rows; row += Slice)
        {
            batch.Load(validation, Enumerable.Range(row, Math.Min(Slice, validation.Rows - row)).ToArray());
            network.Forward(attack.Move(batch), batch.Rows, scores.AsSpan(row, batch.Rows));
        }

        TensorPrimitives.Sigmoid(scores, scores);
        return (clean + Evaluation.AveragePrecision(scores, validation.Labels)) / 2;
    }

    private static double Schedule(double done) => Math.Min(1, done / 0.05 + 0.1) * 0.5 * (1 + Math.Cos(Math.PI * done));

    /// <summary>The last bias starts at the base rate's log-odds: a rare class is not first unlearnt for an epoch.</summary>
    private void StartAtBaseRate(EncodedDataset train)
    {
        var positives = options.PositiveWeight * (train.Positives + 0.5);
        network.Biases(network.Shape.Layers - 1)[0] = (float)Math.Log(positives / (train.Rows - train.Positives + 0.5));
    }

    /// <summary>One optimiser step and its working memory.</summary>
    private sealed class Step(DenseNetwork<float> network, TrainingAttack? attack, TrainingOptions options, int size)
    {
        private readonly Batch _batch = new(size, network.Shape.Inputs);
        private readonly NetworkGradients<float> _gradients = new(network, size);
        private readonly AdamOptimizer<float> _adam = new(network.Parameters.Length);
        private readonly float[] _gradient = new float[network.Parameters.Length];
        private readonly float[] _adversarial = new float[network.Parameters.Length];
        private readonly double _rate = options.LearningRate ?? (options.Hidden.Count == 0 ? 1e-2 : 5e-3);
        private readonly double _decay = options.WeightDecay ?? (options.Hidden.Count == 0 ? 0 : 0.7);

        internal double Take(EncodedDataset train, ReadOnlySpan<int> rows, double schedule)
        {
            _batch.Load(train, rows);
            var lambda = attack?.Options.AdversarialWeight ?? 0;
            attack?.NextRound();
            var moved = attack is null ? default : attack.Move(_batch);
            double loss = _gradients.Backward(_batch.Inputs, _batch.Classes, Loss.Logistic, _gradient, _batch.Weigh(options.PositiveWeight, 1 / (1 + lambda)));
            if (attack is not null)
            {
                loss += _gradients.Backward(moved, _batch.Classes, Loss.Logistic, _adversarial, _batch.Weigh(options.PositiveWeight, lambda / (1 + lambda)));
                TensorPrimitives.Add(_gradient, _adversarial, _gradient);
            }

            var rate = (float)(_rate * schedule);
            TensorPrimitives.Multiply(network.Parameters, (float)(1 - (rate * _decay)), network.Parameters);
            _adam.Step(network.Parameters, _gradient, rate);
            return loss;
        }
    }
}
