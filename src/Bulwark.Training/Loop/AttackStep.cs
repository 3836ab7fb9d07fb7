using System.Numerics;
using System.Numerics.Tensors;

namespace Bulwark.Training.Loop;

/// <summary>One step of ascent for one row, and the way back into the ball and into [0, 1].</summary>
internal static class AttackStep
{
    /// <summary>moved += step · sign(slope), then clipped to centre ± radius and to [0, 1].</summary>
    internal static void Sign(Span<float> moved, ReadOnlySpan<float> slopes, ReadOnlySpan<float> centre, float step, float radius)
    {
        var lanes = Vector<float>.Count;
        var (up, down, reach) = (new Vector<float>(step), new Vector<float>(-step), new Vector<float>(radius));
        var i = 0;
        for (; i + lanes <= moved.Length; i += lanes)
        {
            var slope = new Vector<float>(slopes[i..]);
            var way = Vector.ConditionalSelect(
                Vector.GreaterThan(slope, Vector<float>.Zero), up, Vector.ConditionalSelect(Vector.LessThan(slope, Vector<float>.Zero), down, Vector<float>.Zero));
            var middle = new Vector<float>(centre[i..]);
            var low = Vector.Max(middle - reach, Vector<float>.Zero);
            var high = Vector.Min(middle + reach, Vector<float>.One);
            Vector.Min(Vector.Max(new Vector<float>(moved[i..]) + way, low), high).CopyTo(moved[i..]);
        }

        for (; i < moved.Length; i++)
        {
            var way = slopes[i] > 0 ? step : slopes[i] < 0 ? -step : 0;
            moved[i] = Math.Min(Math.Max(moved[i] + way, Math.Max(centre[i] - radius, 0)), Math.Min(centre[i] + radius, 1));
        }
    }

    /// <summary>moved += step · slope / |slope|, then drawn back to the ball of that radius and clipped to [0, 1].</summary>
    internal static void Length(Span<float> moved, ReadOnlySpan<float> slopes, ReadOnlySpan<float> centre, float step, float radius)
    {
        var length = TensorPrimitives.Norm(slopes);
        if (length > 0 && float.IsFinite(length))
            TensorPrimitives.MultiplyAdd(slopes, step / length, moved, moved);
        BackToLength(moved, centre, radius);
    }

    internal static void BackToLength(Span<float> moved, ReadOnlySpan<float> centre, float radius)
    {
        var distance = TensorPrimitives.Distance(moved, centre);
        if (distance > radius)
        {
            TensorPrimitives.Subtract(moved, centre, moved);
            TensorPrimitives.MultiplyAdd(moved, radius / distance, centre, moved);
        }

        TensorPrimitives.Clamp(moved, 0, 1, moved);
    }

    /// <summary>
    /// Spends <paramref name="step"/> of the budget where a unit of it raises the loss most and the value can still move, then draws back to the budget and clips to [0, 1].
    /// </summary>
    internal static void Cost(Span<float> moved, ReadOnlySpan<float> slopes, ReadOnlySpan<float> centre, ReadOnlySpan<double> costs, double step, double budget)
    {
        Span<bool> used = stackalloc bool[moved.Length];
        for (var left = step; left > 0;)
        {
            var (best, gain) = (-1, 0.0);
            for (var i = 0; i < moved.Length; i++)
            {
                var worth = Math.Abs(slopes[i]) / costs[i];
                var room = slopes[i] > 0 ? 1 - moved[i] : moved[i];
                if (!used[i] && worth > gain && room > 0)
                    (best, gain) = (i, worth);
            }

            if (best < 0)
                break;
            used[best] = true;
            var way = Math.Min(left / costs[best], slopes[best] > 0 ? 1 - moved[best] : moved[best]);
            moved[best] += (float)(slopes[best] > 0 ? way : -way);
            left -= way * costs[best];
        }

        BackToCost(moved, centre, costs, budget);
    }

    /// <summary>
    /// The nearest point whose change costs at most <paramref name="budget"/>: every change shrinks by τ·cost, as the projection onto a weighted L1 ball does.
    /// Source: Duchi et al., "Efficient Projections onto the l1-Ball", ICML 2008, with weights.
    /// </summary>
    internal static void BackToCost(Span<float> moved, ReadOnlySpan<float> centre, ReadOnlySpan<double> costs, double budget)
    {
        var spent = 0.0;
        for (var i = 0; i < moved.Length; i++)
        {
            if (double.IsPositiveInfinity(costs[i]))
                moved[i] = centre[i];
            else
                spent += Math.Abs(moved[i] - centre[i]) * costs[i];
        }

        if (spent > budget)
        {
            var shrink = Shrinkage(moved, centre, costs, budget);
            for (var i = 0; i < moved.Length; i++)
            {
                var change = (double)moved[i] - centre[i];
                var kept = change == 0 ? 0 : Math.Max(Math.Abs(change) - (shrink * costs[i]), 0);
                moved[i] = (float)(centre[i] + Math.CopySign(kept, change));
            }
        }

        TensorPrimitives.Clamp(moved, 0, 1, moved);
    }

    private static double Shrinkage(ReadOnlySpan<float> moved, ReadOnlySpan<float> centre, ReadOnlySpan<double> costs, double budget)
    {
        var order = new (double Bend, double Cost, double Change)[moved.Length];
        for (var i = 0; i < order.Length; i++)
        {
            var change = Math.Abs((double)moved[i] - centre[i]);
            order[i] = change == 0 ? default : (change / costs[i], costs[i], change);
        }

        Array.Sort(order, (a, b) => b.Bend.CompareTo(a.Bend));
        var (spent, squares, shrink) = (0.0, 0.0, 0.0);
        foreach (var (bend, cost, change) in order)
        {
            if (bend <= shrink)
                break;
            spent += cost * change;
            squares += cost * cost;
            shrink = Math.Max(0, (spent - budget) / squares);
        }

        return shrink;
    }
}
