using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>
/// Sums of clipped gradients over a batch of any size, in slices of a fixed one: working memory is O(slice × width) a thread, whatever the batch. Threads take
/// equal parts; their sums are added in a fixed order.
/// </summary>
internal sealed class ClippedGradients
{
    private const int Slice = 512;
    private const int FewestRows = 64;
    private readonly TrainingOptions _options;
    private readonly Worker[] _workers;

    internal ClippedGradients(DenseNetwork<float> network, TrainingOptions options, InputCentre? centre, int threads)
    {
        _options = options;
        _workers = [.. Enumerable.Range(0, threads).Select(_ => new Worker(network, options, centre))];
    }

    /// <summary>Another start for the attack; steps count the rounds, which are public.</summary>
    internal void NextRound()
    {
        foreach (var worker in _workers)
            worker.Attack?.NextRound();
    }

    /// <summary>Adds to <paramref name="sum"/>; each row moves it by at most <paramref name="clipping"/>. Returns how many rows kept their length.</summary>
    internal int Add(EncodedDataset train, ReadOnlySpan<int> rows, float clipping, Span<float> sum)
    {
        var threads = Math.Min(_workers.Length, Math.Max(1, rows.Length / FewestRows));
        if (threads == 1)
            return _workers[0].Add(train, rows, clipping, _options.Private!.Clipping, sum);
        var shared = rows.ToArray();
        var kept = new int[threads];
        Parallel.For(0, threads, thread =>
        {
            var (from, to) = ((int)((long)shared.Length * thread / threads), (int)((long)shared.Length * (thread + 1) / threads));
            Array.Clear(_workers[thread].Sum);
            kept[thread] = _workers[thread].Add(train, shared.AsSpan(from, to - from), clipping, _options.Private!.Clipping, _workers[thread].Sum);
        });
        for (var thread = 0; thread < threads; thread++)
            TensorPrimitives.Add(sum, _workers[thread].Sum, sum);
        return kept.Sum();
    }

    /// <summary>One thread's memory.</summary>
    private sealed class Worker(DenseNetwork<float> network, TrainingOptions options, InputCentre? centre)
    {
        private readonly Batch _batch = new(Slice, network.Shape.Inputs);
        private readonly NetworkGradients<float> _gradients = new(network, Slice);

        internal float[] Sum { get; } = new float[network.Parameters.Length];

        internal TrainingAttack? Attack { get; } = options.Robust is { } robust ? new TrainingAttack(robust, network, options.Seed) : null;

        /// <summary>With an attack, a row's clean and its moved part share the length.</summary>
        internal int Add(EncodedDataset train, ReadOnlySpan<int> rows, float clipping, ClippingStyle style, Span<float> sum)
        {
            var kept = 0;
            var lambda = Attack?.Options.AdversarialWeight ?? 0;
            var (cleanShare, movedShare) = (1 / (1 + lambda), lambda / (1 + lambda));
            for (; !rows.IsEmpty; rows = rows[Math.Min(Slice, rows.Length)..])
            {
                _batch.Load(train, rows[..Math.Min(Slice, rows.Length)], centre);
                var count = _gradients.ClippedSum(
                    _batch.Inputs, _batch.Classes, Loss.Logistic, (float)(clipping * cleanShare), sum, rowWeights: _batch.Weigh(options.PositiveWeight, cleanShare), style: style);
                kept += _batch.Rows - count.ClippedRows;
                if (Attack is not null)
                    _gradients.ClippedSum(Attack.Move(_batch), _batch.Classes, Loss.Logistic, (float)(clipping * movedShare), sum, rowWeights: _batch.Weigh(options.PositiveWeight, movedShare), style: style);
            }

            return kept;
        }
    }
}
