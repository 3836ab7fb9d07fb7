using System.Numerics;
using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Steps along the gradient, each followed by a projection into the ball around the original.</summary>
/// <remarks>Source: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1 (arXiv:1706.06083). Immutable and thread-safe.</remarks>
public sealed record ProjectedGradientDescent
{
    private const int BatchRows = 528;

    /// <summary>How distance is measured.</summary>
    public PerturbationNorm Norm { get; init; }

    /// <summary>Largest distance, in encoded units; finite and at least 0.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Length of one step; 0 for 2.5 · <see cref="Epsilon"/> / <see cref="Steps"/>.</summary>
    public double StepSize { get; init; }

    /// <summary>Steps of each start; above 0.</summary>
    public int Steps { get; init; } = 20;

    /// <summary>Starts; above 0. Each row keeps the start that ends with the largest margin against it.</summary>
    public int Restarts { get; init; } = 1;

    /// <summary>False: the first start is the row itself and only the others are random points of the ball.</summary>
    public bool RandomStart { get; init; }

    /// <summary>What is climbed; null for the log loss that fits the network.</summary>
    public Loss? Loss { get; init; }

    /// <summary>Names the random starts.</summary>
    public ulong Seed { get; init; }

    /// <summary>Perturbs each row of encoded inputs.</summary>
    /// <param name="network">The network under attack.</param>
    /// <param name="inputs">Shape (rows, Inputs), values in [0, 1].</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="mutable">Shape (Inputs): which values may move; empty for all.</param>
    /// <param name="adversarial">Shape (rows, Inputs); overwritten with each row's strongest end point.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">A length does not fit or a setting is out of its range.</exception>
    public void Run<T>(DenseNetwork<T> network, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<bool> mutable, Span<T> adversarial)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Restarts, 1);
        var width = network.Shape.Inputs;
        if (inputs.Length != labels.Length * width || adversarial.Length != inputs.Length || (!mutable.IsEmpty && mutable.Length != width))
            throw new ArgumentException($"{inputs.Length} inputs, {adversarial.Length} outputs and {mutable.Length} mutable flags do not fit {labels.Length} rows of {width}.", nameof(inputs));
        var gradients = new NetworkGradients<T>(network, int.Clamp(labels.Length, 1, BatchRows));
        for (var at = 0; at < labels.Length; at += gradients.MaxRows)
        {
            var count = int.Min(gradients.MaxRows, labels.Length - at);
            RunBatch(gradients, network.Shape, inputs.Slice(at * width, count * width), labels.Slice(at, count), mutable, adversarial.Slice(at * width, count * width), at);
        }
    }

    private void RunBatch<T>(NetworkGradients<T> gradients, NetworkShape shape, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<bool> mutable, Span<T> best, int firstRow)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var ball = new PerturbationBall<T>(Norm, T.CreateTruncating(Epsilon), mutable);
        var margins = new T[labels.Length];
        var bestMargins = new T[labels.Length];
        var points = new T[inputs.Length];
        for (var restart = 0; restart < Restarts; restart++)
        {
            inputs.CopyTo(points);
            if (restart > 0 || RandomStart)
                RandomStarts.Scatter(ball, inputs, points, shape.Inputs, Seed + ((ulong)restart << 40) + (ulong)firstRow);
            Climb(gradients, shape, ball, inputs, labels, points);
            var logits = gradients.Forward(points, labels.Length);
            LossFunction.Evaluate(Networks.Loss.Margin, logits, labels, shape.Outputs, margins, []);
            for (var row = 0; row < labels.Length; row++)
            {
                if (restart > 0 && !(margins[row] > bestMargins[row]))
                    continue;
                bestMargins[row] = margins[row];
                points.AsSpan(row * shape.Inputs, shape.Inputs).CopyTo(best[(row * shape.Inputs)..]);
            }
        }
    }

    private void Climb<T>(NetworkGradients<T> gradients, NetworkShape shape, PerturbationBall<T> ball, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, Span<T> points)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var step = T.CreateTruncating(StepSize > 0 ? StepSize : 2.5 * Epsilon / Steps);
        var gradient = new T[inputs.Length];
        var loss = Loss ?? LossFunction.LogLoss(shape.Outputs);
        for (var i = 0; i < Steps; i++)
        {
            gradients.InputGradient(points, labels, loss, gradient);
            for (var at = 0; at < inputs.Length; at += shape.Inputs)
            {
                var direction = gradient.AsSpan(at, shape.Inputs);
                var point = points.Slice(at, shape.Inputs);
                ball.Mask(direction);
                Move(direction, step, point);
                ball.Project(inputs.Slice(at, shape.Inputs), point);
            }
        }
    }

    private void Move<T>(Span<T> direction, T step, Span<T> point)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (Norm == PerturbationNorm.Linf)
        {
            for (var j = 0; j < point.Length; j++)
                point[j] += direction[j] > T.Zero ? step : direction[j] < T.Zero ? -step : T.Zero;
            return;
        }

        var length = TensorPrimitives.Norm<T>(direction);
        if (length > T.Zero)
            TensorPrimitives.MultiplyAdd<T>(direction, step / length, point, point);
    }
}
