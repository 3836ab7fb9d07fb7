using System.Numerics.Tensors;
using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

public sealed unsafe partial class NetworkGradients<T>
{
    private void ParameterProducts(int rows, bool first)
    {
        for (var layer = 0; layer < _shape.Layers; layer++)
            ParameterProduct(layer, rows, _deltas[layer], first);
    }

    /// <summary>Activations, with their column of ones, transposed, times deltas: weights' gradients with the biases' as last row; after the first slice added to what is there.</summary>
    private void ParameterProduct(int layer, int rows, PaddedMatrix<T> deltas, bool first)
    {
        var activation = _pass.Activations[layer];
        if (_narrow is { } narrow && layer == _shape.Layers - 1)
        {
            NarrowParameterProduct(rows, first, activation, narrow);
            return;
        }

        MatrixProduct.Multiply(new ProductArguments<T>
        {
            Left = activation.Data,
            LeftRowStride = 1,
            LeftDepthStride = activation.Stride,
            Right = deltas.Data,
            RightStride = deltas.Stride,
            Destination = _products[layer].Data,
            DestinationStride = _products[layer].Stride,
            Rows = activation.Columns + 1,
            Depth = rows,
            Columns = deltas.Columns,
            Start = first ? TileStart.Zero : TileStart.Destination,
            Finish = TileFinish.None,
        });
    }

    /// <summary>Few outputs: one tile of rows, columns of activations; the transposed product, for the other way round would fill an eighth of its vectors.</summary>
    private void NarrowParameterProduct(int rows, bool first, PaddedMatrix<T> activation, PaddedMatrix<T> narrow)
    {
        MatrixProduct.Multiply(new ProductArguments<T>
        {
            Left = _deltas[^1].Data,
            LeftRowStride = 1,
            LeftDepthStride = _deltas[^1].Stride,
            Right = activation.Data,
            RightStride = activation.Stride,
            Destination = narrow.Data,
            DestinationStride = narrow.Stride,
            Rows = _shape.Outputs,
            Depth = rows,
            Columns = activation.Columns + 1,
            Start = first ? TileStart.Zero : TileStart.Destination,
            Finish = TileFinish.None,
        });
    }

    /// <summary>The last layer's product back into the parameters' layout, once all slices are in it.</summary>
    private void FinishProducts()
    {
        if (_narrow is not { } narrow)
            return;
        for (var output = 0; output < _shape.Outputs; output++)
        {
            var from = narrow.RowPointer(output);
            var to = _products[^1].Data + output;
            for (var input = 0; input < narrow.Columns; input++)
                to[(nint)input * _products[^1].Stride] = from[input];
        }
    }

    private void AddProducts(Span<T> gradientSum)
    {
        FinishProducts();
        _pass.Convolutions?.TakeProducts(gradientSum[.._denseStart], add: true);
        for (int layer = 0, at = _denseStart; layer < _shape.Layers; layer++)
        {
            var product = _products[layer];
            for (var row = 0; row <= _shape.LayerInputs(layer); row++)
            {
                var target = gradientSum.Slice(at + (Place(layer, row) * product.Columns), product.Columns);
                TensorPrimitives.Add(target, product.Row(row), target);
            }

            at += (_shape.LayerInputs(layer) + 1) * product.Columns;
        }
    }
}
