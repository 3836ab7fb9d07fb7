using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Bulwark.Privacy;

/// <summary>Gaussian noise for privacy, from <see cref="SecureRandom"/> by the Box–Muller transform.</summary>
/// <remarks>
/// Caveat: the noise is a rounded <see cref="float"/> or <see cref="double"/>. The accountants' guarantee is for real numbers; an adversary who sees the low-order bits of
/// a single sum may learn more than it says (Mironov, CCS 2012; Haney et al., arXiv:2207.13793). Sums here are rounded again by the
/// optimiser's later steps, which is no proof. The <see cref="float"/> draws reach 6.7 standard deviations: beyond lies 2.6e-11 of a normal distribution's mass.
/// Not thread-safe.
/// </remarks>
public sealed class SecureNoise : IDisposable
{
    private const int Chunk = 2048;
    private readonly SecureRandom _random = new();
    private readonly uint[] _bits = new uint[2 * Chunk];
    private readonly float[] _radius = new float[Chunk];
    private readonly float[] _angle = new float[Chunk];
    private readonly float[] _noise = new float[Chunk];

    /// <summary>Adds an independent normal draw with mean 0 to each value.</summary>
    /// <param name="values">Any length.</param>
    /// <param name="deviation">Standard deviation, finite, at least 0.</param>
    public void AddGaussian(Span<float> values, float deviation)
    {
        RequireDeviation(deviation);
        while (!values.IsEmpty)
        {
            Draw();
            var count = Math.Min(values.Length, 2 * Chunk);
            var cosines = Math.Min(count, Chunk);
            TensorPrimitives.Cos(_angle, _noise);
            TensorPrimitives.Multiply(_noise, _radius, _noise);
            TensorPrimitives.MultiplyAdd(_noise.AsSpan(0, cosines), deviation, values[..cosines], values[..cosines]);
            if (count > Chunk)
            {
                TensorPrimitives.Sin(_angle, _noise);
                TensorPrimitives.Multiply(_noise, _radius, _noise);
                TensorPrimitives.MultiplyAdd(_noise.AsSpan(0, count - Chunk), deviation, values[Chunk..count], values[Chunk..count]);
            }

            values = values[count..];
        }
    }

    /// <summary>Adds an independent normal draw with mean 0 to each value.</summary>
    /// <param name="values">Any length.</param>
    /// <param name="deviation">Standard deviation, finite, at least 0.</param>
    public void AddGaussian(Span<double> values, double deviation)
    {
        RequireDeviation(deviation);
        for (var i = 0; i < values.Length; i++)
            values[i] += deviation * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
    }

    /// <inheritdoc/>
    public void Dispose() => _random.Dispose();

    /// <summary>Radius √(−2 ln u) with u in (0, 1], angle in [0, 2π).</summary>
    private void Draw()
    {
        _random.Fill(MemoryMarshal.AsBytes(_bits.AsSpan()));
        for (var i = 0; i < Chunk; i++)
        {
            _radius[i] = (float)((_bits[i] + 1.0) * (1.0 / 4294967296.0));
            _angle[i] = (_bits[Chunk + i] >> 8) * (float)(2 * Math.PI / 16777216.0);
        }

        TensorPrimitives.Log(_radius, _radius);
        TensorPrimitives.Multiply(_radius, -2f, _radius);
        TensorPrimitives.Sqrt(_radius, _radius);
    }

    private static void RequireDeviation(double deviation)
    {
        if (!(deviation >= 0) || !double.IsFinite(deviation))
            throw new ArgumentOutOfRangeException(nameof(deviation), deviation, "The standard deviation must be finite and at least 0.");
    }
}
