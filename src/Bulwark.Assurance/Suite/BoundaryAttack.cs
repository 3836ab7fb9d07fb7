namespace Bulwark.Assurance;

/// <summary>Evasion by decisions alone: a random walk along the boundary that creeps towards the original.</summary>
/// <remarks>
/// Source: Brendel, Rauber and Bethge, "Decision-Based Adversarial Attacks", ICLR 2018, Algorithm 1 (arXiv:1712.04248); both step lengths follow the share of recent successes. Distance is L2;
/// other norms are judged by the suite. Draws come from the seed and the row. Immutable and thread-safe.
/// </remarks>
internal sealed record BoundaryAttack
{
    private const int Window = 20;

    /// <summary>Questions that a row may cost.</summary>
    internal int Queries { get; init; } = 1000;

    internal PerturbationNorm Norm { get; init; }

    /// <summary>A misclassified point as near as this ends the walk.</summary>
    internal double Enough { get; init; }

    internal ulong Seed { get; init; }

    /// <summary>Perturbs each row; <paramref name="points"/> receives the nearest misclassified point found, or the row.</summary>
    /// <returns>Questions asked for each row.</returns>
    internal int[] Run(AskedRows asked, float[] inputs, int[] labels, bool[] mutable, float[] points)
    {
        inputs.CopyTo(points, 0);
        var (spent, width) = (new int[labels.Length], inputs.Length / Math.Max(1, labels.Length));
        for (var row = 0; row < labels.Length; row++)
            new Walk(this, asked, row, inputs[(row * width)..((row + 1) * width)], mutable).Run(points.AsSpan(row * width, width), out spent[row]);
        return spent;
    }

    private sealed class Walk(BoundaryAttack attack, AskedRows asked, int row, float[] original, bool[] mutable)
    {
        private readonly SeededDraws _draws = SeededDraws.Of<float>(attack.Seed ^ 0xB0, original);
        private int _spent;

        internal void Run(Span<float> found, out int spent)
        {
            var point = Start();
            var (sideways, towards, aside, ahead) = (0.1, 0.1, new Queue<bool>(), new Queue<bool>());
            while (point is not null && _spent < attack.Queries && PerturbationBall<float>.Distance(attack.Norm, point, original) > attack.Enough)
            {
                var moved = Orthogonal(point, sideways);
                var stays = Ask(moved);
                if (Note(aside, stays) is { } rate)
                    sideways = Math.Clamp(sideways * (rate > 0.5 ? 1.5 : rate < 0.2 ? 0.67 : 1), 1e-5, 1);
                if (!stays || _spent >= attack.Queries)
                    continue;
                var nearer = Nearer(moved, towards);
                var arrives = Ask(nearer);
                if (Note(ahead, arrives) is { } share)
                    towards = Math.Clamp(towards * (share > 0.5 ? 1.5 : share < 0.2 ? 0.67 : 1), 1e-5, 0.9);
                if (arrives)
                    point = nearer;
                else if (Length(moved) < Length(point))
                    point = moved;
            }

            point?.CopyTo(found);
            spent = _spent;
        }

        /// <summary>A random misclassified point, drawn to the original by bisection.</summary>
        private float[]? Start()
        {
            if (Ask(original))
                return original;
            for (var i = 0; i < 100 && _spent < attack.Queries; i++)
            {
                float[] point = [.. original.Select((value, j) => MayMove(j) ? (float)_draws.Uniform() : value)];
                if (!Ask(point))
                    continue;
                for (var (low, high) = (0.0, 1.0); high - low > 1e-3 && _spent < attack.Queries;)
                {
                    var middle = (low + high) / 2;
                    float[] between = [.. original.Zip(point, (from, to) => from + ((to - from) * (float)(middle / high)))];
                    if (Ask(between))
                        (point, high) = (between, middle);
                    else
                        low = middle;
                }

                return point;
            }

            return null;
        }

        /// <summary>A step on the sphere around the original.</summary>
        private float[] Orthogonal(float[] point, double step)
        {
            var radius = Length(point);
            double[] draw = [.. Enumerable.Range(0, point.Length).Select(j => MayMove(j) ? _draws.Normal() : 0)];
            double[] outwards = [.. point.Zip(original, (a, b) => (double)a - b)];
            var along = draw.Zip(outwards, (a, b) => a * b).Sum() / Math.Max(1e-30, radius * radius);
            for (var j = 0; j < draw.Length; j++)
                draw[j] -= along * outwards[j];
            var length = Math.Sqrt(Math.Max(1e-30, draw.Sum(value => value * value)));
            float[] moved = [.. point.Select((value, j) => (float)(value + (step * radius * draw[j] / length)))];
            // Back to the sphere, and into the box.
            var scale = radius / Math.Max(1e-30, Length(moved));
            for (var j = 0; j < moved.Length; j++)
                moved[j] = float.Clamp((float)(original[j] + ((moved[j] - original[j]) * scale)), 0, 1);
            return moved;
        }

        private float[] Nearer(float[] point, double share) => [.. original.Zip(point, (from, to) => to + ((from - to) * (float)share))];

        private double Length(float[] point) => PerturbationBall<float>.Distance(PerturbationNorm.L2, point, original);

        private bool MayMove(int j) => mutable.Length == 0 || mutable[j];

        private bool Ask(float[] point)
        {
            _spent++;
            return asked.Wrong([row], point)[0];
        }

        /// <summary>The share of successes once a window is full, which then begins anew.</summary>
        private static double? Note(Queue<bool> recent, bool success)
        {
            recent.Enqueue(success);
            if (recent.Count < Window)
                return null;
            var share = (double)recent.Count(one => one) / Window;
            recent.Clear();
            return share;
        }
    }
}
