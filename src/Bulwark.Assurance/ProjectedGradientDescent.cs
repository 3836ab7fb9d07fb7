using System.Numerics;
using System.Numerics.Tensors;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Steps along the gradient, each followed by a projection into the ball around the original.</summary>
/// <remarks>
/// Source: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1 (arXiv:1706.06083); in L1 along the
/// twentieth of largest derivatives (Tramèr and Boneh, NeurIPS 2019, section 3.2, arXiv:1904.13000). Immutable and thread-safe.
/// </remarks>
public sealed record ProjectedGradientDescent
{
    private const double SparseShare = 0.05;

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
        Run(new DifferentiableNetwork<T>(network, labels.Length), inputs, labels, mutable, adversarial);
    }

    /// <summary>As the other <c>Run</c>, on any model with gradients.</summary>
    /// <param name="model">The model under attack.</param>
    /// <param name="inputs">Shape (rows, Inputs), values in [0, 1].</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="mutable">Shape (Inputs): which values may move; empty for all.</param>
    /// <param name="adversarial">Shape (rows, Inputs); overwritten with each row's strongest end point.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">A length does not fit or a setting is out of its range.</exception>
    public void Run<T>(IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<bool> mutable, Span<T> adversarial)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(Restarts, 1);
        var width = model.Inputs;
        if (inputs.Length != labels.Length * width || adversarial.Length != inputs.Length || (!mutable.IsEmpty && mutable.Length != width))
            throw new ArgumentException($"{inputs.Length} inputs, {adversarial.Length} outputs and {mutable.Length} mutable flags do not fit {labels.Length} rows of {width}.", nameof(inputs));
        for (var at = 0; at < labels.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, labels.Length - at);
            RunBatch(model, inputs.Slice(at * width, count * width), labels.Slice(at, count), mutable, adversarial.Slice(at * width, count * width));
        }
    }

    private void RunBatch<T>(IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<bool> mutable, Span<T> best)
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
                RandomStarts.Scatter(ball, inputs, points, model.Inputs, Seed + ((ulong)restart << 40));
            Climb(model, ball, inputs, labels, points);
            var logits = model.Forward(points, labels.Length);
            LossFunction.Evaluate(Networks.Loss.Margin, logits, labels, model.Outputs, margins, []);
            for (var row = 0; row < labels.Length; row++)
            {
                if (restart > 0 && !(margins[row] > bestMargins[row]))
                    continue;
                bestMargins[row] = margins[row];
                points.AsSpan(row * model.Inputs, model.Inputs).CopyTo(best[(row * model.Inputs)..]);
            }
        }
    }

    private void Climb<T>(IDifferentiableModel<T> model, PerturbationBall<T> ball, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, Span<T> points)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var step = T.CreateTruncating(StepSize > 0 ? StepSize : 2.5 * Epsilon / Steps);
        var (gradient, losses, outputGradient, magnitudes) = (new T[inputs.Length], new T[labels.Length], new T[labels.Length * model.Outputs], new T[model.Inputs]);
        var objective = new AttackObjective(Loss);
        for (var i = 0; i < Steps; i++)
        {
            objective.Evaluate(model.Forward(points, labels.Length), labels, [], model.Outputs, losses, outputGradient);
            model.Backward(outputGradient, gradient);
            for (var at = 0; at < inputs.Length; at += model.Inputs)
            {
                var direction = gradient.AsSpan(at, model.Inputs);
                var point = points.Slice(at, model.Inputs);
                ball.Mask(direction);
                Move(direction, step, point, magnitudes);
                ball.Project(inputs.Slice(at, model.Inputs), point);
            }
        }
    }

    private void Move<T>(Span<T> direction, T step, Span<T> point, Span<T> magnitudes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (Norm)
        {
            case PerturbationNorm.Linf:
                StepKernels.AddSigns(direction, step, point);
                return;
            case PerturbationNorm.L2:
                var length = TensorPrimitives.Norm<T>(direction);
                if (length > T.Zero)
                    TensorPrimitives.MultiplyAdd<T>(direction, step / length, point, point);
                return;
            default:
                TensorPrimitives.Abs(direction, magnitudes);
                magnitudes.Sort();
                var count = int.Max(1, (int)(SparseShare * point.Length));
                var least = magnitudes[^count];
                for (var j = 0; j < point.Length; j++)
                {
                    if (T.Abs(direction[j]) >= least && direction[j] != T.Zero)
                        point[j] += step / T.CreateTruncating(count) * T.CreateTruncating(T.Sign(direction[j]));
                }

                return;
        }
    }
}
