using System.Numerics;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Projected gradient descent that chooses its own steps: momentum, halved where it stops gaining, restarted from the best point.</summary>
/// <remarks>
/// Source: Croce and Hein, "Reliable evaluation of adversarial robustness", ICML 2020, Algorithm 1 (arXiv:2003.01690); in L1 the sparse steps of
/// "Mind the Box", ICML 2021, Algorithm 1 (arXiv:2103.01208), without that paper's start from larger balls. Deterministic: a random start is drawn
/// from the seed and the row's values. Immutable and thread-safe.
/// </remarks>
public sealed record AutoProjectedGradientDescent
{
    /// <summary>How distance is measured.</summary>
    public PerturbationNorm Norm { get; init; }

    /// <summary>Largest distance, in encoded units; finite and at least 0.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Steps; above 0.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>Share of steps that must gain for the step size to stay.</summary>
    public double Rho { get; init; } = 0.75;

    /// <summary>What is climbed; null for the log loss that fits the network.</summary>
    public Loss? Loss { get; init; }

    /// <summary>Shrinks a row's logits until none exceeds 10 before the log loss is taken: a saturated model then still has a gradient.</summary>
    public bool Rescaled { get; init; }

    /// <summary>False: the start is the row itself.</summary>
    public bool RandomStart { get; init; }

    /// <summary>Names the random start.</summary>
    public ulong Seed { get; init; }

    /// <summary>Only which rows fall is wanted: a row's climb ends where it is clearly misclassified, or towards a target that <see cref="ClimbEnds"/> rules out.</summary>
    internal bool VerdictOnly { get; init; }

    /// <summary>Told of each climb that <see cref="ClimbEnds.Hopeless"/> ended: the row's index and its target.</summary>
    internal Action<int, int>? RuledOut { get; init; }

    /// <summary>Perturbs each row of encoded inputs.</summary>
    /// <param name="network">The network under attack.</param>
    /// <param name="inputs">Shape (rows, Inputs), values in [0, 1].</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="mutable">Shape (Inputs): which values may move; empty for all.</param>
    /// <param name="adversarial">Shape (rows, Inputs); overwritten: the point of the highest loss, or a misclassified one where only another was misclassified.</param>
    /// <param name="bestLosses">Shape (rows), or empty when not wanted: highest loss met.</param>
    /// <param name="broken">Shape (rows), or empty when not wanted: whether any point was misclassified, the original included.</param>
    /// <param name="bestPoints">Shape (rows, Inputs), or empty when not wanted: the point of the highest loss, misclassified or not.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public void Run<T>(
        DenseNetwork<T> network, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<bool> mutable, Span<T> adversarial, Span<T> bestLosses = default, Span<bool> broken = default, Span<T> bestPoints = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(network);
        Run(new DifferentiableNetwork<T>(network, labels.Length), inputs, labels, [], mutable, adversarial, bestLosses, broken, bestPoints);
    }

    /// <summary>As the other <c>Run</c>, on any model with gradients, towards given classes where there are <paramref name="targets"/>.</summary>
    /// <param name="model">The model under attack.</param>
    /// <param name="inputs">Shape (rows, Inputs), values in [0, 1].</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="targets">Shape (rows): the class to reach, not the label; empty to leave the label in any direction.</param>
    /// <param name="mutable">Shape (Inputs): which values may move; empty for all.</param>
    /// <param name="adversarial">Shape (rows, Inputs); overwritten.</param>
    /// <param name="bestLosses">Shape (rows), or empty.</param>
    /// <param name="broken">Shape (rows), or empty: whether any point was misclassified, as whatever class.</param>
    /// <param name="bestPoints">Shape (rows, Inputs), or empty.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public void Run<T>(
        IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<int> targets, ReadOnlySpan<bool> mutable, Span<T> adversarial, Span<T> bestLosses = default, Span<bool> broken = default, Span<T> bestPoints = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 1);
        var width = model.Inputs;
        if (inputs.Length != labels.Length * width || adversarial.Length != inputs.Length || (!mutable.IsEmpty && mutable.Length != width) || (!targets.IsEmpty && targets.Length != labels.Length))
            throw new ArgumentException($"{inputs.Length} inputs, {adversarial.Length} outputs and {mutable.Length} mutable flags do not fit {labels.Length} rows of {width}.", nameof(inputs));
        for (var at = 0; at < labels.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, labels.Length - at);
            int[] towards = targets.IsEmpty ? [] : targets.Slice(at, count).ToArray();
            var state = new AutoStepState<T>(this, model, inputs.Slice(at * width, count * width).ToArray(), labels.Slice(at, count).ToArray(), towards, mutable.ToArray());
            state.Run();
            for (var row = 0; row < towards.Length; row++)
            {
                if (state.RuledOut[row])
                    RuledOut?.Invoke(at + row, towards[row]);
            }

            state.CopyStrongest(adversarial.Slice(at * width, count * width));
            if (!bestPoints.IsEmpty)
                state.BestPoints.CopyTo(bestPoints[(at * width)..]);
            if (!bestLosses.IsEmpty)
                state.BestLosses.CopyTo(bestLosses[at..]);
            if (!broken.IsEmpty)
                state.Broken.CopyTo(broken[at..]);
        }
    }

    /// <summary>Number of steps of each period between checks: the first 22 % of all, then 3 % less each time, at least 6 %; in L1 always 4 %.</summary>
    internal IEnumerable<int> Periods()
    {
        if (Norm == PerturbationNorm.L1)
        {
            while (true)
                yield return int.Max((int)(0.04 * Steps), 1);
        }

        var (period, least, shrink) = (int.Max((int)(0.22 * Steps), 1), int.Max((int)(0.06 * Steps), 1), int.Max((int)(0.03 * Steps), 1));
        while (true)
        {
            yield return period;
            period = int.Max(period - shrink, least);
        }
    }
}
