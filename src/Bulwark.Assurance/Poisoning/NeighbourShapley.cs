using System.Numerics.Tensors;

namespace Bulwark.Assurance;

/// <summary>What each training row adds to the accuracy of a vote among nearest neighbours: exact Shapley values.</summary>
/// <remarks>Source: Jia et al., VLDB 2019, Theorem 1 (arXiv:1908.08619).</remarks>
internal static class NeighbourShapley
{
    /// <summary>One value a training row, the mean over the judging rows.</summary>
    /// <param name="rows">Shape (rows, width).</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="judges">Shape (judges, width).</param>
    /// <param name="judgeLabels">Shape (judges).</param>
    /// <param name="neighbours">K.</param>
    internal static double[] Values(double[] rows, int[] labels, double[] judges, int[] judgeLabels, int neighbours)
    {
        var (count, width) = (labels.Length, rows.Length / int.Max(1, labels.Length));
        if (count == 0 || judgeLabels.Length == 0 || judges.Length != judgeLabels.Length * width || rows.Length != count * width)
            throw new ArgumentException("Rows and judges must be of one width, and neither empty.", nameof(judges));
        var values = new double[count];
        var gate = new Lock();
        Parallel.For(0, judgeLabels.Length, () => (Order: new int[count], Distance: new double[count], Sum: new double[count]), (judge, _, mine) =>
        {
            var point = judges.AsSpan(judge * width, width);
            for (var row = 0; row < count; row++)
                (mine.Order[row], mine.Distance[row]) = (row, TensorPrimitives.Distance<double>(point, rows.AsSpan(row * width, width)));
            Array.Sort(mine.Distance, mine.Order);
            var worth = (labels[mine.Order[^1]] == judgeLabels[judge] ? 1.0 : 0) / count;
            mine.Sum[mine.Order[^1]] += worth;
            for (var i = count - 1; i >= 1; i--)
            {
                // Position i counts from 1: the row at i against the one behind it.
                var (here, behind) = (labels[mine.Order[i - 1]] == judgeLabels[judge] ? 1 : 0, labels[mine.Order[i]] == judgeLabels[judge] ? 1 : 0);
                worth += (double)(here - behind) / neighbours * Math.Min(neighbours, i) / i;
                mine.Sum[mine.Order[i - 1]] += worth;
            }

            return mine;
        }, mine =>
        {
            lock (gate)
                TensorPrimitives.Add(values, mine.Sum, values);
        });
        TensorPrimitives.Divide(values, judgeLabels.Length, values);
        return values;
    }
}
