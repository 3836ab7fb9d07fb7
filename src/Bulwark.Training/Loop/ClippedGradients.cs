using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Training.Loop;

/// <summary>
/// Sums of clipped gradients over a batch of any size: in single precision within a block of rows, in double precision from block to block. Working memory is
/// O(block × width) a thread, whatever the batch. Threads take equal numbers of blocks; their sums are added in a fixed order.
/// </summary>
internal sealed class ClippedGradients
{
    private readonly TrainingOptions _options;
    private readonly RowBlocks _blocks;
    private readonly Worker[] _workers;

    internal ClippedGradients(DenseNetwork<float> network, TrainingOptions options, InputCentre? centre, int threads, RowBlocks blocks)
    {
        _options = options;
        _blocks = blocks;
        _workers = [.. Enumerable.Range(0, Math.Min(threads, blocks.Count)).Select(_ => new Worker(network, options, centre))];
    }

    /// <summary>Another start for the attack; steps count the rounds, which are public.</summary>
    internal void NextRound()
    {
        foreach (var worker in _workers)
            worker.Attack?.NextRound();
    }

    /// <summary>Adds to <paramref name="sum"/>; each row moves it by at most <paramref name="clipping"/>. Returns how many rows kept their length.</summary>
    internal int Add(EncodedDataset train, ReadOnlySpan<int> rows, float clipping, Span<double> sum)
    {
        _blocks.Group(rows);
        if (_workers.Length == 1)
            return _workers[0].Add(train, _blocks, 0, _blocks.Count, clipping, sum);
        var kept = new int[_workers.Length];
        Parallel.For(0, _workers.Length, thread =>
        {
            var (from, to) = ((int)((long)_blocks.Count * thread / _workers.Length), (int)((long)_blocks.Count * (thread + 1) / _workers.Length));
            Array.Clear(_workers[thread].Sum);
            kept[thread] = _workers[thread].Add(train, _blocks, from, to, clipping, _workers[thread].Sum);
        });
        foreach (var worker in _workers)
            TensorPrimitives.Add(sum, worker.Sum, sum);
        return kept.Sum();
    }

    /// <summary>One thread's memory.</summary>
    private sealed class Worker(DenseNetwork<float> network, TrainingOptions options, InputCentre? centre)
    {
        private readonly Batch _batch = new(RowBlocks.Most, network.Shape.Inputs);
        private readonly NetworkGradients<float> _gradients = new(network, RowBlocks.Most);
        private readonly float[] _block = new float[network.Parameters.Length];

        internal double[] Sum { get; } = new double[network.Parameters.Length];

        internal TrainingAttack? Attack { get; } = options.Robust is { } robust ? new TrainingAttack(robust, network, options.Seed) : null;

        internal int Add(EncodedDataset train, RowBlocks blocks, int from, int to, float clipping, Span<double> sum)
        {
            var kept = 0;
            for (var block = from; block < to; block++)
            {
                for (var rows = blocks[block]; !rows.IsEmpty; rows = rows[Math.Min(RowBlocks.Most, rows.Length)..])
                    kept += Add(train, rows[..Math.Min(RowBlocks.Most, rows.Length)], clipping, sum);
            }

            return kept;
        }

        /// <summary>With an attack, a row's clean and its moved part share the length.</summary>
        private int Add(EncodedDataset train, ReadOnlySpan<int> rows, float clipping, Span<double> sum)
        {
            var lambda = Attack?.Options.AdversarialWeight ?? 0;
            var (cleanShare, movedShare) = (1 / (1 + lambda), lambda / (1 + lambda));
            _batch.Load(train, rows, centre);
            var kept = _batch.Rows - Add(_batch.Inputs, clipping, cleanShare, sum);
            if (Attack is not null)
                Add(Attack.Move(_batch), clipping, movedShare, sum);
            return kept;
        }

        private int Add(ReadOnlySpan<float> inputs, float clipping, double share, Span<double> sum)
        {
            Array.Clear(_block);
            var count = _gradients.ClippedSum(inputs, _batch.Classes, Loss.Logistic, (float)(clipping * share), _block, rowWeights: _batch.Weigh(options.PositiveWeight, share), style: options.Private!.Clipping);
            for (var i = 0; i < _block.Length; i++)
                sum[i] += _block[i];
            return count.ClippedRows;
        }
    }
}
