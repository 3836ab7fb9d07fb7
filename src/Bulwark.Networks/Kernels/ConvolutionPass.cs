using System.Numerics;

namespace Bulwark.Networks.Kernels;

/// <summary>One thread's memory for a stack of convolutions: images in, a matrix of features out, and back.</summary>
/// <remarks>Features leave in the order row, column, channel; <see cref="FeatureOrder"/> says where the parameters' order has each.</remarks>
internal sealed unsafe class ConvolutionPass<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Block = ConvolutionLayer<T>.BlockImages;
    private readonly ConvolutionStack _stack;
    private readonly ImageShape _features;
    private readonly ConvolutionLayer<T>[] _layers;
    private readonly PixelGrid _outputGrid;
    private readonly PinnedBuffer<T> _output;
    private readonly bool _keeps;

    /// <param name="stack">The convolutions.</param>
    /// <param name="maxRows">Most images.</param>
    /// <param name="keeps">Whether each layer's input of all images is kept, for the way back.</param>
    internal ConvolutionPass(ConvolutionStack stack, int maxRows, bool keeps)
    {
        (_stack, _features, _keeps) = (stack, stack.LayerImage(stack.Layers.Count), keeps);
        var images = keeps ? (maxRows + Block - 1) / Block * Block : Block;
        _outputGrid = PixelGrid.Framed(PixelGrid.WholeTiles<T>(_features.Channels), 0, _features.Height, _features.Width);
        _output = new(_outputGrid.Image * Block);
        _layers = new ConvolutionLayer<T>[stack.Layers.Count];
        for (var (layer, target) = (_layers.Length - 1, _outputGrid); layer >= 0; layer--)
        {
            var grid = ConvolutionLayer<T>.InputGrid(stack.LayerImage(layer), stack.Layers[layer], layer == 0);
            _layers[layer] = new(stack.LayerImage(layer), stack.Layers[layer], grid, target, images);
            target = grid;
        }

        for (var layer = 0; keeps && layer < _layers.Length; layer++)
            _layers[layer].PrepareBackward(layer == 0 ? null : _layers[layer - 1]);
        FeatureOrder = [..
            from y in Enumerable.Range(0, _features.Height)
            from x in Enumerable.Range(0, _features.Width)
            from channel in Enumerable.Range(0, _features.Channels)
            select (((channel * _features.Height) + y) * _features.Width) + x];
    }

    /// <summary>For each feature, in this pass's order, its place in the order of the parameters: channel, row, column.</summary>
    internal int[] FeatureOrder { get; }

    internal void Load(DenseNetwork<T> network)
    {
        for (var layer = 0; layer < _layers.Length; layer++)
            _layers[layer].Load(network.ConvolutionWeights(layer), network.ConvolutionBiases(layer));
    }

    internal void LoadBackward(DenseNetwork<T> network, bool toInputs)
    {
        for (var layer = toInputs ? 0 : 1; layer < _layers.Length; layer++)
            _layers[layer].LoadBackward(network.ConvolutionWeights(layer));
    }

    /// <summary>Runs all layers on <paramref name="rows"/> images, the features into the rows of <paramref name="features"/>.</summary>
    internal void Run(ReadOnlySpan<T> inputs, int rows, PaddedMatrix<T> features)
    {
        for (var row = 0; row < rows; row += Block)
        {
            var images = int.Min(Block, rows - row);
            var kept = _keeps ? row : 0;
            for (var image = 0; image < images; image++)
                LoadImage(inputs.Slice((row + image) * _stack.Image.Values, _stack.Image.Values), kept + image);
            for (var layer = 0; layer < _layers.Length; layer++)
            {
                var target = layer == _layers.Length - 1 ? _output.Data : _layers[layer + 1].Input.Data + ((nint)kept * _layers[layer + 1].Grid.Image);
                _layers[layer].Forward(kept, images, target);
            }

            for (var image = 0; image < images; image++)
                CopyFeatures(image, features.Row(row + image));
        }
    }

    internal void ClearProducts()
    {
        foreach (var layer in _layers)
            layer.ClearProducts();
    }

    /// <summary>After <see cref="Run"/>: from derivatives by the features, through their rectifier already, to the parameters' products, to the inputs, or to both.</summary>
    internal void Backward(int rows, PaddedMatrix<T> featureDeltas, bool toParameters, Span<T> inputGradient)
    {
        for (var row = 0; row < rows; row += Block)
        {
            var images = int.Min(Block, rows - row);
            for (var image = 0; image < images; image++)
                LoadDeltas(featureDeltas.Row(row + image), image);
            for (var layer = _layers.Length - 1; layer >= 0; layer--)
            {
                if (toParameters)
                    _layers[layer].AddProducts(row, images);
                if (layer > 0)
                    _layers[layer].BackToLayer(row, images);
                else if (!inputGradient.IsEmpty)
                    _layers[0].BackToInputs(images, inputGradient.Slice(row * _stack.Image.Values, images * _stack.Image.Values));
            }
        }
    }

    /// <summary>The products in the parameters' order.</summary>
    internal void TakeProducts(Span<T> gradient, bool add)
    {
        var at = 0;
        for (var layer = 0; layer < _layers.Length; layer++)
        {
            var count = _stack.WeightCount(layer) + _stack.Layers[layer].Channels;
            _layers[layer].TakeProducts(gradient.Slice(at, count), add);
            at += count;
        }
    }

    private void LoadImage(ReadOnlySpan<T> image, int index)
    {
        var (channels, height, width) = _stack.Image;
        var grid = _layers[0].Grid;
        for (var y = 0; y < height; y++)
        {
            var target = _layers[0].Input.Data + grid.At(index, y, 0);
            if (channels == 1)
            {
                image.Slice(y * width, width).CopyTo(new Span<T>(target, width));
                continue;
            }

            for (var x = 0; x < width; x++)
            {
                for (var channel = 0; channel < channels; channel++)
                    target[(x * grid.Pixel) + channel] = image[(((channel * height) + y) * width) + x];
            }
        }
    }

    private void CopyFeatures(int image, Span<T> features)
    {
        var (channels, height, width) = _features;
        for (var pixel = 0; pixel < height * width; pixel++)
            new ReadOnlySpan<T>(_output.Data + _outputGrid.At(image, 0, pixel), channels).CopyTo(features[(pixel * channels)..]);
    }

    private void LoadDeltas(ReadOnlySpan<T> deltas, int image)
    {
        var (channels, height, width) = _features;
        var last = _layers[^1];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                deltas.Slice(((y * width) + x) * channels, channels).CopyTo(new Span<T>(last.Delta.Data + last.DeltaGrid.At(image, y, x), channels));
        }
    }
}
