using System.Numerics;
using System.Runtime.InteropServices;

namespace Bulwark.Assurance;

/// <summary>Draws for attacks: the same seed gives the same draws on every machine (SplitMix64, Steele, Lea and Flood, OOPSLA 2014). Not for secrets.</summary>
internal sealed class SeededDraws(ulong seed)
{
    private ulong _state = seed;

    internal ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>In [0, 1).</summary>
    internal double Uniform() => (Next() >> 11) * (1.0 / (1ul << 53));

    /// <summary>From 0 to below <paramref name="count"/>.</summary>
    internal int Below(int count) => (int)(Uniform() * count);

    /// <summary>Standard normal. Source: Box and Muller, 1958.</summary>
    internal double Normal() => Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    /// <summary>A row's own draws: they depend on the seed and on what the row holds, so that neither batch nor shard nor order changes a result.</summary>
    internal static SeededDraws Of<T>(ulong seed, ReadOnlySpan<T> row)
        where T : unmanaged
    {
        var hash = seed ^ 0xCBF29CE484222325;   // FNV-1a
        foreach (var part in MemoryMarshal.AsBytes(row))
            hash = (hash ^ part) * 0x100000001B3;
        return new SeededDraws(new SeededDraws(hash).Next());
    }
}

/// <summary>Random points of a perturbation ball.</summary>
internal static class RandomStarts
{
    internal static void Scatter<T>(PerturbationBall<T> ball, ReadOnlySpan<T> inputs, Span<T> points, int width, ulong seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var at = 0; at < inputs.Length; at += width)
        {
            var original = inputs.Slice(at, width);
            var draws = SeededDraws.Of(seed, original);
            var point = points.Slice(at, width);
            for (var j = 0; j < width; j++)
            {
                var shift = T.CreateTruncating(ball.Norm == PerturbationNorm.Linf ? (draws.Uniform() * 2) - 1 : draws.Normal());
                if (ball.MayMove(j))
                    point[j] += shift * ball.Epsilon;
            }

            ball.Project(original, point);
        }
    }
}
