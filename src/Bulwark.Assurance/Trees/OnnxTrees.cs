using Bulwark.Models;

namespace Bulwark.Assurance;

/// <summary>Reads the tree ensemble of an ONNX model: TreeEnsembleClassifier or TreeEnsembleRegressor of ai.onnx.ml, two classes, numeric splits.</summary>
internal static class OnnxTrees
{
    /// <exception cref="InvalidDataException">The model holds no such ensemble, or the ensemble is not understood.</exception>
    internal static TreeEnsemble Read(ReadOnlySpan<byte> onnx)
    {
        var node = OnnxOperators.Attributes(onnx, "TreeEnsembleClassifier", "TreeEnsembleRegressor") ?? throw new InvalidDataException("The ONNX model is not one tree ensemble: it has no TreeEnsembleClassifier or TreeEnsembleRegressor, or several.");
        try
        {
            return Build(node);
        }
        catch (Exception fault) when (fault is KeyNotFoundException or IndexOutOfRangeException or ArgumentException)
        {
            throw new InvalidDataException($"The tree ensemble of the ONNX model is not understood: {fault.Message}", fault);
        }
    }

    private static TreeEnsemble Build(OnnxAttributes node)
    {
        var prefix = node.Texts.ContainsKey("class_weights") || node.Numbers.ContainsKey("class_weights") ? "class" : "target";
        var (trees, ids, features, modes) = (node.Whole["nodes_treeids"], node.Whole["nodes_nodeids"], node.Whole["nodes_featureids"], node.Texts["nodes_modes"]);
        var (values, lefts, rights) = (node.Numbers["nodes_values"], node.Whole["nodes_truenodeids"], node.Whole["nodes_falsenodeids"]);
        var missing = node.Whole.GetValueOrDefault("nodes_missing_value_tracks_true");
        var (leafTrees, leafIds, leafClasses, weights) = (node.Whole[$"{prefix}_treeids"], node.Whole[$"{prefix}_nodeids"], node.Whole[$"{prefix}_ids"], node.Numbers[$"{prefix}_weights"]);
        var branches = modes.Where(mode => mode != "LEAF").Distinct().ToList();
        if (branches.Count > 1 || branches.Any(mode => mode is not ("BRANCH_LEQ" or "BRANCH_LT")))
            throw new InvalidDataException($"The ensemble splits by {string.Join(", ", branches)}; BRANCH_LEQ or BRANCH_LT alone is understood.");
        // One column of weights: the positive class. Two: the second less the first.
        var columns = leafClasses.Distinct().Order().ToArray();
        if (columns.Length > 2)
            throw new InvalidDataException("The ensemble has several classes; attacks on trees are for two.");
        var leaves = new Dictionary<(long, long), double>();
        for (var i = 0; i < weights.Length; i++)
        {
            var sign = columns.Length == 2 && leafClasses[i] == columns[0] ? -1 : 1;
            leaves[(leafTrees[i], leafIds[i])] = leaves.GetValueOrDefault((leafTrees[i], leafIds[i])) + (sign * weights[i]);
        }

        var all = new List<TreeNode[]>();
        foreach (var tree in trees.Distinct())
        {
            var places = Enumerable.Range(0, trees.Length).Where(i => trees[i] == tree).ToDictionary(i => ids[i]);
            var nodes = new List<TreeNode>();
            Add(places, places.Keys.Min());
            all.Add([.. nodes]);

            int Add(Dictionary<long, int> byId, long id)
            {
                var (i, place) = (byId[id], nodes.Count);
                if (place > byId.Count)
                    throw new InvalidDataException("A tree of the ensemble leads back into itself.");
                nodes.Add(default);
                if (modes[i] == "LEAF")
                {
                    nodes[place] = new(-1, 0, 0, 0, false, leaves.GetValueOrDefault((tree, id)));
                    return place;
                }

                var (left, right) = (Add(byId, lefts[i]), Add(byId, rights[i]));
                nodes[place] = new((int)features[i], values[i], left, right, missing is { Length: > 0 } && missing[i] == 1, 0);
                return place;
            }
        }

        var start = node.Numbers.GetValueOrDefault("base_values") switch { null or [] => 0.0, [var only] => only, [var first, var second] => second - first, _ => throw new InvalidDataException("The ensemble has several base values.") };
        // Averaged probabilities of forests stand around one half, margins of boosting around zero.
        var forest = columns.Length == 1 && node.Texts.GetValueOrDefault("post_transform") is null or ["NONE"] && leaves.Values.All(value => value is >= 0 and <= 1) && prefix == "class";
        return new(all, (int)features.Max() + 1, forest ? start - 0.5 : start, leftIncludesThreshold: branches is not ["BRANCH_LT"]);
    }
}
