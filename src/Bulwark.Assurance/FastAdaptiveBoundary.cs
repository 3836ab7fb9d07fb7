using System.Numerics;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Looks for the nearest misclassified point: steps onto the linearised boundary within the box, pulled back towards the original.</summary>
/// <remarks>
/// Source: Croce and Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020, Algorithm 1 (arXiv:1907.02044),
/// targeted as in AutoAttack; without its final line search. Works with two classes. No random start: deterministic. Immutable and thread-safe.
/// </remarks>
public sealed record FastAdaptiveBoundary
{
    private const double Overshoot = 1.05;
    private const double LargestPull = 0.1;
    private const double StepBack = 0.9;

    /// <summary>How distance is measured.</summary>
    public PerturbationNorm Norm { get; init; }

    /// <summary>Steps; above 0.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>Perturbs each row.</summary>
    /// <param name="model">The model under attack.</param>
    /// <param name="inputs">Shape (rows, Inputs), values in [0, 1].</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="targets">Shape (rows): the class whose boundary is looked for.</param>
    /// <param name="mutable">Shape (Inputs): which values may move; empty for all.</param>
    /// <param name="adversarial">Shape (rows, Inputs); overwritten with the nearest misclassified point, or with the row where none was found.</param>
    /// <param name="distances">Shape (rows); overwritten: how far that point is; infinite where none was found, 0 where the row is misclassified as it is.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public void Run<T>(
        IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<int> targets, ReadOnlySpan<bool> mutable, Span<T> adversarial, Span<T> distances)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 1);
        if (inputs.Length != labels.Length * model.Inputs || adversarial.Length != inputs.Length || targets.Length != labels.Length || distances.Length != labels.Length)
            throw new ArgumentException($"{inputs.Length} inputs do not fit {labels.Length} rows of {model.Inputs}.", nameof(inputs));
        inputs.CopyTo(adversarial);
        distances.Fill(T.PositiveInfinity);
        var width = model.Inputs;
        for (var at = 0; at < labels.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, labels.Length - at);
            RunBatch(model, inputs.Slice(at * width, count * width), labels.Slice(at, count), targets.Slice(at, count), mutable, adversarial.Slice(at * width, count * width), distances.Slice(at, count));
        }
    }

    private void RunBatch<T>(
        IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<int> targets, ReadOnlySpan<bool> mutable, Span<T> adversarial, Span<T> distances)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (width, outputs) = (model.Inputs, model.Outputs);
        var (points, gradient, leads, outputGradient) = (inputs.ToArray(), new T[inputs.Length], new T[labels.Length], new T[labels.Length * outputs]);
        var plane = new HyperplaneStep<T>(Norm, width, mutable.ToArray());
        for (var step = 0; step <= Steps; step++)
        {
            var logits = model.Forward(points, labels.Length);
            for (var row = 0; row < labels.Length; row++)
            {
                var one = logits.Slice(row * outputs, outputs);
                leads[row] = AttackObjective.Lead(one, labels[row], targets[row], outputGradient.AsSpan(row * outputs, outputs));
                if (LossFunction.Predict(one) != labels[row])
                    Found(row, inputs.Slice(row * width, width), points.AsSpan(row * width, width), adversarial.Slice(row * width, width), distances);
            }

            if (step == Steps)
                return;
            model.Backward(outputGradient, gradient);
            for (var row = 0; row < labels.Length; row++)
            {
                // Rows that were wrong untouched stay where they are.
                if (distances[row] > T.Zero)
                    plane.Move(inputs.Slice(row * width, width), points.AsSpan(row * width, width), gradient.AsSpan(row * width, width), leads[row], T.CreateTruncating(Overshoot), T.CreateTruncating(LargestPull));
            }
        }
    }

    /// <summary>Keeps a misclassified point that is nearer than all before; the search goes on a tenth closer to the original.</summary>
    private void Found<T>(int row, ReadOnlySpan<T> original, Span<T> point, Span<T> adversarial, Span<T> distances)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var distance = PerturbationBall<T>.Distance(Norm, point, original);
        if (distance < distances[row])
        {
            distances[row] = distance;
            point.CopyTo(adversarial);
        }

        for (var j = 0; j < point.Length; j++)
            point[j] = original[j] + ((point[j] - original[j]) * T.CreateTruncating(StepBack));
    }
}
