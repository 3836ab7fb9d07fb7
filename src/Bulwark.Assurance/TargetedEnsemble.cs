using System.Numerics;

namespace Bulwark.Assurance;

/// <summary>Which classes targeted attacks aim at: the most likely wrong ones first.</summary>
internal static class TargetClasses
{
    internal const int Most = 9;

    /// <summary>For each rank, the target of each row; with one logit the other class, once.</summary>
    internal static int[][] Of<T>(IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var classes = int.Max(2, model.Outputs);
        var ranks = int.Min(Most, classes - 1);
        var targets = new int[ranks][];
        for (var rank = 0; rank < ranks; rank++)
            targets[rank] = new int[labels.Length];
        Span<int> order = stackalloc int[ranks + 1];
        for (var at = 0; at < labels.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, labels.Length - at);
            var logits = model.Forward(inputs.Slice(at * model.Inputs, count * model.Inputs), count);
            for (var row = 0; row < count; row++)
            {
                if (model.Outputs == 1)
                {
                    targets[0][at + row] = 1 - labels[at + row];
                    continue;
                }

                AttackObjective.Largest(logits.Slice(row * model.Outputs, model.Outputs), order);
                var rank = 0;
                foreach (var candidate in order)
                {
                    if (candidate != labels[at + row] && rank < ranks)
                        targets[rank++][at + row] = candidate;
                }
            }
        }

        return targets;
    }
}

/// <summary>Attacks towards each of the most likely wrong classes in turn, each on the rows that still resist.</summary>
/// <remarks>Source: Croce and Hein, "Reliable evaluation of adversarial robustness", ICML 2020, section 5 (arXiv:2003.01690): nine targets.</remarks>
internal static class TargetedEnsemble
{
    /// <summary>Targeted <see cref="AutoProjectedGradientDescent"/>; marks rows in <paramref name="broken"/> and copies their points.</summary>
    internal static void Climb<T>(
        AutoProjectedGradientDescent attack, IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<bool> mutable, Span<T> adversarial, Span<bool> broken)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Each(model, inputs, labels, adversarial, broken, mutable, (origins, rows, y, targets, points, found, movable) =>
            (attack.RuledOut is not { } tell ? attack : attack with { RuledOut = (row, target) => tell(origins[row], target) })
                .Run(model, rows, y, targets, movable, points, default, found));

    /// <summary>Targeted <see cref="FastAdaptiveBoundary"/>; a point counts when it lies within <paramref name="epsilon"/>.</summary>
    internal static void Boundary<T>(
        FastAdaptiveBoundary attack, double epsilon, IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, ReadOnlySpan<bool> mutable, Span<T> adversarial, Span<bool> broken)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Each(model, inputs, labels, adversarial, broken, mutable, (_, rows, y, targets, points, found, movable) =>
        {
            var distances = new T[y.Length];
            attack.Run(model, rows, y, targets, movable, points, distances);
            for (var row = 0; row < y.Length; row++)
                found[row] = distances[row] <= T.CreateTruncating(epsilon);
        });

    private static void Each<T>(
        IDifferentiableModel<T> model, ReadOnlySpan<T> inputs, ReadOnlySpan<int> labels, Span<T> adversarial, Span<bool> broken, ReadOnlySpan<bool> mutable, Aimed<T> attack)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var width = model.Inputs;
        foreach (var targets in TargetClasses.Of(model, inputs, labels))
        {
            var resisting = new List<int>();
            for (var row = 0; row < labels.Length; row++)
            {
                if (!broken[row])
                    resisting.Add(row);
            }

            if (resisting.Count == 0)
                return;
            var (rows, points, found) = (new T[resisting.Count * width], new T[resisting.Count * width], new bool[resisting.Count]);
            var (y, towards) = (new int[resisting.Count], new int[resisting.Count]);
            for (var i = 0; i < resisting.Count; i++)
            {
                inputs.Slice(resisting[i] * width, width).CopyTo(rows.AsSpan(i * width));
                (y[i], towards[i]) = (labels[resisting[i]], targets[resisting[i]]);
            }

            attack(resisting, rows, y, towards, points, found, mutable);
            for (var i = 0; i < resisting.Count; i++)
            {
                // A row that resists keeps what was tried last: decoding may yet tip it over.
                points.AsSpan(i * width, width).CopyTo(adversarial[(resisting[i] * width)..]);
                broken[resisting[i]] |= found[i];
            }
        }
    }

    private delegate void Aimed<T>(List<int> origins, T[] rows, int[] labels, int[] targets, T[] points, bool[] found, ReadOnlySpan<bool> mutable)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}
