namespace Bulwark.Assurance;

/// <summary>Whether an ensemble's answer to a row stays the same within a distance.</summary>
internal enum TreeVerdict
{
    /// <summary>The search ended at its limit.</summary>
    Unknown,

    /// <summary>No row within the distance is decided otherwise: proven.</summary>
    Resists,

    /// <summary>A row within the distance is decided otherwise: found, and asked.</summary>
    Falls,
}

/// <summary>Decides, by branch and bound over leaf tuples, whether a row within a distance is decided otherwise. Cheaper than <see cref="TreeVerifier"/>, which finds how far the nearest such row is.</summary>
/// <remarks>
/// Only leaves that meet the ball's box take part, so most of a deep ensemble is out at once. A partial choice of leaves is a box; the least that the other trees
/// add within it bounds the sum. Going down, the box only shrinks: of each tree, leaves in order of their answer, the first that still meets the box stands further
/// back, never nearer, and is not looked for anew. The child with the least bound is entered first, so a row that falls is found soon. Immutable and thread-safe.
/// Sources: as <see cref="TreeVerifier"/>.
/// </remarks>
/// <param name="ensemble">The trees.</param>
/// <param name="units">What a change of each feature by 1 counts, infinite for what cannot move.</param>
internal sealed class TreeProof(TreeEnsemble ensemble, double[] units)
{
    private const double Rounding = 1e-9;   // sums in another order than the ensemble's; its own answer decides

    /// <param name="row">Shape (Features), finite.</param>
    /// <param name="norm">How distance is measured, in the units given.</param>
    /// <param name="within">The distance; finite.</param>
    /// <param name="mostSteps">Boxes looked at before the search gives up.</param>
    internal TreeVerdict Judge(ReadOnlySpan<float> row, PerturbationNorm norm, double within, int mostSteps)
    {
        var (origin, positive) = (row.ToArray(), ensemble.Margin(row) > 0);
        var (low, high) = Reach(origin, within);
        var leaves = Order(low, high, positive ? 1 : -1, out var sum);
        var open = new Stack<Partial>();
        var start = new Partial(0, sum, sum, (low, high), new ushort[leaves.Length]);
        if (Bound(start, leaves, positive ? 1 : -1) is { } first)
            open.Push(first);
        var met = false;
        for (var step = 0; open.TryPop(out var partial); step++)
        {
            if (partial.Trees == leaves.Length)
            {
                float[] point = [.. origin.Select((value, j) => float.Clamp(value, partial.Box.Low[j], partial.Box.High[j]))];
                if (ensemble.Margin(point) > 0 != positive)
                    return TreeVerdict.Falls;
                met = true;   // a sum of nearly 0 that rounds to the row's own side
                continue;
            }

            if (step >= mostSteps)
                return TreeVerdict.Unknown;
            foreach (var child in Children(partial, leaves, positive ? 1 : -1).Where(child => TreeVerifier.DistanceTo(origin, child.Box.Low, child.Box.High, norm, units) <= within).OrderByDescending(child => child.Least))
                open.Push(child);
        }

        return met ? TreeVerdict.Unknown : TreeVerdict.Resists;
    }

    /// <summary>The box around the ball, a rounding wider.</summary>
    private (float[] Low, float[] High) Reach(float[] origin, double within)
    {
        var (low, high) = ((float[])[.. origin], (float[])[.. origin]);
        for (var j = 0; j < origin.Length; j++)
        {
            if (double.IsPositiveInfinity(units[j]))
                continue;
            low[j] = MathF.BitDecrement((float)(origin[j] - (within / units[j])));
            high[j] = MathF.BitIncrement((float)(origin[j] + (within / units[j])));
        }

        return (low, high);
    }

    /// <summary>By tree the leaves that meet the box, those that turn the answer most first; trees that can change the sum most come first. Trees with one such leaf are constants, and part of <paramref name="sum"/>.</summary>
    private TreeBox[][] Order(float[] low, float[] high, int sign, out double sum)
    {
        sum = ensemble.Start * sign;
        var varying = new List<TreeBox[]>();
        foreach (var tree in ensemble.Leaves)
        {
            TreeBox[] met = [.. tree.Where(leaf => Meets(leaf, low, high)).OrderBy(leaf => leaf.Value * sign)];
            if (met.Length == 1)
                sum += met[0].Value * sign;
            else
                varying.Add(met);
        }

        return [.. varying.OrderByDescending(met => Math.Abs(met[^1].Value - met[0].Value))];
    }

    private static IEnumerable<Partial> Children(Partial partial, TreeBox[][] leaves, int sign)
    {
        var own = leaves[partial.Trees];
        for (var l = (int)partial.First[partial.Trees]; l < own.Length; l++)
        {
            var sum = partial.Sum + (own[l].Value * sign);
            if (partial.Least - (own[partial.First[partial.Trees]].Value * sign) + (own[l].Value * sign) > Rounding)
                yield break;   // leaves further back are worse still, and a smaller box is no better
            if (!Meets(own[l], partial.Box.Low, partial.Box.High))
                continue;
            var (low, high) = ((float[])[.. partial.Box.Low], (float[])[.. partial.Box.High]);
            foreach (var (feature, from, to) in own[l].Sides)
                (low[feature], high[feature]) = (float.Max(low[feature], from), float.Min(high[feature], to));
            if (Bound(new(partial.Trees + 1, sum, 0, (low, high), [.. partial.First]), leaves, sign) is { } child)
                yield return child;
        }
    }

    /// <summary>The same with the least sum within its box; null when that cannot turn the answer, or a tree has no leaf there.</summary>
    private static Partial? Bound(Partial partial, TreeBox[][] leaves, int sign)
    {
        var least = partial.Sum;
        for (var tree = partial.Trees; tree < leaves.Length; tree++)
        {
            int at = partial.First[tree];
            while (at < leaves[tree].Length && !Meets(leaves[tree][at], partial.Box.Low, partial.Box.High))
                at++;
            if (at == leaves[tree].Length)
                return null;
            partial.First[tree] = (ushort)at;
            least += leaves[tree][at].Value * sign;
        }

        return least <= Rounding ? partial with { Least = least } : null;
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

    /// <summary>Leaves chosen of the first trees, their sum, the least that all trees can come to, the box, and of each tree the first leaf that meets it.</summary>
    private sealed record Partial(int Trees, double Sum, double Least, (float[] Low, float[] High) Box, ushort[] First);
}
