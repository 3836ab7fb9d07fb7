namespace Bulwark.Assurance;

/// <summary>Evasion by decisions alone: walks along the boundary towards the original, its direction estimated from answers around a boundary point.</summary>
/// <remarks>
/// Source: Chen, Jordan and Wainwright, "HopSkipJumpAttack", IEEE S&amp;P 2020, Algorithm 2 (arXiv:1904.02144), L2 and Linf (L1 walks as L2). Draws
/// come from the seed and the row. Immutable and thread-safe.
/// </remarks>
internal sealed record HopSkipJump
{
    private const int FirstDraws = 100;
    private const int MostDraws = 10_000;

    internal PerturbationNorm Norm { get; init; }

    /// <summary>Questions that a row may cost.</summary>
    internal int Queries { get; init; } = 1000;

    /// <summary>A misclassified point as near as this ends the walk.</summary>
    internal double Enough { get; init; }

    internal ulong Seed { get; init; }

    /// <summary>Perturbs each row; <paramref name="points"/> receives the nearest misclassified point found, or the row.</summary>
    /// <returns>Questions asked for each row.</returns>
    internal int[] Run(AskedRows asked, float[] inputs, int[] labels, bool[] mutable, float[] points)
    {
        inputs.CopyTo(points, 0);
        var spent = new int[labels.Length];
        var width = inputs.Length / Math.Max(1, labels.Length);
        for (var row = 0; row < labels.Length; row++)
            new Walk(this, asked, row, inputs.AsSpan(row * width, width).ToArray(), mutable).Run(points.AsSpan(row * width, width), out spent[row]);
        return spent;
    }

    private sealed class Walk(HopSkipJump attack, AskedRows asked, int row, float[] original, bool[] mutable)
    {
        private readonly SeededDraws _draws = SeededDraws.Of<float>(attack.Seed, original);
        private readonly int _width = original.Length;
        private int _spent;

        private double Theta => attack.Norm == PerturbationNorm.Linf ? Math.Pow(_width, -2) : Math.Pow(_width, -1.5);

        private int Left => attack.Queries - _spent;

        internal void Run(Span<float> found, out int spent)
        {
            if (Ask(original))
            {
                spent = _spent;
                return;
            }

            if (Start() is not { } point)
            {
                spent = _spent;
                return;
            }

            point = Blend(point);
            for (var step = 1; Left > 0 && Distance(point) > attack.Enough; step++)
            {
                var direction = Direction(point, step);
                if (direction is null)
                    break;
                var next = Jump(point, direction, Distance(point) / Math.Sqrt(step));
                if (next is null)
                    continue;
                next = Blend(next);
                if (Distance(next) < Distance(point))
                    point = next;
            }

            point.CopyTo(found);
            spent = _spent;
        }

        private float[]? Start()
        {
            for (var i = 0; i < 100 && Left > 0; i++)
            {
                float[] point = [.. original.Select((value, j) => mutable.Length > 0 && !mutable[j] ? value : (float)_draws.Uniform())];
                if (Ask(point))
                    return point;
            }

            return null;
        }

        /// <summary>The misclassified point nearest to the boundary between the original and a misclassified one.</summary>
        private float[] Blend(float[] point)
        {
            var (near, far) = (0.0, 1.0);
            var distance = Distance(point);
            while (Left > 0 && (far - near) * distance > Theta * Math.Max(distance, 1e-3) && far - near > 1e-4)
            {
                var middle = (near + far) / 2;
                if (Ask(Between(point, middle)))
                    far = middle;
                else
                    near = middle;
            }

            return Between(point, far);
        }

        /// <summary>In Linf the change is cut at a radius, else shortened.</summary>
        private float[] Between(float[] point, double share)
        {
            if (attack.Norm != PerturbationNorm.Linf)
                return [.. original.Zip(point, (from, to) => from + ((to - from) * (float)share))];
            var radius = (float)(share * Distance(point));
            return [.. original.Zip(point, (from, to) => share == 1 ? to : float.Clamp(to, from - radius, from + radius))];
        }

        private float[]? Direction(float[] point, int step)
        {
            var distance = Distance(point);
            var radius = step == 1 ? 0.1 : (attack.Norm == PerturbationNorm.Linf ? _width : Math.Sqrt(_width)) * Theta * distance;
            radius = Math.Max(radius, 1e-4);
            var count = int.Min(Left, int.Min((int)(FirstDraws * Math.Sqrt(step)), MostDraws));
            if (count < 2)
                return null;
            var (draws, points) = (new float[count][], new float[count * _width]);
            for (var b = 0; b < count; b++)
            {
                float[] draw = [.. Enumerable.Range(0, _width).Select(j => mutable.Length > 0 && !mutable[j] ? 0 : (float)(attack.Norm == PerturbationNorm.Linf ? (_draws.Uniform() * 2) - 1 : _draws.Normal()))];
                var length = (float)Math.Sqrt(draw.Sum(value => value * value));
                for (var j = 0; j < _width; j++)
                {
                    points[(b * _width) + j] = float.Clamp(point[j] + ((float)radius * draw[j] / length), 0, 1);
                    draw[j] = (points[(b * _width) + j] - point[j]) / (float)radius;
                }

                draws[b] = draw;
            }

            var wrong = asked.Wrong([.. Enumerable.Repeat(row, count)], points);
            _spent += count;
            var mean = (2.0 * wrong.Count(true) / count) - 1;
            var gradient = new float[_width];
            for (var b = 0; b < count; b++)
            {
                var weight = (float)((wrong[b] ? 1 : -1) - (Math.Abs(mean) < 1 ? mean : 0));
                for (var j = 0; j < _width; j++)
                    gradient[j] += weight * draws[b][j];
            }

            var norm = (float)Math.Sqrt(gradient.Sum(value => value * value));
            if (norm == 0)
                return null;
            return [.. gradient.Select(value => attack.Norm == PerturbationNorm.Linf ? Math.Sign(value) : value / norm)];
        }

        private float[]? Jump(float[] point, float[] direction, double length)
        {
            for (; Left > 0 && length > 1e-6; length /= 2)
            {
                float[] ahead = [.. point.Zip(direction, (value, towards) => float.Clamp(value + ((float)length * towards), 0, 1))];
                if (Ask(ahead))
                    return ahead;
            }

            return null;
        }

        private bool Ask(float[] point)
        {
            _spent++;
            return asked.Wrong([row], point)[0];
        }

        private double Distance(float[] point) => PerturbationBall<float>.Distance(attack.Norm, point, original);
    }
}
