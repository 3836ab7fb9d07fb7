using System.Globalization;
using System.Text.Json;

namespace Bulwark.Assurance;

/// <summary>Reads tree ensembles of other tools: an XGBoost JSON dump, an XGBoost JSON model, a LightGBM text model. Binary, numeric splits.</summary>
internal static class TreeFile
{
    /// <param name="text">The file.</param>
    /// <exception cref="InvalidDataException">It is none of these, or has categorical splits, several classes or another booster.</exception>
    internal static TreeEnsemble Read(string text)
    {
        try
        {
            if (text.AsSpan().TrimStart() is ['[' or '{', ..])
            {
                using var document = JsonDocument.Parse(text);
                return document.RootElement.ValueKind == JsonValueKind.Array ? FromDump(document.RootElement) : FromXgboost(document.RootElement);
            }

            return FromLightGbm(text);
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or IndexOutOfRangeException or OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"The file is no tree ensemble that is understood: {fault.Message}", fault);
        }
    }

    /// <summary>A dump: each tree a nested object; <c>yes</c> is taken below the threshold.</summary>
    internal static TreeEnsemble FromDump(JsonElement trees)
    {
        var features = 0;
        List<TreeNode[]> all = [.. trees.EnumerateArray().Select(tree =>
        {
            var nodes = new List<TreeNode>();
            Add(tree, nodes, ref features);
            return nodes.ToArray();
        })];
        return new(all, int.Max(1, features));
    }

    private static int Add(JsonElement node, List<TreeNode> nodes, ref int features)
    {
        var place = nodes.Count;
        if (node.TryGetProperty("leaf", out var leaf))
        {
            nodes.Add(new(-1, 0, 0, 0, false, leaf.GetDouble()));
            return place;
        }

        var name = node.GetProperty("split").GetString()!;
        var feature = int.Parse(name.AsSpan(name.StartsWith('f') ? 1 : 0), CultureInfo.InvariantCulture);
        features = int.Max(features, feature + 1);
        nodes.Add(default);
        var (yes, missing) = (node.GetProperty("yes").GetInt32(), node.GetProperty("missing").GetInt32());
        var (left, right) = (-1, -1);
        foreach (var child in node.GetProperty("children").EnumerateArray())
        {
            if (child.GetProperty("nodeid").GetInt32() == yes)
                left = Add(child, nodes, ref features);
            else
                right = Add(child, nodes, ref features);
        }

        nodes[place] = new(feature, node.GetProperty("split_condition").GetSingle(), left, right, missing == yes, 0);
        return place;
    }

    private static TreeEnsemble FromXgboost(JsonElement root)
    {
        var learner = root.GetProperty("learner");
        var parameters = learner.GetProperty("learner_model_param");
        if (int.Parse(parameters.GetProperty("num_class").GetString()!, CultureInfo.InvariantCulture) > 1)
            throw new InvalidDataException("The ensemble has several classes; attacks on trees are for two.");
        var baseScore = double.Parse(parameters.GetProperty("base_score").GetString()!.Trim('[', ']'), CultureInfo.InvariantCulture);
        var logistic = learner.GetProperty("objective").GetProperty("name").GetString()!.Contains("logistic", StringComparison.Ordinal);
        List<TreeNode[]> trees = [.. learner.GetProperty("gradient_booster").GetProperty("model").GetProperty("trees").EnumerateArray().Select(FromArrays)];
        return new(trees, int.Parse(parameters.GetProperty("num_feature").GetString()!, CultureInfo.InvariantCulture), logistic ? Math.Log(baseScore / (1 - baseScore)) : baseScore);
    }

    private static TreeNode[] FromArrays(JsonElement tree)
    {
        if (tree.TryGetProperty("categories_nodes", out var categories) && categories.GetArrayLength() > 0)
            throw new InvalidDataException("The ensemble has categorical splits; only numeric ones are understood.");
        JsonElement[] Items(string name) => [.. tree.GetProperty(name).EnumerateArray()];
        var (lefts, rights, features, conditions) = (Items("left_children"), Items("right_children"), Items("split_indices"), Items("split_conditions"));
        var defaults = Items("default_left");
        return [.. lefts.Select((left, at) => left.GetInt32() < 0
            ? new TreeNode(-1, 0, 0, 0, false, conditions[at].GetDouble())
            : new TreeNode(features[at].GetInt32(), conditions[at].GetSingle(), left.GetInt32(), rights[at].GetInt32(), defaults[at].ValueKind == JsonValueKind.True || (defaults[at].ValueKind == JsonValueKind.Number && defaults[at].GetInt32() == 1), 0))];
    }

    /// <summary>LightGBM's text: arrays of splits and of leaves; a negative child is a leaf; at or below the threshold goes left.</summary>
    private static TreeEnsemble FromLightGbm(string text)
    {
        var (trees, features, block) = (new List<TreeNode[]>(), 0, new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd('\r')).Append("Tree="))
        {
            if (line.StartsWith("Tree=", StringComparison.Ordinal) || line.StartsWith("end of trees", StringComparison.Ordinal))
            {
                if (block.ContainsKey("leaf_value"))
                    trees.Add(FromBlock(block));
                block.Clear();
                continue;
            }

            if (line.IndexOf('=', StringComparison.Ordinal) is > 0 and var sign)
            {
                block[line[..sign]] = line[(sign + 1)..];
                if (line.StartsWith("max_feature_idx=", StringComparison.Ordinal))
                    features = int.Parse(line.AsSpan(sign + 1), CultureInfo.InvariantCulture) + 1;
                if (line.StartsWith("num_class=", StringComparison.Ordinal) && line[(sign + 1)..] != "1")
                    throw new InvalidDataException("The ensemble has several classes; attacks on trees are for two.");
            }
        }

        return new(trees, features, leftIncludesThreshold: true);
    }

    private static TreeNode[] FromBlock(Dictionary<string, string> block)
    {
        double[] Values(string name) => block.TryGetValue(name, out var text) ? [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(part => double.Parse(part, CultureInfo.InvariantCulture))] : [];
        var (features, thresholds, kinds) = (Values("split_feature"), Values("threshold"), Values("decision_type"));
        var (lefts, rights, leaves) = (Values("left_child"), Values("right_child"), Values("leaf_value"));
        var nodes = new List<TreeNode>();
        Add(features.Length == 0 ? -1 : 0);
        return [.. nodes];

        int Add(int at)
        {
            var place = nodes.Count;
            if (at < 0)
            {
                nodes.Add(new(-1, 0, 0, 0, false, leaves[~at]));
                return place;
            }

            if (((int)kinds[at] & 1) != 0)
                throw new InvalidDataException("The ensemble has categorical splits; only numeric ones are understood.");
            nodes.Add(default);
            var (left, right) = (Add((int)lefts[at]), Add((int)rights[at]));
            // Rows are single precision: the largest such number not above the threshold decides alike.
            var threshold = (float)thresholds[at];
            nodes[place] = new((int)features[at], threshold > thresholds[at] ? MathF.BitDecrement(threshold) : threshold, left, right, ((int)kinds[at] & 2) != 0, 0);
            return place;
        }
    }
}
