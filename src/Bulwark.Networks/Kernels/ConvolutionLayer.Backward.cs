using System.Numerics.Tensors;

namespace Bulwark.Networks.Kernels;

internal sealed unsafe partial class ConvolutionLayer<T>
{
    private Backwards? _back;

    /// <summary>Derivatives by the layer's output before the rectifier, for one block of images, on <see cref="DeltaGrid"/>; zeros around each.</summary>
    internal PinnedBuffer<T> Delta => _back!.Delta;

    internal PixelGrid DeltaGrid => _back!.Grid;

    /// <summary>Makes the memory for derivatives. Without <paramref name="before"/> the layer is the first: its input's derivative goes to the caller.</summary>
    internal void PrepareBackward(ConvolutionLayer<T>? before) => _back = new(this, before);

    /// <summary>Copies the weights into the order in which derivatives go back to the input.</summary>
    internal void LoadBackward(ReadOnlySpan<T> weights) => _back!.Load(weights);

    /// <summary>One block of images: the derivative by the layer before, through its rectifier, into that layer's <see cref="Delta"/>.</summary>
    internal void BackToLayer(int firstImage, int images) => _back!.ToLayer(firstImage, images);

    /// <summary>One block of images: the derivative by the inputs.</summary>
    internal void BackToInputs(int images, Span<T> inputGradient) => _back!.ToInputs(images, inputGradient);

    /// <summary>One block of images: adds the derivatives by weights and biases.</summary>
    internal void AddProducts(int firstImage, int images) => _back!.AddProducts(firstImage, images);

    internal void ClearProducts() => _back!.Products.Span.Clear();

    /// <summary>The sums of products in the parameters' order: weights, then biases; overwritten or added.</summary>
    internal void TakeProducts(Span<T> gradient, bool add)
    {
        var products = _back!.Products.Span;
        var biases = products.Slice(WindowValues * _columns, _layer.Channels);
        if (add)
        {
            foreach (var (index, output, depth) in WeightOrder())
                gradient[index] += products[(depth * _columns) + output];
            var target = gradient[^_layer.Channels..];
            TensorPrimitives.Add(target, biases, target);
            return;
        }

        foreach (var (index, output, depth) in WeightOrder())
            gradient[index] = products[(depth * _columns) + output];
        biases.CopyTo(gradient[^_layer.Channels..]);
    }

    /// <summary>
    /// The way back. An input pixel at U = stride·i + a, padding included, is met by the windows i − t at their place a + stride·t: all pixels of one phase a
    /// share the same few weights, and their derivative is a convolution of step 1 over the deltas.
    /// </summary>
    private sealed class Backwards
    {
        private readonly ConvolutionLayer<T> _owner;
        private readonly ConvolutionLayer<T>? _before;
        private readonly int _taps;
        private readonly int _depth;
        private readonly int _columns;
        private readonly PinnedBuffer<T> _weights;
        private readonly PinnedBuffer<DepthStep> _steps;
        private readonly List<Phase> _phases = [];
        private readonly PinnedBuffer<nint> _productRows;
        private readonly PinnedBuffer<nint> _productTargets;
        private readonly PinnedBuffer<DepthStep> _productSteps;
        private readonly PinnedBuffer<T>? _blocks;
        private readonly (int Height, int Width) _met;

        internal Backwards(ConvolutionLayer<T> owner, ConvolutionLayer<T>? before)
        {
            (_owner, _before) = (owner, before);
            var (reads, writes, layer) = (owner._reads, owner._writes, owner._layer);
            _taps = (layer.Kernel + layer.Stride - 1) / layer.Stride;
            _met = (((reads.Height - 1 + layer.Padding) / layer.Stride) + 1, ((reads.Width - 1 + layer.Padding) / layer.Stride) + 1);
            Grid = PixelGrid.Framed(owner._columns, _taps - 1, int.Max(writes.Height, _met.Height) + _taps - 1, int.Max(writes.Width, _met.Width) + _taps - 1);
            Delta = new(checked(Grid.Image * BlockImages));
            _depth = _taps * _taps * layer.Channels;
            var phases = layer.Stride * layer.Stride;
            _columns = PixelGrid.WholeTiles<T>(before is null ? phases * reads.Channels : reads.Channels);
            _weights = new(checked(_depth * _columns * (before is null ? 1 : phases)));
            _steps = new([.. WindowOffsets(Grid, _taps, layer.Channels).Select((left, d) => new DepthStep(left, (nint)d * _columns))]);
            if (before is null)
            {
                _phases.Add(AllAtOnce());
                _blocks = new(BlockImages * _met.Height * _met.Width * _columns);
            }
            else
            {
                for (var phase = 0; phase < phases; phase++)
                    _phases.Add(OfPhase(phase / layer.Stride, phase % layer.Stride));
            }

            Products = new((owner.WindowValues + 1) * owner._columns);
            _productRows = PixelGrid.Table([.. WindowOffsets(owner.Grid, layer.Kernel, reads.Channels)]);
            _productTargets = PixelGrid.Table([.. Enumerable.Range(0, owner.WindowValues).Select(d => (nint)d * owner._columns)]);
            _productSteps = new([.. Pixels(1, writes).Select(pixel => new DepthStep(
                ((nint)pixel.Y * layer.Stride * owner.Grid.Row) + ((nint)pixel.X * layer.Stride * owner.Grid.Pixel), Grid.At(0, pixel.Y, pixel.X)))]);
        }

        internal PixelGrid Grid { get; }

        internal PinnedBuffer<T> Delta { get; }

        /// <summary>Window values by channels, then one row for the biases.</summary>
        internal PinnedBuffer<T> Products { get; }

        internal void Load(ReadOnlySpan<T> weights)
        {
            var (kernel, stride, channels) = (_owner._layer.Kernel, _owner._layer.Stride, _owner._reads.Channels);
            foreach (var (index, output, depth) in _owner.WeightOrder())
            {
                var (channel, ky, kx) = (depth % channels, depth / channels / kernel, depth / channels % kernel);
                var (ty, tx) = (_taps - 1 - (ky / stride), _taps - 1 - (kx / stride));
                var phase = (ky % stride * stride) + (kx % stride);
                var row = (((ty * _taps) + tx) * _owner._layer.Channels) + output;
                var (matrix, column) = _before is null ? (0, (phase * channels) + channel) : (phase, channel);
                _weights.Span[(((matrix * _depth) + row) * _columns) + column] = weights[index];
            }
        }

        internal void ToLayer(int firstImage, int images)
        {
            for (var phase = 0; phase < _phases.Count; phase++)
            {
                var (perImage, windows, targets, gates) = _phases[phase];
                if (perImage == 0)
                    continue;
                WindowProduct.Multiply(Arguments(windows, images * perImage, _weights.Data + ((nint)phase * _depth * _columns)) with
                {
                    Destination = _before!.Delta.Data,
                    DestinationRows = targets!.Data,
                    Gate = _owner.Input.Data + ((nint)firstImage * _owner.Grid.Image),
                    GateRows = gates!.Data,
                    Columns = _owner._reads.Channels,
                    Finish = TileFinish.Gate,
                });
            }
        }

        internal void ToInputs(int images, Span<T> inputGradient)
        {
            var (perImage, windows, targets, _) = _phases[0];
            WindowProduct.Multiply(Arguments(windows, images * perImage, _weights.Data) with
            {
                Destination = _blocks!.Data,
                DestinationRows = targets!.Data,
                Columns = _owner._layer.Stride * _owner._layer.Stride * _owner._reads.Channels,
            });
            for (var image = 0; image < images; image++)
                Spread(_blocks.Data + ((nint)image * perImage * _columns), inputGradient.Slice(image * _owner._reads.Values, _owner._reads.Values));
        }

        internal void AddProducts(int firstImage, int images)
        {
            for (var image = 0; image < images; image++)
            {
                WindowProduct.Multiply(new WindowArguments<T>
                {
                    Left = _owner.Input.Data + ((nint)(firstImage + image) * _owner.Grid.Image),
                    LeftRows = _productRows.Data,
                    Steps = _productSteps.Data,
                    Right = Delta.Data + ((nint)image * Grid.Image),
                    Destination = Products.Data,
                    DestinationRows = _productTargets.Data,
                    Rows = _owner.WindowValues,
                    Depth = _owner._writes.Height * _owner._writes.Width,
                    Columns = _owner._layer.Channels,
                    Start = TileStart.Destination,
                });
                AddBiases(image);
            }
        }

        private void AddBiases(int image)
        {
            var sum = Products.Span.Slice(_owner.WindowValues * _owner._columns, _owner._columns);
            for (var y = 0; y < _owner._writes.Height; y++)
            {
                for (var x = 0; x < _owner._writes.Width; x++)
                    TensorPrimitives.Add(sum, new ReadOnlySpan<T>(Delta.Data + Grid.At(image, y, x), sum.Length), sum);
            }
        }

        /// <summary>Each block of stride × stride pixels that one window position met, to its pixels.</summary>
        private void Spread(T* blocks, Span<T> image)
        {
            var (stride, padding, (channels, height, width)) = (_owner._layer.Stride, _owner._layer.Padding, _owner._reads);
            for (var y = 0; y < height; y++)
            {
                var (blockY, phaseY) = int.DivRem(y + padding, stride);
                for (var x = 0; x < width; x++)
                {
                    var (blockX, phaseX) = int.DivRem(x + padding, stride);
                    var from = blocks + ((nint)((blockY * _met.Width) + blockX) * _columns) + (((phaseY * stride) + phaseX) * channels);
                    for (var channel = 0; channel < channels; channel++)
                        image[(((channel * height) + y) * width) + x] = from[channel];
                }
            }
        }

        private WindowArguments<T> Arguments(PinnedBuffer<nint> windows, int rows, T* weights) => new()
        {
            Left = Delta.Data,
            LeftRows = windows.Data,
            Steps = _steps.Data,
            Right = weights,
            Rows = rows,
            Depth = _depth,
        };

        /// <summary>All phases of an image at once, as columns: the first layer's channels are too few to fill a vector alone.</summary>
        private Phase AllAtOnce()
        {
            var met = new ImageShape(1, _met.Height, _met.Width);
            return new(
                met.Values,
                PixelGrid.Table([.. Pixels(BlockImages, met).Select(pixel => Window(pixel.Image, pixel.Y, pixel.X))]),
                PixelGrid.Table([.. Enumerable.Range(0, BlockImages * met.Values).Select(row => (nint)row * _columns)]),
                null);
        }

        private Phase OfPhase(int phaseY, int phaseX)
        {
            var (stride, padding, reads) = (_owner._layer.Stride, _owner._layer.Padding, _owner._reads);
            var (windows, targets, gates) = (new List<nint>(), new List<nint>(), new List<nint>());
            foreach (var (image, y, x) in Pixels(BlockImages, reads))
            {
                if ((y + padding) % stride != phaseY || (x + padding) % stride != phaseX)
                    continue;
                windows.Add(Window(image, (y + padding) / stride, (x + padding) / stride));
                targets.Add(_before!.DeltaGrid.At(image, y, x));
                gates.Add(_owner.Grid.At(image, y, x));
            }

            return windows.Count == 0
                ? new(0, new(0), null, null)
                : new(windows.Count / BlockImages, PixelGrid.Table(windows), PixelGrid.Table(targets), PixelGrid.Table(gates));
        }

        private nint Window(int image, int y, int x) => ((nint)image * Grid.Image) + ((nint)y * Grid.Row) + ((nint)x * Grid.Pixel);

        private sealed record Phase(int PerImage, PinnedBuffer<nint> Windows, PinnedBuffer<nint>? Targets, PinnedBuffer<nint>? Gates);
    }
}
