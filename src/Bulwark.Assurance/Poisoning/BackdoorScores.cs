namespace Bulwark.Assurance;

/// <summary>Signs of poisoned rows and of backdoors in what a network makes of its rows. Evidence, not proof: an attacker who knows a screen can pass it.</summary>
internal static class BackdoorScores
{
    private const int PowerSteps = 500;
    private const int GroupingSteps = 100;

    /// <summary>Squared projection of each row on the direction in which a class varies most: poisoned rows stand out.</summary>
    /// <remarks>Source: Tran, Li and Madry, "Spectral Signatures in Backdoor Attacks", NeurIPS 2018, Algorithm 1 (arXiv:1811.00636). Remove 1.5 times the poisoned share that is feared, largest first.</remarks>
    /// <param name="representations">Shape (rows, width): one class's.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="scores">Shape (rows); overwritten.</param>
    /// <returns>The largest singular value of the centred rows.</returns>
    internal static double Spectral(ReadOnlySpan<double> representations, int width, Span<double> scores)
    {
        var centred = Centred(representations, width);
        var direction = Direction(centred, width);
        var squares = 0.0;
        for (var row = 0; row < scores.Length; row++)
        {
            var projection = Dot(centred.AsSpan(row * width, width), direction);
            scores[row] = projection * projection;
            squares += scores[row];
        }

        return Math.Sqrt(squares);
    }

    /// <summary>As <see cref="Spectral"/>, with the scores of trusted rows along the same direction beside.</summary>
    internal static (double[] Scores, double[] Trusted) SpectralBeside(double[] representations, double[] trusted, int width)
    {
        var rows = representations.Length / width;
        var direction = Direction(Centred(representations, width), width);
        double[] along = [.. Enumerable.Range(0, rows).Select(row => Dot(representations.AsSpan(row * width, width), direction))];
        var mean = along.Average();
        return ([.. along.Select(value => (value - mean) * (value - mean))], [.. Enumerable.Range(0, trusted.Length / width).Select(row => Math.Pow(Dot(trusted.AsSpan(row * width, width), direction) - mean, 2))]);
    }

    /// <summary>Two groups of a class's rows, by where they fall on the directions in which they vary most; a small group apart is suspect.</summary>
    /// <remarks>Source: Chen et al., "Detecting Backdoor Attacks on Deep Neural Networks by Activation Clustering", 2018 (arXiv:1811.03728). Suspect: below 35 % of the rows, or a silhouette above 0.1.</remarks>
    /// <returns>For each row 0 or 1; 1 is the smaller group.</returns>
    internal static int[] TwoGroups(ReadOnlySpan<double> representations, int width, int directions = 10)
    {
        var rows = representations.Length / width;
        var rest = Centred(representations, width);
        var reduced = new double[rows * int.Min(directions, width)];
        for (var k = 0; k < reduced.Length / Math.Max(1, rows); k++)
        {
            var direction = Direction(rest, width);
            for (var row = 0; row < rows; row++)
            {
                var one = rest.AsSpan(row * width, width);
                var along = Dot(one, direction);
                reduced[(row * (reduced.Length / rows)) + k] = along;
                for (var j = 0; j < width; j++)
                    one[j] -= along * direction[j];
            }
        }

        return Split(reduced, reduced.Length / Math.Max(1, rows), rows);
    }

    /// <summary>Mean silhouette of a grouping: near 1 for groups far apart, near 0 for none.</summary>
    /// <remarks>Source: Rousseeuw, J. Comput. Appl. Math. 20 (1987). Euclidean.</remarks>
    internal static double Silhouette(ReadOnlySpan<double> points, int width, ReadOnlySpan<int> groups)
    {
        var (rows, sum) = (groups.Length, 0.0);
        Span<double> total = stackalloc double[2];
        Span<int> count = stackalloc int[2];
        for (var row = 0; row < rows; row++)
        {
            total.Clear();
            count.Clear();
            for (var other = 0; other < rows; other++)
            {
                if (other == row)
                    continue;
                total[groups[other]] += Distance(points.Slice(row * width, width), points.Slice(other * width, width));
                count[groups[other]]++;
            }

            var (own, foreign) = (groups[row], 1 - groups[row]);
            if (count[own] == 0 || count[foreign] == 0)
                continue;
            var (inside, outside) = (total[own] / count[own], total[foreign] / count[foreign]);
            sum += (outside - inside) / Math.Max(inside, outside);
        }

        return sum / rows;
    }

    /// <summary>How far each class's smallest trigger is from the median, in median deviations; above 2 and below the median is suspect.</summary>
    /// <remarks>Source: Wang et al., "Neural Cleanse", IEEE S&amp;P 2019, section IV-C.</remarks>
    internal static double[] AnomalyIndex(IReadOnlyList<double> norms)
    {
        var median = Median(norms);
        var deviation = 1.4826 * Median([.. norms.Select(norm => Math.Abs(norm - median))]);
        return [.. norms.Select(norm => Math.Abs(norm - median) / deviation)];
    }

    private static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static double[] Centred(ReadOnlySpan<double> points, int width)
    {
        if (width < 1 || points.IsEmpty || points.Length % width != 0)
            throw new ArgumentException($"{points.Length} values do not make rows of {width}.", nameof(points));
        var (rows, centred) = (points.Length / width, points.ToArray());
        for (var j = 0; j < width; j++)
        {
            var mean = 0.0;
            for (var row = 0; row < rows; row++)
                mean += points[(row * width) + j] / rows;
            for (var row = 0; row < rows; row++)
                centred[(row * width) + j] -= mean;
        }

        return centred;
    }

    /// <summary>The direction in which rows vary most, by power iteration on their second moments.</summary>
    private static double[] Direction(double[] centred, int width)
    {
        var (rows, moments) = (centred.Length / width, new double[width * width]);
        for (var row = 0; row < rows; row++)
        {
            for (var i = 0; i < width; i++)
            {
                for (var j = 0; j < width; j++)
                    moments[(i * width) + j] += centred[(row * width) + i] * centred[(row * width) + j];
            }
        }

        var draws = new SeededDraws(1);
        double[] direction = [.. Enumerable.Range(0, width).Select(_ => draws.Normal())];
        for (var step = 0; step < PowerSteps; step++)
        {
            double[] next = [.. Enumerable.Range(0, width).Select(i => Dot(moments.AsSpan(i * width, width), direction))];
            var length = Math.Sqrt(Dot(next, next));
            if (length == 0)
                return new double[width];
            for (var j = 0; j < width; j++)
                direction[j] = next[j] / length;
        }

        return direction;
    }

    /// <summary>Two means, from the two rows furthest apart along the first direction.</summary>
    private static int[] Split(double[] points, int width, int rows)
    {
        int[] order = [.. Enumerable.Range(0, rows).OrderBy(row => points[row * width])];
        double[][] means = [points[(order[0] * width)..((order[0] + 1) * width)], points[(order[^1] * width)..((order[^1] + 1) * width)]];
        var groups = new int[rows];
        for (var step = 0; step < GroupingSteps; step++)
        {
            var changed = false;
            for (var row = 0; row < rows; row++)
            {
                var nearest = Distance(points.AsSpan(row * width, width), means[0]) <= Distance(points.AsSpan(row * width, width), means[1]) ? 0 : 1;
                (changed, groups[row]) = (changed || groups[row] != nearest, nearest);
            }

            if (!changed && step > 0)
                break;
            for (var group = 0; group < 2; group++)
            {
                int[] members = [.. Enumerable.Range(0, rows).Where(row => groups[row] == group)];
                if (members.Length > 0)
                    means[group] = [.. Enumerable.Range(0, width).Select(j => members.Average(row => points[(row * width) + j]))];
            }
        }

        return groups.Count(group => group == 1) * 2 > rows ? [.. groups.Select(group => 1 - group)] : groups;
    }

    private static double Dot(ReadOnlySpan<double> one, ReadOnlySpan<double> other)
    {
        var sum = 0.0;
        for (var j = 0; j < one.Length; j++)
            sum += one[j] * other[j];
        return sum;
    }

    private static double Distance(ReadOnlySpan<double> one, ReadOnlySpan<double> other)
    {
        var sum = 0.0;
        for (var j = 0; j < one.Length; j++)
            sum += (one[j] - other[j]) * (one[j] - other[j]);
        return Math.Sqrt(sum);
    }
}
