using System.Numerics;

namespace Bulwark.Networks.Kernels;

/// <summary>One thread's memory for running a network: padded weights, and what every layer put out for the last batch.</summary>
/// <remarks>Each hidden activation carries a column of ones after its last: the product with it yields the bias's gradient as one more row of weights.</remarks>
internal sealed unsafe class ForwardPass<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Rows that scoring takes at once: whole tiles, whose activations stay in the second-level cache.</summary>
    internal const int ScoringRows = 40 * MatrixProduct.TileRows;

    /// <summary>Up to so many rows, padding the weights costs more than it saves.</summary>
    internal const int FewRows = 3;

    private readonly NetworkShape _shape;
    private readonly PaddedMatrix<T>[] _weights;
    private readonly T[] _row;
    private readonly T[] _nextRow;

    /// <param name="shape">The network's shape.</param>
    /// <param name="maxRows">Most rows of one run.</param>
    /// <param name="keepsImages">Whether convolutions keep what each of them read, for the way back.</param>
    internal ForwardPass(NetworkShape shape, int maxRows, bool keepsImages = false)
    {
        _shape = shape;
        MaxRows = maxRows;
        _weights = new PaddedMatrix<T>[shape.Layers];
        Activations = new PaddedMatrix<T>[shape.Layers + 1];
        Activations[0] = WithOnes(maxRows, shape.LayerInputs(0));
        if (shape.Convolutions is { } stack)
            Convolutions = new(stack, maxRows, keepsImages);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            _weights[layer] = new(shape.LayerInputs(layer) + 1, shape.LayerOutputs(layer));
            Activations[layer + 1] = WithOnes(maxRows, shape.LayerOutputs(layer));
        }

        var widest = Enumerable.Range(0, shape.Layers).Max(shape.LayerOutputs);
        _row = new T[widest];
        _nextRow = new T[widest];
    }

    internal int MaxRows { get; }

    /// <summary>What runs before the dense layers; null where they read the inputs.</summary>
    internal ConvolutionPass<T>? Convolutions { get; }

    /// <summary>The input batch or the convolutions' features, each hidden layer after the rectifier, the logits.</summary>
    internal PaddedMatrix<T>[] Activations { get; }

    internal PaddedMatrix<T> Logits => Activations[^1];

    /// <summary>Copies the parameters into padded memory; to be called again when they change.</summary>
    internal void Load(DenseNetwork<T> network)
    {
        Convolutions?.Load(network);
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            var padded = _weights[layer];
            var weights = network.Weights(layer);
            var order = layer == 0 ? Convolutions?.FeatureOrder : null;
            for (var input = 0; input < _shape.LayerInputs(layer); input++)
                weights.Slice((order is null ? input : order[input]) * padded.Columns, padded.Columns).CopyTo(padded.Row(input));
            network.Biases(layer).CopyTo(padded.Row(_shape.LayerInputs(layer)));

            // Where the last panel covers the column of ones, a bias of 1 and weights of 0 write it anew.
            if (padded.Columns % MatrixProduct.TileColumns<T>() != 0)
                padded.RowPointer(_shape.LayerInputs(layer))[padded.Columns] = T.One;
        }
    }

    /// <summary>Runs all layers on <paramref name="rows"/> rows, at most <see cref="MaxRows"/>.</summary>
    internal void Run(ReadOnlySpan<T> inputs, int rows)
    {
        if (Convolutions is not null)
            Convolutions.Run(inputs, rows, Activations[0]);
        for (var row = 0; Convolutions is null && row < rows; row++)
            inputs.Slice(row * _shape.Inputs, _shape.Inputs).CopyTo(Activations[0].Row(row));
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            var source = Activations[layer];
            RenewOnes(source, rows);
            var target = Activations[layer + 1];
            var weights = _weights[layer];
            if (layer == _shape.Layers - 1 && FewOutputs.Fits<T>(rows, target.Columns))
            {
                FewOutputs.Multiply(
                    (float*)source.Data, source.Stride, (float*)weights.Data, weights.Stride, (float*)weights.RowPointer(source.Columns), (float*)target.Data, target.Stride, rows, source.Columns);
                continue;
            }

            MatrixProduct.Multiply(new ProductArguments<T>
            {
                Left = source.Data,
                LeftRowStride = source.Stride,
                LeftDepthStride = 1,
                Right = weights.Data,
                RightStride = weights.Stride,
                Destination = target.Data,
                DestinationStride = target.Stride,
                Bias = weights.RowPointer(source.Columns),
                Rows = rows,
                Depth = source.Columns,
                Columns = target.Columns,
                Start = TileStart.Row,
                Finish = layer == _shape.Layers - 1 ? TileFinish.None : TileFinish.Rectify,
            });
        }
    }

    /// <summary>
    /// Three whole vectors beyond the last four: a short tile of gradients, written over the activations, reaches into the column of ones, and a tile of six rows does not write it anew.
    /// </summary>
    private static void RenewOnes(PaddedMatrix<T> matrix, int rows)
    {
        var lanes = MatrixProduct.TileColumns<T>() / 2;
        if (matrix.Columns % (4 * lanes) != 3 * lanes)
            return;
        for (var row = 0; row < rows; row++)
            matrix.RowPointer(row)[matrix.Columns] = T.One;
    }

    internal void CopyLogits(int rows, Span<T> logits)
    {
        var at = 0;
        for (var row = 0; row < rows; row++)
        {
            var from = Logits.RowPointer(row);
            for (var output = 0; output < _shape.Outputs; output++)
                logits[at++] = from[output];
        }
    }

    /// <summary>One row straight from the network's own parameters; the same chain of operations, hence the same bits, as <see cref="Run"/>.</summary>
    internal void RunOne(DenseNetwork<T> network, ReadOnlySpan<T> inputs, Span<T> logits)
    {
        var source = inputs;
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            var last = layer == _shape.Layers - 1;
            var target = last ? logits : (layer % 2 == 0 ? _row : _nextRow).AsSpan(0, _shape.LayerOutputs(layer));
            RowProduct.Multiply(source, network.Weights(layer), network.Biases(layer), target, rectify: !last);
            source = target;
        }
    }

    private static PaddedMatrix<T> WithOnes(int rows, int columns)
    {
        var matrix = new PaddedMatrix<T>(rows, columns);
        for (var row = 0; row < matrix.Capacity; row++)
            matrix.RowPointer(row)[columns] = T.One;
        return matrix;
    }
}
