namespace Bulwark.Assurance;

/// <summary>How boosted trees are grown.</summary>
internal sealed record TreeTrainingOptions
{
    /// <summary>Number of trees.</summary>
    internal int Trees { get; init; } = 100;

    /// <summary>Questions on the way to a leaf, at most.</summary>
    internal int Depth { get; init; } = 6;

    /// <summary>Share of each tree's answer that counts.</summary>
    internal double LearningRate { get; init; } = 0.1;

    /// <summary>Pull of each leaf towards 0.</summary>
    internal double Lambda { get; init; } = 1;

    /// <summary>Least sum of second derivatives in a child.</summary>
    internal double LeastChild { get; init; } = 1;

    /// <summary>Cuts tried of each feature, at most.</summary>
    internal int Cuts { get; init; } = 63;

    /// <summary>How far the attacker moves each raw value, shape (features): 0 for what cannot be moved; empty trains without an attacker.</summary>
    internal IReadOnlyList<double> Radii { get; init; } = [];

    /// <summary>Every fault; empty when the options are sound.</summary>
    internal IEnumerable<string> Faults()
    {
        if (Trees is < 1 or > 10_000)
            yield return $"{nameof(Trees)} is {Trees}; 1 to 10000.";
        if (Depth is < 1 or > 16)
            yield return $"{nameof(Depth)} is {Depth}; 1 to 16.";
        if (!(LearningRate is > 0 and <= 1))
            yield return $"{nameof(LearningRate)} is {LearningRate}; above 0, at most 1.";
        if (!(Lambda >= 0) || !(LeastChild >= 0) || Lambda + LeastChild == 0)
            yield return "Lambda and LeastChild must be at least 0, and one of them above.";
        if (Cuts is < 1 or > 254)
            yield return $"{nameof(Cuts)} is {Cuts}; 1 to 254.";
        if (Radii.Any(radius => !(radius >= 0)))
            yield return "A radius must be at least 0.";
    }
}

/// <summary>Gradient-boosted trees of two classes whose splits count what an attacker makes of them.</summary>
/// <remarks>
/// Second-order boosting after Chen and Guestrin, "XGBoost", KDD 2016. With radii a split's gain is the least of four: rows as they are, every row within the radius of the cut to the
/// left, all of them to the right, and left and right exchanged (Chen et al., "Robust Decision Trees Against Adversarial Examples", ICML 2019, section 3.3, arXiv:1902.10660).
/// Deterministic.
/// </remarks>
internal static class TreeTrainer
{
    /// <param name="features">Shape (rows, width), raw values, none missing.</param>
    /// <param name="labels">Shape (rows): 0 or 1.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told the share that is done.</param>
    /// <param name="cancel">Stops between trees.</param>
    /// <exception cref="ArgumentException">The options or the rows have faults.</exception>
    internal static TreeEnsemble Train(float[] features, int[] labels, int width, TreeTrainingOptions options, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        var faults = options.Faults().ToList();
        if (width < 1 || labels.Length == 0 || features.Length != labels.Length * width || labels.Any(label => label is not (0 or 1)))
            faults.Add($"{features.Length} values and {labels.Length} labels of 0 and 1 do not make rows of {width}.");
        if (options.Radii.Count > 0 && options.Radii.Count != width)
            faults.Add($"There are {options.Radii.Count} radii for rows of {width}.");
        if (Array.Exists(features, float.IsNaN))
            faults.Add("A value is missing: trees of this trainer ask about numbers only.");
        if (faults.Count > 0)
            throw new ArgumentException(string.Join(" ", faults));
        var rate = Math.Clamp(labels.Average(), 1e-6, 1 - 1e-6);
        var start = Math.Log(rate / (1 - rate));
        var cells = new TreeCells(features, labels.Length, width, options);
        var margins = Enumerable.Repeat(start, labels.Length).ToArray();
        var (slopes, bends) = (new double[labels.Length], new double[labels.Length]);
        var trees = new List<TreeNode[]>();
        for (var tree = 0; tree < options.Trees; tree++)
        {
            cancel.ThrowIfCancellationRequested();
            progress?.Report((double)tree / options.Trees);
            for (var row = 0; row < labels.Length; row++)
            {
                var chance = 1 / (1 + Math.Exp(-margins[row]));
                (slopes[row], bends[row]) = (chance - labels[row], Math.Max(chance * (1 - chance), 1e-9));
            }

            var grown = new TreeGrower(cells, options, slopes, bends).Grow(margins);
            if (grown.Length == 1 && grown[0].Value == 0)
                break;
            trees.Add(grown);
        }

        return new(trees.Count > 0 ? trees : [[new TreeNode(-1, 0, 0, 0, false, 0)]], width, start);
    }
}

/// <summary>Every value as the number of cuts at or below it: as it is, moved down and moved up by its radius.</summary>
internal sealed class TreeCells
{
    internal TreeCells(float[] features, int rows, int width, TreeTrainingOptions options)
    {
        (Rows, Width, IsAttacked) = (rows, width, options.Radii.Any(radius => radius > 0));
        Cuts = new float[width][];
        (At, Down, Up) = (new byte[width][], new byte[width][], new byte[width][]);
        var values = new float[rows];
        for (var feature = 0; feature < width; feature++)
        {
            for (var row = 0; row < rows; row++)
                values[row] = features[(row * width) + feature];
            var cuts = Cuts[feature] = CutsOf(values, options.Cuts);
            var radius = options.Radii.Count > 0 ? options.Radii[feature] : 0;
            At[feature] = [.. values.Select(value => Below(cuts, value))];
            Down[feature] = radius > 0 ? [.. values.Select(value => Below(cuts, value - radius))] : At[feature];
            Up[feature] = radius > 0 ? [.. values.Select(value => Below(cuts, value + radius))] : At[feature];
        }
    }

    internal int Rows { get; }

    internal int Width { get; }

    internal bool IsAttacked { get; }

    /// <summary>For each feature the thresholds, rising; a value below one goes left of it.</summary>
    internal float[][] Cuts { get; }

    internal byte[][] At { get; }

    internal byte[][] Down { get; }

    internal byte[][] Up { get; }

    private static byte Below(float[] cuts, double value)
    {
        var (low, high) = (0, cuts.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (cuts[middle] <= value)
                low = middle + 1;
            else
                high = middle;
        }

        return (byte)low;
    }

    /// <summary>Half way between neighbouring values, as many as there are or evenly by rank.</summary>
    private static float[] CutsOf(float[] values, int most)
    {
        var sorted = (float[])values.Clone();
        Array.Sort(sorted);
        float[] distinct = [.. sorted.Distinct()];
        if (distinct.Length > most + 1)
            distinct = [.. Enumerable.Range(0, most + 1).Select(k => sorted[(int)((long)k * (sorted.Length - 1) / most)]).Distinct()];
        return [.. distinct.Zip(distinct.Skip(1), (low, high) => Between(low, high))];
    }

    private static float Between(float low, float high)
    {
        var middle = (float)(((double)low + high) / 2);
        return middle > low ? middle : high;
    }
}
