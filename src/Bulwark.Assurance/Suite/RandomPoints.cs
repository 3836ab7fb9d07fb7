namespace Bulwark.Assurance;

/// <summary>A target asked about points, each in place of one of the task's rows; the row that would be sent is what the model sees.</summary>
internal sealed class AskedRows(SuiteTask task)
{
    /// <summary>Which points come out wrong; one that no row can be sent for does not.</summary>
    internal bool[] Wrong(int[] rows, float[] points)
    {
        var (width, target) = (task.Target.Width, task.Target);
        var originals = new float[rows.Length * width];
        for (var i = 0; i < rows.Length; i++)
            task.Rows.AsSpan(rows[i] * width, width).CopyTo(originals.AsSpan(i * width));
        var sent = target.Send(points, originals);
        var wrong = target.Wrong(sent, [.. rows.Select(row => task.Labels[row])]);
        for (var i = 0; i < rows.Length; i++)
            wrong[i] &= target is not TabularTarget tabular || tabular.Space.Constraints.Reject(sent.AsSpan(i * width, width), originals.AsSpan(i * width, width)) is null;
        return wrong;
    }
}

/// <summary>Tries random points of the ball: uniform ones and its corners in turn. What it finds a better attack should have found.</summary>
internal static class RandomPoints
{
    internal static (float[] Points, int[] Spent) Search(AskedRows asked, TabularReach reach, float[] inputs, int[] labels, bool[] mutable, int tries, ulong seed)
    {
        var width = inputs.Length / Math.Max(1, labels.Length);
        var (points, spent) = ((float[])[.. inputs], new int[labels.Length]);
        var draws = Enumerable.Range(0, labels.Length).Select(row => SeededDraws.Of<float>(seed ^ 0xC0FFEE, inputs.AsSpan(row * width, width))).ToArray();
        var resisting = Enumerable.Range(0, labels.Length).ToList();
        for (var attempt = 0; attempt < tries && resisting.Count > 0; attempt++)
        {
            var candidates = new float[resisting.Count * width];
            for (var i = 0; i < resisting.Count; i++)
                Draw(draws[resisting[i]], reach, inputs.AsSpan(resisting[i] * width, width), candidates.AsSpan(i * width, width), mutable, corner: attempt % 2 == 1);
            var wrong = asked.Wrong([.. resisting], candidates);
            for (var i = resisting.Count - 1; i >= 0; i--)
            {
                spent[resisting[i]]++;
                if (!wrong[i])
                    continue;
                candidates.AsSpan(i * width, width).CopyTo(points.AsSpan(resisting[i] * width));
                resisting.RemoveAt(i);
            }
        }

        return (points, spent);
    }

    private static void Draw(SeededDraws draws, TabularReach reach, ReadOnlySpan<float> original, Span<float> point, bool[] mutable, bool corner)
    {
        original.CopyTo(point);
        for (var j = 0; j < point.Length; j++)
        {
            var shift = corner ? (draws.Uniform() < 0.5 ? -1 : 1) : reach.Norm == PerturbationNorm.Linf ? (draws.Uniform() * 2) - 1 : draws.Normal();
            point[j] += (float)(shift * reach.Epsilon);
        }

        new PerturbationBall<float>(reach.Norm, (float)reach.Epsilon, mutable).Project(original, point);
    }
}
