using System.Numerics;

namespace Bulwark.Networks.Kernels;

/// <summary>One convolution's memory, tables and weights for one thread: forward, and back to its weights.</summary>
/// <remarks>Images are taken in blocks of <see cref="BlockImages"/>, so that a block's pixels make whole tiles whatever the image's size.</remarks>
internal sealed unsafe partial class ConvolutionLayer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    internal const int BlockImages = MatrixProduct.TileRows;

    private readonly ImageShape _reads;
    private readonly ImageShape _writes;
    private readonly Convolution _layer;
    private readonly int _columns;
    private readonly PixelGrid _target;
    private readonly PinnedBuffer<T> _weights;
    private readonly PinnedBuffer<nint> _windows;
    private readonly PinnedBuffer<nint> _targets;
    private readonly PinnedBuffer<DepthStep> _steps;

    /// <param name="reads">What the layer reads.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="grid">How its input lies.</param>
    /// <param name="target">How the next layer's input lies.</param>
    /// <param name="images">Images of which the input is kept; whole blocks.</param>
    internal ConvolutionLayer(ImageShape reads, Convolution layer, PixelGrid grid, PixelGrid target, int images)
    {
        (_reads, _writes, _layer, Grid, _target) = (reads, layer.Of(reads), layer, grid, target);
        _columns = PixelGrid.WholeTiles<T>(layer.Channels);
        Input = new(checked(grid.Image * images));
        _weights = new(checked((WindowValues + 1) * _columns));
        var (windows, targets) = (new List<nint>(), new List<nint>());
        foreach (var (image, y, x) in Pixels(BlockImages, _writes))
        {
            windows.Add(((nint)image * grid.Image) + ((nint)y * layer.Stride * grid.Row) + ((nint)x * layer.Stride * grid.Pixel));
            targets.Add(target.At(image, y, x));
        }

        (_windows, _targets) = (PixelGrid.Table(windows), PixelGrid.Table(targets));
        _steps = new([.. WindowOffsets(grid, layer.Kernel, reads.Channels).Select((left, d) => new DepthStep(left, (nint)d * _columns))]);
    }

    internal PixelGrid Grid { get; }

    /// <summary>The layer's input: images on <see cref="Grid"/>.</summary>
    internal PinnedBuffer<T> Input { get; }

    private int WindowValues => _layer.Kernel * _layer.Kernel * _reads.Channels;

    /// <summary>Where <paramref name="reads"/> lies for <paramref name="layer"/>: behind its padding. The first layer's channels are not padded, for nobody multiplies into them.</summary>
    internal static PixelGrid InputGrid(ImageShape reads, Convolution layer, bool first) => PixelGrid.Framed(
        first ? reads.Channels : PixelGrid.WholeTiles<T>(reads.Channels), layer.Padding, reads.Height + (2 * layer.Padding), reads.Width + (2 * layer.Padding));

    /// <summary>Copies weights and biases into the order of the windows; to be called again when they change.</summary>
    internal void Load(ReadOnlySpan<T> weights, ReadOnlySpan<T> biases)
    {
        foreach (var (index, output, depth) in WeightOrder())
            _weights.Span[(depth * _columns) + output] = weights[index];
        biases.CopyTo(_weights.Span[(WindowValues * _columns)..]);
    }

    /// <summary>Convolves and rectifies one block of images into the next layer's memory.</summary>
    internal void Forward(int firstImage, int images, T* destination)
    {
        WindowProduct.Multiply(new WindowArguments<T>
        {
            Left = Input.Data + ((nint)firstImage * Grid.Image),
            LeftRows = _windows.Data,
            Steps = _steps.Data,
            Right = _weights.Data,
            Destination = destination,
            DestinationRows = _targets.Data,
            Bias = _weights.Data + ((nint)WindowValues * _columns),
            Rows = images * _writes.Height * _writes.Width,
            Depth = WindowValues,
            Columns = _layer.Channels,
            Start = TileStart.Row,
            Finish = TileFinish.Rectify,
        });
    }

    /// <summary>Each weight's place in the parameters, its channel, and its place in a window.</summary>
    private IEnumerable<(int Index, int Output, int Depth)> WeightOrder()
    {
        var (index, kernel, channels) = (0, _layer.Kernel, _reads.Channels);
        for (var output = 0; output < _layer.Channels; output++)
        {
            for (var channel = 0; channel < channels; channel++)
            {
                for (var at = 0; at < kernel * kernel; at++)
                    yield return (index++, output, (at * channels) + channel);
            }
        }
    }

    private static IEnumerable<(int Image, int Y, int X)> Pixels(int images, ImageShape shape) =>
        from image in Enumerable.Range(0, images)
        from y in Enumerable.Range(0, shape.Height)
        from x in Enumerable.Range(0, shape.Width)
        select (image, y, x);

    private static IEnumerable<nint> WindowOffsets(PixelGrid grid, int side, int channels) =>
        from y in Enumerable.Range(0, side)
        from x in Enumerable.Range(0, side)
        from channel in Enumerable.Range(0, channels)
        select ((nint)y * grid.Row) + ((nint)x * grid.Pixel) + channel;
}
