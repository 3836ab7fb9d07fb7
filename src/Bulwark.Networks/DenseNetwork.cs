using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

/// <summary>A network with rectified hidden layers, dense ones and, where the shape has them, convolutions before them: its shape and its parameters.</summary>
/// <typeparam name="T"><see cref="float"/> for work, <see cref="double"/> for verification; both run the same code.</typeparam>
/// <remarks>
/// Parameters are one flat array: for each convolution its weights (channels out, channels in, kernel, kernel), then its biases; for each dense layer
/// its weights, row-major (inputs, outputs), then its biases. Images are flat in the order channel, row, column.
/// A row's logits do not depend on the batch it comes in, on the thread or on the machine's vector width.
/// Reading (<see cref="Forward"/>) is thread-safe as long as nobody writes the parameters.
/// </remarks>
public sealed class DenseNetwork<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] _parameters;
    private readonly int[] _offsets;
    private readonly int[] _convolutionOffsets;
    private readonly WorkspacePool<ForwardPass<T>> _passes;

    /// <summary>A network of zeros.</summary>
    /// <param name="shape">The shape.</param>
    /// <exception cref="ArgumentException">The shape has faults; or <typeparamref name="T"/> is neither <see cref="float"/> nor <see cref="double"/>.</exception>
    public DenseNetwork(NetworkShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
            throw new ArgumentException($"Networks are of float or double, not {typeof(T).Name}.");
        if (string.Join(' ', shape.Faults()) is { Length: > 0 } faults)
            throw new ArgumentException(faults, nameof(shape));
        Shape = shape with
        {
            Hidden = [.. shape.Hidden],
            Convolutions = shape.Convolutions is { } stack ? stack with { Layers = [.. stack.Layers] } : null,
        };
        _parameters = new T[Shape.ParameterCount];
        _convolutionOffsets = new int[Shape.Convolutions?.Layers.Count ?? 0];
        for (var layer = 1; layer < _convolutionOffsets.Length; layer++)
            _convolutionOffsets[layer] = _convolutionOffsets[layer - 1] + Stack.WeightCount(layer - 1) + Stack.Layers[layer - 1].Channels;
        _offsets = new int[Shape.Layers];
        _offsets[0] = Shape.Convolutions?.ParameterCount ?? 0;
        for (var layer = 1; layer < _offsets.Length; layer++)
            _offsets[layer] = _offsets[layer - 1] + ((Shape.LayerInputs(layer - 1) + 1) * Shape.LayerOutputs(layer - 1));
        _passes = new(() => new ForwardPass<T>(Shape, ForwardPass<T>.ScoringRows));
    }

    /// <summary>The widths.</summary>
    public NetworkShape Shape { get; }

    /// <summary>Every weight and bias, in the layout of the remarks; writes change the network.</summary>
    public Span<T> Parameters => _parameters;

    /// <summary>
    /// A network with normal weights and zero biases. Dense networks: variance 2/inputs, 1/inputs in the last layer. With convolutions: 1/(3·inputs) in every layer, a sixth of
    /// it, for from there adversarial training on images came out several points better.
    /// </summary>
    /// <remarks>
    /// Sources: He et al., "Delving Deep into Rectifiers", ICCV 2015, equation 10 (arXiv:1502.01852); the smaller variance is that of LeCun's uniform draws in ±1/√inputs
    /// ("Efficient BackProp", 1998, section 4.6, by a constant). The same seed gives the same network on every machine.
    /// </remarks>
    /// <param name="shape">The shape.</param>
    /// <param name="seed">Names the draw.</param>
    [SuppressMessage("Design", "CA1000", Justification = "The caller names the precision: DenseNetwork<float>.Create.")]
    public static DenseNetwork<T> Create(NetworkShape shape, ulong seed)
    {
        var network = new DenseNetwork<T>(shape);
        var normal = new NormalDraws(seed);
        for (var layer = 0; layer < network._convolutionOffsets.Length; layer++)
            Draw(network.ConvolutionWeights(layer), normal, network.Stack.Layers[layer].Channels / (3.0 * network.Stack.WeightCount(layer)));
        var (hidden, last) = network.Shape.Convolutions is null ? (2.0, 1.0) : (1 / 3.0, 1 / 3.0);
        for (var layer = 0; layer < network.Shape.Layers; layer++)
            Draw(network.Weights(layer), normal, (layer == network.Shape.Layers - 1 ? last : hidden) / network.Shape.LayerInputs(layer));
        return network;
    }

    private static void Draw(Span<T> weights, NormalDraws normal, double variance)
    {
        var deviation = Math.Sqrt(variance);
        foreach (ref var weight in weights)
            weight = T.CreateTruncating(normal.Next() * deviation);
    }

    /// <summary>Weights of one convolution, row-major (channels out, channels in, kernel, kernel).</summary>
    /// <param name="layer">From 0.</param>
    public Span<T> ConvolutionWeights(int layer) => _parameters.AsSpan(_convolutionOffsets[layer], Stack.WeightCount(layer));

    /// <summary>Biases of one convolution, one a channel that it writes.</summary>
    /// <param name="layer">From 0.</param>
    public Span<T> ConvolutionBiases(int layer) => _parameters.AsSpan(_convolutionOffsets[layer] + Stack.WeightCount(layer), Stack.Layers[layer].Channels);

    /// <summary>Weights of one dense layer, row-major (inputs, outputs).</summary>
    /// <param name="layer">From 0.</param>
    public Span<T> Weights(int layer) => _parameters.AsSpan(_offsets[layer], Shape.LayerInputs(layer) * Shape.LayerOutputs(layer));

    /// <summary>Biases of one dense layer, one an output.</summary>
    /// <param name="layer">From 0.</param>
    public Span<T> Biases(int layer) =>
        _parameters.AsSpan(_offsets[layer] + (Shape.LayerInputs(layer) * Shape.LayerOutputs(layer)), Shape.LayerOutputs(layer));

    /// <summary>The logits of <paramref name="rows"/> input rows.</summary>
    /// <param name="inputs">Shape (rows, Inputs), row-major.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="logits">Shape (rows, Outputs); overwritten.</param>
    /// <exception cref="ArgumentException">A length does not fit <paramref name="rows"/>.</exception>
    public void Forward(ReadOnlySpan<T> inputs, int rows, Span<T> logits)
    {
        Fits.Rows(inputs.Length, rows, Shape.Inputs, nameof(inputs));
        Fits.Rows(logits.Length, rows, Shape.Outputs, nameof(logits));
        var pass = _passes.Rent();
        if (rows <= ForwardPass<T>.FewRows && Shape.Convolutions is null)
        {
            for (var row = 0; row < rows; row++)
                pass.RunOne(this, inputs.Slice(row * Shape.Inputs, Shape.Inputs), logits.Slice(row * Shape.Outputs, Shape.Outputs));
        }
        else
        {
            pass.Load(this);
            for (var row = 0; row < rows; row += pass.MaxRows)
            {
                var count = int.Min(pass.MaxRows, rows - row);
                pass.Run(inputs.Slice(row * Shape.Inputs, count * Shape.Inputs), count);
                pass.CopyLogits(count, logits.Slice(row * Shape.Outputs, count * Shape.Outputs));
            }
        }

        _passes.Return(pass);
    }

    /// <summary>A copy that shares nothing.</summary>
    public DenseNetwork<T> Clone() => Convert<T>();

    /// <summary>The same network in <see cref="double"/>; exact.</summary>
    public DenseNetwork<double> ToDouble() => Convert<double>();

    /// <summary>The same network in <see cref="float"/>; each parameter rounded to nearest.</summary>
    public DenseNetwork<float> ToSingle() => Convert<float>();

    private ConvolutionStack Stack => Shape.Convolutions!;

    private DenseNetwork<TOther> Convert<TOther>()
        where TOther : unmanaged, IBinaryFloatingPointIeee754<TOther>
    {
        var other = new DenseNetwork<TOther>(Shape);
        for (var i = 0; i < _parameters.Length; i++)
            other.Parameters[i] = TOther.CreateTruncating(_parameters[i]);
        return other;
    }
}
