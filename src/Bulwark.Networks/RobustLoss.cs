using System.Numerics;
using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

/// <summary>Losses that join a row's logits with those of its moved copy, and their derivatives by both.</summary>
/// <remarks>All are means over the rows. One logit z stands for the two logits (0, z).</remarks>
public static class RobustLoss
{
    /// <summary>Cross entropy of the clean rows plus <paramref name="weight"/> times KL(clean ‖ moved).</summary>
    /// <remarks>Source: Zhang et al., "Theoretically Principled Trade-off between Robustness and Accuracy", ICML 2019, equation 5 (arXiv:1901.08573); both sides are differentiated.</remarks>
    /// <param name="clean">Shape (rows, outputs): logits of the rows.</param>
    /// <param name="moved">Shape (rows, outputs): logits of the moved rows.</param>
    /// <param name="labels">Shape (rows): the class, from 0.</param>
    /// <param name="outputs">Number of logits in a row.</param>
    /// <param name="weight">β; at least 0.</param>
    /// <param name="cleanGradient">Shape (rows, outputs): derivative of the mean; overwritten.</param>
    /// <param name="movedGradient">Shape (rows, outputs): derivative of the mean; overwritten.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <returns>The mean loss.</returns>
    /// <exception cref="ArgumentException">A length does not fit, or a label names no class.</exception>
    public static T Trades<T>(ReadOnlySpan<T> clean, ReadOnlySpan<T> moved, ReadOnlySpan<int> labels, int outputs, T weight, Span<T> cleanGradient, Span<T> movedGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(clean, moved, labels, outputs, cleanGradient, movedGradient);
        var total = T.Zero;
        var rows = new RowPair<T>(outputs);
        for (var row = 0; row < labels.Length; row++)
        {
            rows.Load(clean, moved, row);
            var (p, q) = (rows.Clean, rows.Moved);
            var divergence = rows.Divergence();
            total += (weight * divergence) - rows.LogClean[labels[row]];
            for (var k = 0; k < p.Length; k++)
            {
                rows.CleanGradient[k] = p[k] - (k == labels[row] ? T.One : T.Zero) + (weight * p[k] * (rows.LogClean[k] - rows.LogMoved[k] - divergence));
                rows.MovedGradient[k] = weight * (q[k] - p[k]);
            }

            rows.Store(row, T.One / T.CreateTruncating(labels.Length), cleanGradient, movedGradient);
        }

        return total / T.CreateTruncating(labels.Length);
    }

    /// <summary>Boosted cross entropy of the moved rows plus <paramref name="weight"/> times KL(clean ‖ moved) · (1 − probability of the label on the clean row).</summary>
    /// <remarks>
    /// Source: Wang et al., "Improving Adversarial Robustness Requires Revisiting Misclassified Examples", ICLR 2020, equation 11; the constants that keep logarithms
    /// finite (1.0001, 1e-12, 1.0000001) are those of its authors' published code.
    /// </remarks>
    /// <inheritdoc cref="Trades{T}"/>
    public static T Mart<T>(ReadOnlySpan<T> clean, ReadOnlySpan<T> moved, ReadOnlySpan<int> labels, int outputs, T weight, Span<T> cleanGradient, Span<T> movedGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Check(clean, moved, labels, outputs, cleanGradient, movedGradient);
        var (tiny, above, whole) = (T.CreateTruncating(1e-12), T.CreateTruncating(1.0001), T.CreateTruncating(1.0000001));
        var total = T.Zero;
        var rows = new RowPair<T>(outputs);
        for (var row = 0; row < labels.Length; row++)
        {
            rows.Load(clean, moved, row);
            var (p, q, label) = (rows.Clean, rows.Moved, labels[row]);
            var other = rows.LargestOther(label);
            var divergence = T.Zero;
            for (var k = 0; k < p.Length; k++)
                divergence += p[k] * (rows.LogClean[k] - T.Log(q[k] + tiny));
            var doubt = whole - p[label];
            total += -rows.LogMoved[label] - T.Log(above - q[other] + tiny) + (weight * divergence * doubt);
            var boost = q[other] / (above - q[other] + tiny);
            var ratios = T.Zero;
            for (var k = 0; k < p.Length; k++)
                ratios += p[k] * q[k] / (q[k] + tiny);
            for (var k = 0; k < p.Length; k++)
            {
                var here = p[k] * (rows.LogClean[k] - T.Log(q[k] + tiny) - divergence);
                rows.CleanGradient[k] = weight * ((doubt * here) - (divergence * p[label] * ((k == label ? T.One : T.Zero) - p[k])));
                rows.MovedGradient[k] = q[k] - (k == label ? T.One : T.Zero) + (boost * ((k == other ? T.One : T.Zero) - q[k]))
                    - (weight * doubt * ((p[k] * q[k] / (q[k] + tiny)) - (q[k] * ratios)));
            }

            rows.Store(row, T.One / T.CreateTruncating(labels.Length), cleanGradient, movedGradient);
        }

        return total / T.CreateTruncating(labels.Length);
    }

    /// <summary>Each row's KL(clean ‖ moved) and its derivative by the moved row's logits: what an attacker of <see cref="Trades{T}"/> climbs.</summary>
    /// <param name="clean">Shape (rows, outputs).</param>
    /// <param name="moved">Shape (rows, outputs).</param>
    /// <param name="outputs">Number of logits in a row.</param>
    /// <param name="losses">Shape (rows), or empty when not wanted; overwritten.</param>
    /// <param name="movedGradient">Shape (rows, outputs); overwritten.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Divergence<T>(ReadOnlySpan<T> clean, ReadOnlySpan<T> moved, int outputs, Span<T> losses, Span<T> movedGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        var count = clean.Length / outputs;
        Fits.Rows(clean.Length, count, outputs, nameof(clean));
        Fits.Length(moved.Length, clean.Length, nameof(moved));
        Fits.Length(movedGradient.Length, clean.Length, nameof(movedGradient));
        if (!losses.IsEmpty)
            Fits.Length(losses.Length, count, nameof(losses));
        var rows = new RowPair<T>(outputs);
        for (var row = 0; row < count; row++)
        {
            rows.Load(clean, moved, row);
            if (!losses.IsEmpty)
                losses[row] = rows.Divergence();
            for (var k = 0; k < rows.Moved.Length; k++)
                rows.MovedGradient[k] = rows.Moved[k] - rows.Clean[k];
            rows.Store(row, T.One, [], movedGradient);
        }
    }

    private static void Check<T>(ReadOnlySpan<T> clean, ReadOnlySpan<T> moved, ReadOnlySpan<int> labels, int outputs, Span<T> cleanGradient, Span<T> movedGradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        if (labels.IsEmpty)
            throw new ArgumentException("A mean needs at least one row.", nameof(labels));
        Fits.Rows(clean.Length, labels.Length, outputs, nameof(clean));
        Fits.Length(moved.Length, clean.Length, nameof(moved));
        Fits.Length(cleanGradient.Length, clean.Length, nameof(cleanGradient));
        Fits.Length(movedGradient.Length, clean.Length, nameof(movedGradient));
        foreach (var label in labels)
        {
            if ((uint)label >= (uint)int.Max(2, outputs))
                throw new ArgumentException($"The label {label} names none of {int.Max(2, outputs)} classes.", nameof(labels));
        }
    }

    /// <summary>One row's probabilities on both sides, and the gradients on their way out.</summary>
    private sealed class RowPair<T>(int outputs)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        internal T[] Clean { get; } = new T[int.Max(2, outputs)];

        internal T[] Moved { get; } = new T[int.Max(2, outputs)];

        internal T[] LogClean { get; } = new T[int.Max(2, outputs)];

        internal T[] LogMoved { get; } = new T[int.Max(2, outputs)];

        internal T[] CleanGradient { get; } = new T[int.Max(2, outputs)];

        internal T[] MovedGradient { get; } = new T[int.Max(2, outputs)];

        internal void Load(ReadOnlySpan<T> clean, ReadOnlySpan<T> moved, int row)
        {
            LogSoftmax(clean.Slice(row * outputs, outputs), LogClean, Clean);
            LogSoftmax(moved.Slice(row * outputs, outputs), LogMoved, Moved);
        }

        internal T Divergence()
        {
            var sum = T.Zero;
            for (var k = 0; k < Clean.Length; k++)
                sum += Clean[k] * (LogClean[k] - LogMoved[k]);
            return sum;
        }

        internal int LargestOther(int label)
        {
            var best = label == 0 ? 1 : 0;
            for (var k = best + 1; k < Moved.Length; k++)
            {
                if (k != label && Moved[k] > Moved[best])
                    best = k;
            }

            return best;
        }

        internal void Store(int row, T scale, Span<T> cleanGradient, Span<T> movedGradient)
        {
            for (var k = 0; k < outputs; k++)
            {
                var from = outputs == 1 ? 1 : k;
                if (!cleanGradient.IsEmpty)
                    cleanGradient[(row * outputs) + k] = scale * CleanGradient[from];
                movedGradient[(row * outputs) + k] = scale * MovedGradient[from];
            }
        }

        private static void LogSoftmax(ReadOnlySpan<T> logits, T[] logs, T[] probabilities)
        {
            if (logits.Length == 1)
                (logs[0], logs[1]) = (T.Zero, logits[0]);
            else
                logits.CopyTo(logs);
            var largest = logs[0];
            foreach (var value in logs)
                largest = T.Max(largest, value);
            var sum = T.Zero;
            foreach (var value in logs)
                sum += T.Exp(value - largest);
            var log = largest + T.Log(sum);
            for (var k = 0; k < logs.Length; k++)
            {
                logs[k] -= log;
                probabilities[k] = T.Exp(logs[k]);
            }
        }
    }
}
