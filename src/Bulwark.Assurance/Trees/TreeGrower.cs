namespace Bulwark.Assurance;

/// <summary>Grows one tree of <see cref="TreeTrainer"/>.</summary>
internal sealed class TreeGrower(TreeCells cells, TreeTrainingOptions options, double[] slopes, double[] bends)
{
    private readonly List<TreeNode> _nodes = [];

    /// <summary>The tree; adds its answers to the rows' margins.</summary>
    internal TreeNode[] Grow(double[] margins)
    {
        Split([.. Enumerable.Range(0, cells.Rows)], options.Depth, margins);
        return [.. _nodes];
    }

    private int Split(int[] rows, int depth, double[] margins)
    {
        var place = _nodes.Count;
        _nodes.Add(default);
        var total = Sum.Of(rows, slopes, bends);
        var best = depth > 0 && rows.Length > 1 ? Best(rows, total) : null;
        if (best is not { } cut)
        {
            var value = -options.LearningRate * total.Slope / (total.Bend + options.Lambda);
            foreach (var row in rows)
                margins[row] += value;
            _nodes[place] = new(-1, 0, 0, 0, false, value);
            return place;
        }

        var bins = cells.At[cut.Feature];
        var left = Split(Array.FindAll(rows, row => bins[row] <= cut.Index), depth - 1, margins);
        var right = Split(Array.FindAll(rows, row => bins[row] > cut.Index), depth - 1, margins);
        _nodes[place] = new(cut.Feature, cells.Cuts[cut.Feature][cut.Index], left, right, false, 0);
        return place;
    }

    private (int Feature, int Index)? Best(int[] rows, Sum total)
    {
        (int, int)? best = null;
        var most = 1e-9;
        for (var feature = 0; feature < cells.Width; feature++)
        {
            var cuts = cells.Cuts[feature].Length;
            if (cuts == 0)
                continue;
            var at = Histogram(cells.At[feature], rows, cuts);
            var attacked = !ReferenceEquals(cells.Up[feature], cells.At[feature]);
            var (up, down) = attacked ? (Histogram(cells.Up[feature], rows, cuts), Histogram(cells.Down[feature], rows, cuts)) : (at, at);
            Sum left = default, sure = default, able = default;
            for (var index = 0; index < cuts; index++)
            {
                (left, sure, able) = (left + at[index], sure + up[index], able + down[index]);
                var gain = Gain(left, total);
                if (attacked)
                    gain = Math.Min(Math.Min(gain, Gain(able, total)), Math.Min(Gain(sure, total), Gain(sure + able - left, total)));
                if (gain > most)
                    (most, best) = (gain, (feature, index));
            }
        }

        return best;
    }

    private Sum[] Histogram(byte[] bins, int[] rows, int cuts)
    {
        var sums = new Sum[cuts + 1];
        foreach (var row in rows)
        {
            ref var sum = ref sums[bins[row]];
            sum = new(sum.Slope + slopes[row], sum.Bend + bends[row]);
        }

        return sums;
    }

    /// <summary>What a split that sends <paramref name="left"/> to the left takes off the loss; nothing when a child is too light.</summary>
    private double Gain(Sum left, Sum total)
    {
        var right = total - left;
        if (left.Bend < options.LeastChild || right.Bend < options.LeastChild)
            return double.NegativeInfinity;
        double Worth(Sum sum) => sum.Slope * sum.Slope / (sum.Bend + options.Lambda);
        return Worth(left) + Worth(right) - Worth(total);
    }

    private readonly record struct Sum(double Slope, double Bend)
    {
        internal static Sum Of(int[] rows, double[] slopes, double[] bends)
        {
            var (slope, bend) = (0.0, 0.0);
            foreach (var row in rows)
                (slope, bend) = (slope + slopes[row], bend + bends[row]);
            return new(slope, bend);
        }

        public static Sum operator +(Sum one, Sum other) => new(one.Slope + other.Slope, one.Bend + other.Bend);

        public static Sum operator -(Sum one, Sum other) => new(one.Slope - other.Slope, one.Bend - other.Bend);
    }
}
