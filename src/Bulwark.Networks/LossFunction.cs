using System.Buffers;
using System.Numerics;
using System.Numerics.Tensors;
using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

/// <summary>Losses of rows of logits and their derivatives.</summary>
public static class LossFunction
{
    /// <summary>Whether <paramref name="loss"/> is defined for that many logits.</summary>
    /// <param name="loss">The loss.</param>
    /// <param name="outputs">Number of logits in a row.</param>
    public static bool Supports(Loss loss, int outputs) => loss switch
    {
        Loss.Logistic => outputs == 1,
        Loss.SoftmaxCrossEntropy => outputs >= 2,
        Loss.Margin => outputs >= 1,
        Loss.Dlr => outputs >= 3,
        _ => false,
    };

    /// <summary>The log loss that fits the number of logits: logistic for one, softmax cross entropy for more.</summary>
    /// <param name="outputs">Number of logits in a row.</param>
    public static Loss LogLoss(int outputs) => outputs == 1 ? Loss.Logistic : Loss.SoftmaxCrossEntropy;

    /// <summary>The class that a row of logits stands for: the largest logit, the first of equals; with one logit, 1 when it is above 0.</summary>
    /// <param name="logits">One row.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    public static int Predict<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (logits.Length == 1)
            return logits[0] > T.Zero ? 1 : 0;
        var best = 0;
        for (var k = 1; k < logits.Length; k++)
        {
            if (logits[k] > logits[best])
                best = k;
        }

        return best;
    }

    /// <summary>Each row's loss and its derivative by the row's logits.</summary>
    /// <param name="loss">The loss.</param>
    /// <param name="logits">Shape (rows, outputs).</param>
    /// <param name="labels">Shape (rows): the class, from 0.</param>
    /// <param name="outputs">Number of logits in a row.</param>
    /// <param name="losses">Shape (rows), or empty when not wanted; overwritten.</param>
    /// <param name="gradient">Shape (rows, outputs), or empty when not wanted; overwritten.</param>
    /// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">A length does not fit, a label names no class, or the loss is not defined for so many logits.</exception>
    public static void Evaluate<T>(Loss loss, ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, int outputs, Span<T> losses, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (!Supports(loss, outputs))
            throw new ArgumentException($"The loss {loss} is not defined for {outputs} logits.", nameof(loss));
        Fits.Rows(logits.Length, labels.Length, outputs, nameof(logits));
        if (!losses.IsEmpty)
            Fits.Length(losses.Length, labels.Length, nameof(losses));
        if (!gradient.IsEmpty)
            Fits.Length(gradient.Length, logits.Length, nameof(gradient));
        foreach (var label in labels)
        {
            if ((uint)label >= (uint)int.Max(2, outputs))
                throw new ArgumentException($"The label {label} names none of {int.Max(2, outputs)} classes.", nameof(labels));
        }

        if (gradient.IsEmpty || losses.IsEmpty)
            EvaluateInto(loss, logits, labels, outputs, losses, gradient);
        else
            EvaluateBoth(loss, logits, labels, outputs, losses, gradient);
    }

    private static void EvaluateInto<T>(Loss loss, ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, int outputs, Span<T> losses, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var scratch = ArrayPool<T>.Shared.Rent(logits.Length + labels.Length);
        EvaluateBoth(
            loss,
            logits,
            labels,
            outputs,
            losses.IsEmpty ? scratch.AsSpan(logits.Length, labels.Length) : losses,
            gradient.IsEmpty ? scratch.AsSpan(0, logits.Length) : gradient);
        ArrayPool<T>.Shared.Return(scratch);
    }

    private static void EvaluateBoth<T>(Loss loss, ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, int outputs, Span<T> losses, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (loss)
        {
            case Loss.Logistic:
                Logistic(logits, labels, losses, gradient);
                return;
            case Loss.SoftmaxCrossEntropy:
                Softmax(logits, labels, outputs, losses, gradient);
                return;
            case Loss.Margin:
                for (var row = 0; row < labels.Length; row++)
                    losses[row] = Margin(logits.Slice(row * outputs, outputs), labels[row], gradient.Slice(row * outputs, outputs));
                return;
            default:
                for (var row = 0; row < labels.Length; row++)
                    losses[row] = Dlr(logits.Slice(row * outputs, outputs), labels[row], gradient.Slice(row * outputs, outputs));
                return;
        }
    }

    private static void Logistic<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, Span<T> losses, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        TensorPrimitives.Abs(logits, gradient);
        TensorPrimitives.Negate(gradient, gradient);
        Exponential(gradient);   // e = exp(-|z|), never overflows
        for (var row = 0; row < labels.Length; row++)
        {
            var towards = labels[row] == 1 ? logits[row] : -logits[row];
            var e = gradient[row];
            var wrong = (towards > T.Zero ? e : T.One) / (T.One + e);   // probability of the other class, exact to the last digits however small
            losses[row] = LogOnePlus(e) + T.Max(-towards, T.Zero);
            gradient[row] = labels[row] == 1 ? -wrong : wrong;
        }
    }

    private static void Softmax<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, int outputs, Span<T> losses, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // losses first holds each row's largest logit; plain loops, for rows are short
        for (int row = 0, at = 0; row < labels.Length; row++, at += outputs)
        {
            var largest = logits[at];
            for (var k = at + 1; k < at + outputs; k++)
                largest = T.Max(largest, logits[k]);
            losses[row] = largest;
            for (var k = at; k < at + outputs; k++)
                gradient[k] = logits[k] - largest;
        }

        Exponential(gradient);
        for (int row = 0, at = 0; row < labels.Length; row++, at += outputs)
        {
            var label = at + labels[row];
            var sum = T.Zero;
            for (var k = at; k < at + outputs; k++)
                sum += gradient[k];
            gradient[label] = T.Zero;   // instead of a branch that no processor foresees
            var wrong = T.Zero;
            for (var k = at; k < at + outputs; k++)
                wrong += gradient[k];

            // The loss rounds as everyone's does: attacks that compare losses then break ties alike. The gradient, -wrong/sum, keeps
            // its digits where the label leads; p - 1 would lose them and stop an attack.
            var inverse = T.One / sum;
            losses[row] = T.Log(sum) + (losses[row] - logits[label]);
            for (var k = at; k < at + outputs; k++)
                gradient[k] *= inverse;
            gradient[label] = -wrong * inverse;
        }
    }

    /// <summary>In place. Short spans are lengthened, for the library takes another formula below a vector's length and a row's bits would depend on its batch.</summary>
    private static void Exponential<T>(Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const int Enough = 16;
        if (values.Length >= Enough)
        {
            TensorPrimitives.Exp<T>(values, values);
            return;
        }

        Span<T> longer = stackalloc T[Enough];
        longer.Clear();
        values.CopyTo(longer);
        TensorPrimitives.Exp<T>(longer, longer);
        longer[..values.Length].CopyTo(values);
    }

    /// <summary>log(1 + x) that keeps its digits for small x. Source: Kahan's formula, in Goldberg, "What every computer scientist should know about floating-point arithmetic", theorem 4.</summary>
    private static T LogOnePlus<T>(T x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sum = T.One + x;
        return sum == T.One ? x : T.Log(sum) * x / (sum - T.One);
    }

    private static T Margin<T>(ReadOnlySpan<T> logits, int label, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (logits.Length == 1)
        {
            gradient[0] = label == 1 ? -T.One : T.One;
            return gradient[0] * logits[0];
        }

        var rival = LargestBut(logits, label);
        gradient.Clear();
        gradient[rival] = T.One;
        gradient[label] = -T.One;
        return logits[rival] - logits[label];
    }

    private static T Dlr<T>(ReadOnlySpan<T> logits, int label, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var first = Predict(logits);
        var second = LargestBut(logits, first);
        var third = first == 0 ? (second == 1 ? 2 : 1) : second == 0 ? (first == 1 ? 2 : 1) : 0;
        for (var k = 0; k < logits.Length; k++)
        {
            if (k != first && k != second && logits[k] > logits[third])
                third = k;
        }

        var rival = label == first ? second : first;
        var lead = logits[label] - logits[rival];
        var scale = logits[first] - logits[third] + T.CreateTruncating(1e-12);
        gradient.Clear();
        gradient[label] -= T.One / scale;
        gradient[rival] += T.One / scale;
        gradient[first] += lead / (scale * scale);
        gradient[third] -= lead / (scale * scale);
        return -lead / scale;
    }

    private static int LargestBut<T>(ReadOnlySpan<T> logits, int excluded)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var best = excluded == 0 ? 1 : 0;
        for (var k = best + 1; k < logits.Length; k++)
        {
            if (k != excluded && logits[k] > logits[best])
                best = k;
        }

        return best;
    }
}
