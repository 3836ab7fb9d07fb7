using System.Numerics;
using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

/// <summary>Derivatives of a network's loss by its parameters and by its inputs, and sums of clipped per-row gradients.</summary>
/// <typeparam name="T"><see cref="float"/> for work, <see cref="double"/> for verification.</typeparam>
/// <remarks>
/// Holds the working memory of one thread: not thread-safe; make one for each thread. Parameters are read anew at every call, unless <see cref="ParametersAreFixed"/>.
/// Results depend on the values only: same rows, same bits.
/// </remarks>
public sealed unsafe partial class NetworkGradients<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Rows of one pass forth and back: whole tiles, whose activations and deltas stay in the second-level cache.</summary>
    private const int SliceRows = 22 * MatrixProduct.TileRows;

    private readonly DenseNetwork<T> _network;
    private readonly NetworkShape _shape;
    private readonly ForwardPass<T> _pass;
    private readonly PaddedMatrix<T>[] _deltas;
    private readonly PaddedMatrix<T>[] _transposed;
    private readonly PaddedMatrix<T>[] _products;
    private readonly PaddedMatrix<T>? _narrow;
    private readonly PaddedMatrix<T> _inputDelta;
    private readonly T[] _logits;
    private readonly T[] _outputGradient;
    private readonly T[] _losses;
    private readonly T[] _norms;
    private readonly int _denseStart;
    private int _rows = -1;

    /// <summary>Memory for batches of up to <paramref name="maxRows"/> rows of <paramref name="network"/>.</summary>
    /// <param name="network">Whose parameters are read.</param>
    /// <param name="maxRows">Above 0.</param>
    public NetworkGradients(DenseNetwork<T> network, int maxRows)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        _network = network;
        _shape = network.Shape;
        MaxRows = maxRows;
        _denseStart = _shape.Convolutions?.ParameterCount ?? 0;
        _pass = new(_shape, maxRows, keepsImages: true);
        _deltas = new PaddedMatrix<T>[_shape.Layers];
        _transposed = new PaddedMatrix<T>[_shape.Layers];
        _products = new PaddedMatrix<T>[_shape.Layers];
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            _deltas[layer] = new(maxRows, _shape.LayerOutputs(layer));
            _transposed[layer] = new(_shape.LayerOutputs(layer), _shape.LayerInputs(layer));
            _products[layer] = new(_shape.LayerInputs(layer) + 1, _shape.LayerOutputs(layer));
        }

        if (_shape.Outputs <= MatrixProduct.TileRows)
            _narrow = new(_shape.Outputs, _shape.LayerInputs(_shape.Layers - 1) + 1);
        _inputDelta = new(maxRows, _shape.LayerInputs(0));
        _logits = new T[maxRows * _shape.Outputs];
        _outputGradient = new T[maxRows * _shape.Outputs];
        _losses = new T[maxRows];
        _norms = new T[maxRows];
    }

    /// <summary>Largest batch.</summary>
    public int MaxRows { get; }

    /// <summary>Mean loss and its gradient by the parameters.</summary>
    /// <param name="inputs">Shape (rows, Inputs).</param>
    /// <param name="labels">Shape (rows), at most <see cref="MaxRows"/>: the class, from 0.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="gradient">As <see cref="DenseNetwork{T}.Parameters"/>; overwritten with the gradient of (1/rows) Σ weight · loss.</param>
    /// <param name="rowWeights">Shape (rows): what each row's loss counts; empty for 1.</param>
    /// <param name="inputGradient">Shape (rows, Inputs): the gradient of the same mean by the inputs, at the price of one more product; or empty when not wanted.</param>
    /// <returns>(1/rows) Σ weight · loss.</returns>
    /// <exception cref="ArgumentException">A length does not fit, or the loss is not defined for this network.</exception>
    public T Backward(ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, Loss loss, Span<T> gradient, ReadOnlySpan<T> rowWeights = default, Span<T> inputGradient = default)
    {
        Fits.Length(gradient.Length, _network.Parameters.Length, nameof(gradient));
        if (!inputGradient.IsEmpty)
            Fits.Rows(inputGradient.Length, labels.Length, _shape.Inputs, nameof(inputGradient));
        if (labels.IsEmpty)
            throw new ArgumentException("A mean needs at least one row.", nameof(labels));
        CheckBatch(inputs, labels, rowWeights);
        LoadWeights();
        LoadBeforeDense(!inputGradient.IsEmpty);
        _pass.Convolutions?.ClearProducts();
        var (total, scale) = (T.Zero, T.One / T.CreateTruncating(labels.Length));
        for (var at = 0; at < labels.Length; at += SliceRows)
        {
            var slice = Slice(inputs, labels, rowWeights, at);
            total += WeightedLoss(slice, loss, scale);
            var count = slice.Labels.Length;
            BackwardInPlace(count, at == 0, inputGradient.IsEmpty ? [] : inputGradient.Slice(at * _shape.Inputs, count * _shape.Inputs));
        }

        FinishProducts();
        _pass.Convolutions?.TakeProducts(gradient[.._denseStart], add: false);
        for (int layer = 0, at = _denseStart; layer < _shape.Layers; layer++)
        {
            var product = _products[layer];
            for (var row = 0; row <= _shape.LayerInputs(layer); row++)
                product.Row(row).CopyTo(gradient.Slice(at + (Place(layer, row) * product.Columns), product.Columns));
            at += (_shape.LayerInputs(layer) + 1) * product.Columns;
        }

        return total;
    }

    /// <summary>Each row's loss and its gradient by that row's inputs.</summary>
    /// <param name="inputs">Shape (rows, Inputs).</param>
    /// <param name="labels">Shape (rows), at most <see cref="MaxRows"/>.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="inputGradient">Shape (rows, Inputs); overwritten.</param>
    /// <param name="losses">Shape (rows), or empty when not wanted; overwritten.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the loss is not defined for this network.</exception>
    public void InputGradient(ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, Loss loss, Span<T> inputGradient, Span<T> losses = default)
    {
        Fits.Rows(inputGradient.Length, labels.Length, _shape.Inputs, nameof(inputGradient));
        if (!losses.IsEmpty)
            Fits.Length(losses.Length, labels.Length, nameof(losses));
        CheckBatch(inputs, labels, default);
        LoadWeights();
        LoadBeforeDense(toInputs: true);
        for (var at = 0; at < labels.Length; at += SliceRows)
        {
            var slice = Slice(inputs, labels, default, at);
            var count = slice.Labels.Length;
            WeightedLoss(slice, loss, T.One);
            if (!losses.IsEmpty)
                _losses.AsSpan(0, count).CopyTo(losses[at..]);
            CopyInputGradient(count, inputGradient.Slice(at * _shape.Inputs, count * _shape.Inputs));
        }
    }

    /// <summary>Runs the network and keeps what <see cref="BackwardToInputs"/> and <see cref="BackwardToParameters"/> need.</summary>
    /// <param name="inputs">Shape (rows, Inputs), at most <see cref="MaxRows"/> rows.</param>
    /// <param name="rows">Number of rows.</param>
    /// <returns>Shape (rows, Outputs): the logits; valid until the next call.</returns>
    public ReadOnlySpan<T> Forward(ReadOnlySpan<T> inputs, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaxRows);
        Fits.Rows(inputs.Length, rows, _shape.Inputs, nameof(inputs));
        LoadWeights();
        LoadBeforeDense(toInputs: true);
        _pass.Run(inputs, rows);
        _rows = rows;
        var logits = _logits.AsSpan(0, rows * _shape.Outputs);
        _pass.CopyLogits(rows, logits);
        return logits;
    }

    /// <summary>After <see cref="Forward"/>: carries any loss's derivative by the logits back to the inputs.</summary>
    /// <param name="outputGradient">Shape (rows, Outputs): derivative by the logits.</param>
    /// <param name="inputGradient">Shape (rows, Inputs); overwritten.</param>
    public void BackwardToInputs(ReadOnlySpan<T> outputGradient, Span<T> inputGradient)
    {
        LoadOutputGradient(outputGradient);
        Fits.Rows(inputGradient.Length, _rows, _shape.Inputs, nameof(inputGradient));
        CopyInputGradient(_rows, inputGradient);
    }

    /// <summary>After <see cref="Forward"/>: carries any loss's derivative by the logits back to the parameters.</summary>
    /// <param name="outputGradient">Shape (rows, Outputs): derivative by the logits.</param>
    /// <param name="gradientSum">As <see cref="DenseNetwork{T}.Parameters"/>; the rows' gradients are added to it.</param>
    public void BackwardToParameters(ReadOnlySpan<T> outputGradient, Span<T> gradientSum)
    {
        LoadOutputGradient(outputGradient);
        Fits.Length(gradientSum.Length, _network.Parameters.Length, nameof(gradientSum));
        _pass.Convolutions?.ClearProducts();
        BackwardToHidden(_rows);
        ParameterProducts(_rows, first: true);
        ThroughConvolutions(_rows, _deltas[0], toParameters: true, []);
        AddProducts(gradientSum);
    }

    private void LoadOutputGradient(ReadOnlySpan<T> outputGradient)
    {
        if (_rows < 0)
            throw new InvalidOperationException("Run Forward first: there is nothing to differentiate.");
        Fits.Rows(outputGradient.Length, _rows, _shape.Outputs, nameof(outputGradient));
        for (var row = 0; row < _rows; row++)
            outputGradient.Slice(row * _shape.Outputs, _shape.Outputs).CopyTo(_deltas[^1].Row(row));
    }

    private void CheckBatch(ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<T> rowWeights)
    {
        if (labels.Length > MaxRows)
            throw new ArgumentOutOfRangeException(nameof(labels), labels.Length, $"This working memory holds {MaxRows} rows.");
        Fits.Rows(inputs.Length, labels.Length, _shape.Inputs, nameof(inputs));
        if (!rowWeights.IsEmpty)
            Fits.Length(rowWeights.Length, labels.Length, nameof(rowWeights));
    }

    private RowSlice Slice(ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<T> rowWeights, int at)
    {
        var count = int.Min(SliceRows, labels.Length - at);
        return new()
        {
            Inputs = inputs.Slice(at * _shape.Inputs, count * _shape.Inputs),
            Labels = labels.Slice(at, count),
            Weights = rowWeights.IsEmpty ? default : rowWeights.Slice(at, count),
        };
    }

    /// <summary>Forward pass, losses into <see cref="_losses"/>, scaled output gradients into the last delta; returns the scaled sum of losses.</summary>
    private T WeightedLoss(RowSlice slice, Loss loss, T scale)
    {
        var rows = slice.Labels.Length;
        _pass.Run(slice.Inputs, rows);
        var logits = _logits.AsSpan(0, rows * _shape.Outputs);
        _pass.CopyLogits(rows, logits);
        var gradient = _outputGradient.AsSpan(0, logits.Length);
        var losses = _losses.AsSpan(0, rows);
        LossFunction.Evaluate(loss, logits, slice.Labels, _shape.Outputs, losses, gradient);
        var total = T.Zero;
        var outputs = _shape.Outputs;
        for (int row = 0, at = 0; row < losses.Length; row++)
        {
            var weight = slice.Weights.IsEmpty ? scale : scale * slice.Weights[row];
            total += weight * losses[row];
            var delta = _deltas[^1].RowPointer(row);
            for (var k = 0; k < outputs; k++)
                delta[k] = weight * gradient[at++];
        }

        return total;
    }

    private void BackwardToHidden(int rows)
    {
        for (var layer = _shape.Layers - 1; layer > 0; layer--)
            TimesTransposedWeights(layer, rows, _deltas[layer], _deltas[layer - 1], _pass.Activations[layer]);
    }

    /// <summary>Layer by layer, while its numbers are in the cache: parameters' products, then the deltas before it, over the activations that nobody needs any more.</summary>
    private void BackwardInPlace(int rows, bool first, Span<T> inputGradient)
    {
        var deltas = _deltas[^1];
        for (var layer = _shape.Layers - 1; layer >= 0; layer--)
        {
            ParameterProduct(layer, rows, deltas, first);
            if (layer == 0)
            {
                if (_pass.Convolutions is not null)
                    ThroughConvolutions(rows, deltas, toParameters: true, inputGradient);
                else if (!inputGradient.IsEmpty)
                    ToInputs(rows, deltas, inputGradient);
                return;
            }

            var activations = _pass.Activations[layer];
            var target = MatrixProduct.TakesOneBlock(deltas.Columns) ? activations : _deltas[layer - 1];
            TimesTransposedWeights(layer, rows, deltas, target, activations);
            deltas = target;
        }
    }

    private void CopyInputGradient(int rows, Span<T> inputGradient)
    {
        BackwardToHidden(rows);
        if (_pass.Convolutions is not null)
        {
            ThroughConvolutions(rows, _deltas[0], toParameters: false, inputGradient);
            return;
        }

        ToInputs(rows, _deltas[0], inputGradient);
    }

    private void ToInputs(int rows, PaddedMatrix<T> deltas, Span<T> inputGradient)
    {
        TimesTransposedWeights(0, rows, deltas, _inputDelta, gate: null);
        for (var row = 0; row < rows; row++)
            _inputDelta.Row(row).CopyTo(inputGradient.Slice(row * _shape.Inputs, _shape.Inputs));
    }

    /// <summary>Where there are convolutions: from the first dense layer's deltas back through them.</summary>
    private void ThroughConvolutions(int rows, PaddedMatrix<T> deltas, bool toParameters, Span<T> inputGradient)
    {
        if (_pass.Convolutions is not { } convolutions)
            return;
        TimesTransposedWeights(0, rows, deltas, _inputDelta, _pass.Activations[0]);
        convolutions.Backward(rows, _inputDelta, toParameters, inputGradient);
    }

    /// <summary>Where the parameters have the row of products: convolutions give their features in an order of their own.</summary>
    private int Place(int layer, int row) => layer > 0 || _pass.Convolutions is not { } convolutions || row == convolutions.FeatureOrder.Length ? row : convolutions.FeatureOrder[row];

    private void TimesTransposedWeights(int layer, int rows, PaddedMatrix<T> deltas, PaddedMatrix<T> target, PaddedMatrix<T>? gate)
    {
        var transposed = _transposed[layer];
        MatrixProduct.Multiply(new ProductArguments<T>
        {
            Left = deltas.Data,
            LeftRowStride = deltas.Stride,
            LeftDepthStride = 1,
            Right = transposed.Data,
            RightStride = transposed.Stride,
            Destination = target.Data,
            DestinationStride = target.Stride,
            Gate = gate is null ? null : gate.Data,
            Rows = rows,
            Depth = _shape.LayerOutputs(layer),
            Columns = _shape.LayerInputs(layer),
            Start = TileStart.Zero,
            Finish = gate is null ? TileFinish.None : TileFinish.Gate,
        });
    }

    private readonly ref struct RowSlice
    {
        internal ReadOnlySpan<T> Inputs { get; init; }

        internal ReadOnlySpan<int> Labels { get; init; }

        internal ReadOnlySpan<T> Weights { get; init; }
    }
}
