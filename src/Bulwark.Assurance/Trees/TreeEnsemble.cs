namespace Bulwark.Assurance;

/// <summary>Trees whose leaves add up to one margin: above 0 is the positive class.</summary>
/// <remarks>A node sends a value below its threshold to the left (at or below it where the ensemble says so), everything else, missing values included, where the node says. Immutable and thread-safe.</remarks>
internal sealed class TreeEnsemble
{
    internal TreeEnsemble(IReadOnlyList<TreeNode[]> trees, int features, double start = 0, bool leftIncludesThreshold = false)
    {
        if (trees.Count == 0 || trees.Any(tree => tree.Length == 0))
            throw new InvalidDataException("The ensemble has no trees, or one of them is empty.");
        foreach (var tree in trees)
            Check(tree, features);
        (Trees, Features, Start, LeftIncludesThreshold) = ([.. trees], features, start, leftIncludesThreshold);
        Leaves = [.. trees.Select(tree => TreeBox.LeavesOf(tree, leftIncludesThreshold))];
    }

    internal IReadOnlyList<TreeNode[]> Trees { get; }

    /// <summary>Numbers in a row.</summary>
    internal int Features { get; }

    /// <summary>Margin before any tree.</summary>
    internal double Start { get; }

    /// <summary>Whether a value equal to the threshold goes left (LightGBM, ONNX BRANCH_LEQ) or right (XGBoost).</summary>
    internal bool LeftIncludesThreshold { get; }

    /// <summary>Each tree's leaves with the box of rows that reach them.</summary>
    internal IReadOnlyList<TreeBox[]> Leaves { get; }

    internal double Margin(ReadOnlySpan<float> row)
    {
        var margin = Start;
        foreach (var tree in Trees)
            margin += tree[LeafOf(tree, row)].Value;
        return margin;
    }

    internal int LeafOf(TreeNode[] tree, ReadOnlySpan<float> row)
    {
        var at = 0;
        while (tree[at].Feature >= 0)
        {
            var (node, value) = (tree[at], row[tree[at].Feature]);
            var left = float.IsNaN(value) ? node.MissingLeft : LeftIncludesThreshold ? value <= node.Threshold : value < node.Threshold;
            at = left ? node.Left : node.Right;
        }

        return at;
    }

    /// <summary>Children come after their parents: then a walk ends.</summary>
    private static void Check(TreeNode[] tree, int features)
    {
        for (var at = 0; at < tree.Length; at++)
        {
            var node = tree[at];
            if (node.Feature >= 0 && (node.Feature >= features || node.Left <= at || node.Right <= at || node.Left >= tree.Length || node.Right >= tree.Length || !float.IsFinite(node.Threshold)))
                throw new InvalidDataException($"Node {at} of a tree names a feature, a threshold or a child that there is not.");
            if (node.Feature < 0 && !double.IsFinite(node.Value))
                throw new InvalidDataException($"Leaf {at} of a tree has no finite value.");
        }
    }
}

/// <summary>A node: a question when <paramref name="Feature"/> is at least 0, else a leaf.</summary>
internal readonly record struct TreeNode(int Feature, float Threshold, int Left, int Right, bool MissingLeft, double Value);

/// <summary>A leaf and the rows that reach it: for each feature it asks about, the lowest and the highest single-precision value.</summary>
internal sealed class TreeBox
{
    private TreeBox(int node, double value, (int Feature, float Low, float High)[] sides) => (Node, Value, Sides) = (node, value, sides);

    internal int Node { get; }

    internal double Value { get; }

    /// <summary>Both ends belong to the box; ± infinity for no end.</summary>
    internal (int Feature, float Low, float High)[] Sides { get; }

    internal static TreeBox[] LeavesOf(TreeNode[] tree, bool leftIncludesThreshold)
    {
        var leaves = new List<TreeBox>();
        Walk(0, []);
        return [.. leaves];

        void Walk(int at, List<(int Feature, float Low, float High)> sides)
        {
            var node = tree[at];
            if (node.Feature < 0)
            {
                leaves.Add(new(at, node.Value, [.. sides]));
                return;
            }

            var (leftHigh, rightLow) = leftIncludesThreshold ? (node.Threshold, MathF.BitIncrement(node.Threshold)) : (MathF.BitDecrement(node.Threshold), node.Threshold);
            Enter(node.Left, float.NegativeInfinity, leftHigh);
            Enter(node.Right, rightLow, float.PositiveInfinity);

            void Enter(int child, float low, float high)
            {
                var index = sides.FindIndex(side => side.Feature == node.Feature);
                var old = index < 0 ? (node.Feature, float.NegativeInfinity, float.PositiveInfinity) : sides[index];
                var narrower = (node.Feature, float.Max(old.Item2, low), float.Min(old.Item3, high));
                if (narrower.Item2 > narrower.Item3)
                    return;
                var inside = new List<(int, float, float)>(sides);
                if (index < 0)
                    inside.Add(narrower);
                else
                    inside[index] = narrower;
                Walk(child, inside);
            }
        }
    }
}
