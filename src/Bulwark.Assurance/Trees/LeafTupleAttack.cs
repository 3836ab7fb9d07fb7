namespace Bulwark.Assurance;

/// <summary>Moves a misclassified row nearer to its original, one leaf of one tree at a time.</summary>
/// <remarks>
/// Source: Zhang et al., "An Efficient Adversarial Attack for Tree Ensembles", NeurIPS 2020, Algorithm 1 (LT-attack, arXiv:2010.11598): neighbours are
/// the leaf tuples that differ in one tree. Starts are rows that the ensemble decides otherwise. What it finds bounds the distance from above.
/// </remarks>
internal sealed class LeafTupleAttack(TreeEnsemble ensemble, double[]? units = null)
{
    private readonly double[] _units = units ?? [.. Enumerable.Repeat(1.0, ensemble.Features)];

    /// <summary>The nearest row found that is decided otherwise, and how far it is; null when no start is decided otherwise.</summary>
    /// <param name="row">Shape (Features).</param>
    /// <param name="starts">Rows to begin at, those nearest first are worth most; shape (any, Features).</param>
    /// <param name="norm">How distance is measured, in raw units.</param>
    /// <param name="tries">Starts used.</param>
    internal (float[] Point, double Distance)? Run(ReadOnlySpan<float> row, ReadOnlySpan<float> starts, PerturbationNorm norm, int tries = 5)
    {
        var origin = row.ToArray();
        var positive = ensemble.Margin(row) > 0;
        (float[] Point, double Distance)? best = null;
        for (var at = 0; at < starts.Length && tries > 0; at += ensemble.Features)
        {
            var start = starts.Slice(at, ensemble.Features);
            if (ensemble.Margin(start) > 0 == positive)
                continue;
            tries--;
            var found = Descend(origin, start.ToArray(), positive ? 1 : -1, norm);
            if (best is not { } known || found.Distance < known.Distance)
                best = found;
        }

        return best;
    }

    private (float[] Point, double Distance) Descend(float[] origin, float[] point, int sign, PerturbationNorm norm)
    {
        var leaves = ensemble.Trees.Select((tree, t) => Array.FindIndex(ensemble.Leaves[t], leaf => leaf.Node == ensemble.LeafOf(tree, point))).ToArray();
        var sum = ensemble.Margin(point) * sign;
        var (low, high) = Box(leaves, skipped: -1);
        var distance = TreeVerifier.DistanceTo(origin, low, high, norm, _units);
        while (true)
        {
            (int Tree, int Leaf, double Distance)? step = null;
            for (var tree = 0; tree < leaves.Length; tree++)
            {
                var (wideLow, wideHigh) = Box(leaves, tree);
                for (var leaf = 0; leaf < ensemble.Leaves[tree].Length; leaf++)
                {
                    var candidate = ensemble.Leaves[tree][leaf];
                    if (leaf == leaves[tree] || sum + ((candidate.Value - ensemble.Leaves[tree][leaves[tree]].Value) * sign) > (sign > 0 ? 0 : -1e-300))
                        continue;
                    var nearest = step?.Distance ?? distance;
                    var away = DistanceWith(origin, wideLow, wideHigh, candidate, norm, nearest);
                    if (away < nearest)
                        step = (tree, leaf, away);
                }
            }

            if (step is not { } taken)
                break;
            sum += (ensemble.Leaves[taken.Tree][taken.Leaf].Value - ensemble.Leaves[taken.Tree][leaves[taken.Tree]].Value) * sign;
            (leaves[taken.Tree], distance) = (taken.Leaf, taken.Distance);
        }

        (low, high) = Box(leaves, skipped: -1);
        return ([.. origin.Select((value, j) => float.Clamp(value, low[j], high[j]))], distance);
    }

    /// <summary>Infinite when the leaf does not meet the box, or its own sides alone are no nearer than <paramref name="limit"/>.</summary>
    private double DistanceWith(float[] origin, float[] low, float[] high, TreeBox leaf, PerturbationNorm norm, double limit)
    {
        foreach (var (feature, from, to) in leaf.Sides)
        {
            var (least, most) = (float.Max(low[feature], from), float.Min(high[feature], to));
            var away = origin[feature] < least ? (double)least - origin[feature] : origin[feature] > most ? (double)origin[feature] - most : 0;
            if (least > most || (away > 0 && away * _units[feature] >= limit))
                return double.PositiveInfinity;   // in every norm the whole is at least as far as one side
        }

        var (narrowLow, narrowHigh) = ((float[])[.. low], (float[])[.. high]);
        foreach (var (feature, from, to) in leaf.Sides)
            (narrowLow[feature], narrowHigh[feature]) = (float.Max(low[feature], from), float.Min(high[feature], to));
        return TreeVerifier.DistanceTo(origin, narrowLow, narrowHigh, norm, _units);
    }

    private (float[] Low, float[] High) Box(int[] leaves, int skipped)
    {
        var (low, high) = (new float[ensemble.Features], new float[ensemble.Features]);
        low.AsSpan().Fill(float.NegativeInfinity);
        high.AsSpan().Fill(float.PositiveInfinity);
        for (var tree = 0; tree < leaves.Length; tree++)
        {
            if (tree == skipped)
                continue;
            foreach (var (feature, from, to) in ensemble.Leaves[tree][leaves[tree]].Sides)
                (low[feature], high[feature]) = (float.Max(low[feature], from), float.Min(high[feature], to));
        }

        return (low, high);
    }
}
