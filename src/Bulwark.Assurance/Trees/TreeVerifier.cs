namespace Bulwark.Assurance;

/// <summary>What is known of the distance from a row to the nearest one that the ensemble decides otherwise.</summary>
/// <param name="Lower">No row nearer than this is decided otherwise: proven.</param>
/// <param name="Exact">Whether <paramref name="Lower"/> is the distance itself; else the search ended at its limit.</param>
/// <param name="Point">The nearest row, when exact and there is one; null otherwise.</param>
internal sealed record TreeDistance(double Lower, bool Exact, float[]? Point);

/// <summary>The smallest change of a row that flips a tree ensemble, by branch and bound over leaf tuples.</summary>
/// <remarks>
/// A partial choice of leaves is a box; its distance from the row only grows with further trees. The nearest unfinished box is extended first, by the
/// leaves of the next tree that intersect it, as long as the remaining trees' leaves in the box could still flip the sum. So the first finished box
/// is the nearest, and where the search is cut short the box next in line bounds the distance from below (Kantchelian et al., ICML 2016,
/// arXiv:1509.07892, solve the same by integer programming; Chen et al., NeurIPS 2019, arXiv:1906.03849, bound it).
/// </remarks>
internal sealed class TreeVerifier
{
    private readonly TreeEnsemble _ensemble;
    private readonly double[] _units;
    private readonly int[] _order;

    /// <param name="ensemble">The trees.</param>
    /// <param name="units">What a change of each feature by 1 counts, infinite for what cannot move; null for 1.</param>
    internal TreeVerifier(TreeEnsemble ensemble, double[]? units = null)
    {
        (_ensemble, _units) = (ensemble, units ?? [.. Enumerable.Repeat(1.0, ensemble.Features)]);
        // Trees that can change the sum most come first: they prune most.
        _order = [.. Enumerable.Range(0, ensemble.Trees.Count).OrderByDescending(tree => ensemble.Leaves[tree].Max(leaf => leaf.Value) - ensemble.Leaves[tree].Min(leaf => leaf.Value))];
    }

    /// <summary>Distance to the nearest box whose sum is at most 0 for a positive row, at least 0 for a negative one.</summary>
    /// <param name="row">Shape (Features), finite.</param>
    /// <param name="norm">How distance is measured, in the units given.</param>
    /// <param name="mostSteps">Boxes looked at before the search gives up with a lower bound.</param>
    /// <param name="within">Distances above this are of no interest: a box further away is not extended.</param>
    internal TreeDistance Distance(ReadOnlySpan<float> row, PerturbationNorm norm, int mostSteps = 200_000, double within = double.PositiveInfinity)
    {
        var origin = row.ToArray();
        var sign = _ensemble.Margin(row) > 0 ? 1 : -1;
        var queue = new PriorityQueue<Partial, double>();
        queue.Enqueue(new(0, _ensemble.Start * sign, Whole(), 0), 0);
        for (var step = 0; queue.TryDequeue(out var partial, out var distance); step++)
        {
            if (partial.Trees == _order.Length)
                return new(distance, true, Nearest(origin, partial));
            if (step >= mostSteps)
                return new(distance, false, null);
            Extend(queue, partial, origin, sign, norm, within);
        }

        return new(within, !double.IsFinite(within), null);
    }

    private void Extend(PriorityQueue<Partial, double> queue, Partial partial, float[] origin, int sign, PerturbationNorm norm, double within)
    {
        foreach (var leaf in _ensemble.Leaves[_order[partial.Trees]])
        {
            if (!Intersect(partial, leaf, out var low, out var high))
                continue;
            var sum = partial.Sum + (leaf.Value * sign);
            if (!(sum + LeastOfOthers(partial.Trees + 1, low, high, sign) <= 0))
                continue;
            var distance = DistanceTo(origin, low, high, norm, _units);
            if (distance <= within && double.IsFinite(distance))
                queue.Enqueue(new(partial.Trees + 1, sum, (low, high), distance), distance);
        }
    }

    /// <summary>The least that the remaining trees can add within a box.</summary>
    private double LeastOfOthers(int from, float[] low, float[] high, int sign)
    {
        var least = 0.0;
        for (var k = from; k < _order.Length; k++)
        {
            var smallest = double.PositiveInfinity;
            foreach (var leaf in _ensemble.Leaves[_order[k]])
            {
                if (leaf.Value * sign < smallest && Meets(leaf, low, high))
                    smallest = leaf.Value * sign;
            }

            least += smallest;
        }

        return least;
    }

    private static bool Meets(TreeBox leaf, float[] low, float[] high)
    {
        foreach (var (feature, from, to) in leaf.Sides)
        {
            if (float.Max(from, low[feature]) > float.Min(to, high[feature]))
                return false;
        }

        return true;
    }

    private static bool Intersect(Partial partial, TreeBox leaf, out float[] low, out float[] high)
    {
        (low, high) = partial.Box;
        if (!Meets(leaf, low, high))
            return false;
        (low, high) = ([.. low], [.. high]);
        foreach (var (feature, from, to) in leaf.Sides)
            (low[feature], high[feature]) = (float.Max(low[feature], from), float.Min(high[feature], to));
        return true;
    }

    internal static double DistanceTo(ReadOnlySpan<float> origin, float[] low, float[] high, PerturbationNorm norm, double[] units)
    {
        var (largest, squares, sum) = (0.0, 0.0, 0.0);
        for (var j = 0; j < origin.Length; j++)
        {
            var change = origin[j] < low[j] ? (double)low[j] - origin[j] : origin[j] > high[j] ? (double)origin[j] - high[j] : 0;
            if (change > 0)
                change *= units[j];
            (largest, squares, sum) = (Math.Max(largest, change), squares + (change * change), sum + change);
        }

        return norm switch
        {
            PerturbationNorm.Linf => largest,
            PerturbationNorm.L2 => Math.Sqrt(squares),
            _ => sum,
        };
    }

    private static float[] Nearest(float[] origin, Partial partial) =>
        [.. origin.Select((value, j) => float.Clamp(value, partial.Box.Low[j], partial.Box.High[j]))];

    private (float[] Low, float[] High) Whole()
    {
        var (low, high) = (new float[_ensemble.Features], new float[_ensemble.Features]);
        low.AsSpan().Fill(float.NegativeInfinity);
        high.AsSpan().Fill(float.PositiveInfinity);
        return (low, high);
    }

    private sealed record Partial(int Trees, double Sum, (float[] Low, float[] High) Box, double Distance);
}
