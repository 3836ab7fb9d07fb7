using System.Numerics;
using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>What an attack climbs: a loss against the label, or towards a target class.</summary>
/// <param name="Loss">Untargeted: null for the log loss that fits the logits. Targeted: of no meaning.</param>
/// <param name="Rescaled">Shrinks a row's logits until none exceeds 10, so that a saturated log loss keeps a gradient.</param>
/// <remarks>
/// Targeted with at least 4 logits: -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2 + 1e-12) (Croce and Hein, ICML 2020, equation 7, arXiv:2003.01690);
/// with fewer: z_t - z_y, defined for two classes, where that ratio is not.
/// </remarks>
internal readonly record struct AttackObjective(Loss? Loss, bool Rescaled = false)
{
    private const double LargestLogit = 10;

    internal void Evaluate<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, ReadOnlySpan<int> targets, int outputs, Span<T> losses, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (targets.IsEmpty)
        {
            if (Rescaled)
                EvaluateRescaled(logits, labels, outputs, losses, gradient);
            else
                LossFunction.Evaluate(Loss ?? LossFunction.LogLoss(outputs), logits, labels, outputs, losses, gradient);
            return;
        }

        for (var row = 0; row < labels.Length; row++)
            losses[row] = Towards(logits.Slice(row * outputs, outputs), labels[row], targets[row], gradient.Slice(row * outputs, outputs));
    }

    /// <summary>z_t - z_y and its derivative; with one logit the target is the other class.</summary>
    internal static T Lead<T>(ReadOnlySpan<T> logits, int label, int target, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        gradient.Clear();
        if (logits.Length == 1)
        {
            gradient[0] = label == 1 ? -T.One : T.One;
            return gradient[0] * logits[0];
        }

        gradient[target] += T.One;
        gradient[label] -= T.One;
        return logits[target] - logits[label];
    }

    /// <summary>The targeted loss of one row.</summary>
    internal static T Towards<T>(ReadOnlySpan<T> logits, int label, int target, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (logits.Length < 4)
            return Lead(logits, label, target, gradient);
        Span<int> order = stackalloc int[4];
        Largest(logits, order);
        var half = T.CreateTruncating(0.5);
        var scale = logits[order[0]] - (half * (logits[order[2]] + logits[order[3]])) + T.CreateTruncating(1e-12);
        var lead = logits[label] - logits[target];
        gradient.Clear();
        gradient[label] -= T.One / scale;
        gradient[target] += T.One / scale;
        var slope = lead / (scale * scale);
        gradient[order[0]] += slope;
        gradient[order[2]] -= slope * half;
        gradient[order[3]] -= slope * half;
        return -lead / scale;
    }

    /// <summary>Indices of the largest logits, descending; the first of equals comes first.</summary>
    internal static void Largest<T>(ReadOnlySpan<T> logits, Span<int> order)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var found = 0;
        for (var k = 0; k < logits.Length; k++)
        {
            var place = found;
            while (place > 0 && logits[k] > logits[order[place - 1]])
                place--;
            if (place >= order.Length)
                continue;
            for (var move = int.Min(found, order.Length - 1); move > place; move--)
                order[move] = order[move - 1];
            order[place] = k;
            found = int.Min(found + 1, order.Length);
        }
    }

    private void EvaluateRescaled<T>(ReadOnlySpan<T> logits, ReadOnlySpan<int> labels, int outputs, Span<T> losses, Span<T> gradient)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<T> scaled = new T[outputs];
        for (var row = 0; row < labels.Length; row++)
        {
            var one = logits.Slice(row * outputs, outputs);
            var largest = T.Zero;
            foreach (var logit in one)
                largest = T.Max(largest, T.Abs(logit));
            var factor = largest > T.CreateTruncating(LargestLogit) ? T.CreateTruncating(LargestLogit) / largest : T.One;
            for (var k = 0; k < outputs; k++)
                scaled[k] = one[k] * factor;
            LossFunction.Evaluate(Loss ?? LossFunction.LogLoss(outputs), scaled, labels.Slice(row, 1), outputs, losses.Slice(row, 1), gradient.Slice(row * outputs, outputs));
        }
    }
}
