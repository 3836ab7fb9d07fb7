using System.Numerics;

namespace Bulwark.Assurance;

/// <summary>When a climb for the verdict alone is over.</summary>
internal static class ClimbEnds
{
    private const double ClearLead = 1e-3;
    private const double GapsOfRoom = 5;

    /// <summary>True when another class leads by a thousandth of the largest logit: rounding in another program does not undo it.</summary>
    internal static bool ClearlyWrong<T>(ReadOnlySpan<T> logits, int label)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (other, largest) = (T.NegativeInfinity, T.One);
        for (var k = 0; k < logits.Length; k++)
        {
            largest = T.Max(largest, T.Abs(logits[k]));
            other = k == label ? other : T.Max(other, logits[k]);
        }

        var lead = logits.Length > 1 ? other - logits[label] : label == 1 ? -logits[0] : logits[0];
        return lead > T.CreateTruncating(ClearLead) * largest;
    }

    /// <summary>True when a loss below 0, where the target does not lead, is further from 0 than five Frank–Wolfe gaps.</summary>
    /// <remarks>
    /// The gap is the most that the loss could gain within the ball if it were as linear everywhere as it is here; of a concave loss the maximum lies
    /// no further than one (Jaggi, ICML 2013, equation 2; Chen et al., "A Frank-Wolfe Framework for Adversarial Attacks", AAAI 2020, arXiv:1811.10828).
    /// Networks are not concave: hence five, and only at check points, after 22 steps of a hundred at the earliest. In L1 nothing is ruled out.
    /// It is a guess all the same, wrong where a loss is flat and then rises: who ends climbs by it counts them, and <see cref="RuledOutAgain"/> tries it.
    /// </remarks>
    internal static bool Hopeless<T>(T loss, ReadOnlySpan<T> gradient, PerturbationBall<T> ball, ReadOnlySpan<T> original, ReadOnlySpan<T> point)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (ball.Norm == PerturbationNorm.L1 || !(loss < T.Zero))
            return false;
        var (linear, length, sides) = (T.Zero, T.Zero, T.Zero);
        for (var j = 0; j < point.Length; j++)
        {
            var slope = ball.MayMove(j) ? gradient[j] : T.Zero;
            var (low, high) = ball.Norm == PerturbationNorm.Linf
                ? (T.Max(T.Zero, original[j] - ball.Epsilon), T.Min(T.One, original[j] + ball.Epsilon)) : (T.Zero, T.One);
            sides += slope * ((slope > T.Zero ? high : low) - point[j]);
            linear += slope * (original[j] - point[j]);
            length += slope * slope;
        }

        var gap = ball.Norm == PerturbationNorm.Linf ? sides : T.Min(sides, linear + (ball.Epsilon * T.Sqrt(length)));
        return loss + (T.CreateTruncating(GapsOfRoom) * gap) < T.Zero;
    }
}
