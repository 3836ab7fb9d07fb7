using System.Numerics;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Projected gradient descent in the largest-change norm that chooses its own steps: momentum, halved where it stops gaining, restarted from the best point.</summary>
/// <remarks>Source: Croce and Hein, "Reliable evaluation of adversarial robustness", ICML 2020, Algorithm 1 (arXiv:2003.01690). No random start: deterministic. Immutable and thread-safe.</remarks>
public sealed record AutoProjectedGradientDescent
{
    private const int BatchRows = 528;

    /// <summary>Largest change of a value, in encoded units; finite and at least 0.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Steps; above 0.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>Share of steps that must gain for the step size to stay.</summary>
    public double Rho { get; init; } = 0.75;

    /// <summary>What is climbed; null for the log loss that fits the network.</summary>
    public Loss? Loss { get; init; }

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
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 1);
        var width = network.Shape.Inputs;
        if (inputs.Length != labels.Length * width || adversarial.Length != inputs.Length || (!mutable.IsEmpty && mutable.Length != width))
            throw new ArgumentException($"{inputs.Length} inputs, {adversarial.Length} outputs and {mutable.Length} mutable flags do not fit {labels.Length} rows of {width}.", nameof(inputs));
        var gradients = new NetworkGradients<T>(network, int.Clamp(labels.Length, 1, BatchRows));
        for (var at = 0; at < labels.Length; at += gradients.MaxRows)
        {
            var count = int.Min(gradients.MaxRows, labels.Length - at);
            var state = new AutoStepState<T>(this, gradients, network.Shape, inputs.Slice(at * width, count * width).ToArray(), labels.Slice(at, count).ToArray(), mutable.ToArray());
            state.Run();
            state.CopyStrongest(adversarial.Slice(at * width, count * width));
            if (!bestPoints.IsEmpty)
                state.BestPoints.CopyTo(bestPoints[(at * width)..]);
            if (!bestLosses.IsEmpty)
                state.BestLosses.CopyTo(bestLosses[at..]);
            if (!broken.IsEmpty)
                state.Broken.CopyTo(broken[at..]);
        }
    }

    /// <summary>Number of steps of each period between checks: the first 22 % of all, then 3 % less each time, at least 6 %.</summary>
    internal IEnumerable<int> Periods()
    {
        var (period, least, shrink) = (int.Max((int)(0.22 * Steps), 1), int.Max((int)(0.06 * Steps), 1), int.Max((int)(0.03 * Steps), 1));
        while (true)
        {
            yield return period;
            period = int.Max(period - shrink, least);
        }
    }
}
