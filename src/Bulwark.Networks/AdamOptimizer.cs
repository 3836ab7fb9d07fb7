using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bulwark.Networks.Kernels;

namespace Bulwark.Networks;

/// <summary>Adam: steps scaled by running means of the gradient and of its square.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
/// <remarks>Source: Kingma and Ba, "Adam", ICLR 2015, Algorithm 1 (arXiv:1412.6980).</remarks>
public sealed class AdamOptimizer<T> : IOptimizer<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] _mean;
    private readonly T[] _square;
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly T _epsilon;
    private int _steps;

    /// <summary>An optimiser at its start.</summary>
    /// <param name="parameters">Number of parameters.</param>
    /// <param name="beta1">Decay of the mean, from 0 to below 1.</param>
    /// <param name="beta2">Decay of the mean square, from 0 to below 1.</param>
    /// <param name="epsilon">Added to the root of the mean square; above 0.</param>
    public AdamOptimizer(int parameters, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
    {
        if (!(beta1 >= 0 && beta1 < 1))
            throw new ArgumentOutOfRangeException(nameof(beta1), beta1, "beta1 must be at least 0 and below 1.");
        if (!(beta2 >= 0 && beta2 < 1))
            throw new ArgumentOutOfRangeException(nameof(beta2), beta2, "beta2 must be at least 0 and below 1.");
        if (!(epsilon > 0))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "epsilon must be above 0.");
        _mean = new T[parameters];
        _square = new T[parameters];
        _beta1 = beta1;
        _beta2 = beta2;
        _epsilon = T.CreateTruncating(epsilon);
    }

    /// <inheritdoc/>
    public void Step(Span<T> parameters, ReadOnlySpan<T> gradient, T rate)
    {
        Fits.Length(parameters.Length, _mean.Length, nameof(parameters));
        Fits.Length(gradient.Length, _mean.Length, nameof(gradient));
        _steps++;
        var step = new Factors(
            T.CreateTruncating(_beta1),
            T.CreateTruncating(1 - _beta1),
            T.CreateTruncating(_beta2),
            T.CreateTruncating(1 - _beta2),
            rate / T.CreateTruncating(1 - Math.Pow(_beta1, _steps)),
            T.CreateTruncating(1 / Math.Sqrt(1 - Math.Pow(_beta2, _steps))),
            _epsilon);
        Update(parameters, gradient, _mean, _square, step);
    }

    /// <summary>The elements are independent: whole vectors and the rest take the same operations, unfused, and round alike.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Update(Span<T> parameters, ReadOnlySpan<T> gradient, Span<T> mean, Span<T> square, in Factors f)
    {
        ref var p = ref MemoryMarshal.GetReference(parameters);
        ref var g = ref MemoryMarshal.GetReference(gradient);
        ref var m = ref MemoryMarshal.GetReference(mean);
        ref var s = ref MemoryMarshal.GetReference(square);
        nuint i = 0;
        for (; i + (nuint)Vector<T>.Count <= (nuint)parameters.Length; i += (nuint)Vector<T>.Count)
        {
            var slope = Vector.LoadUnsafe(in g, i);
            var average = (Vector.LoadUnsafe(in m, i) * f.Keep1) + (slope * f.Take1);
            var power = (Vector.LoadUnsafe(in s, i) * f.Keep2) + (slope * slope * f.Take2);
            average.StoreUnsafe(ref m, i);
            power.StoreUnsafe(ref s, i);
            var root = (Vector.SquareRoot(power) * f.RootScale) + Vector.Create(f.Epsilon);
            (Vector.LoadUnsafe(in p, i) - (average * f.Rate / root)).StoreUnsafe(ref p, i);
        }

        for (var j = (int)i; j < parameters.Length; j++)
        {
            mean[j] = (mean[j] * f.Keep1) + (gradient[j] * f.Take1);
            square[j] = (square[j] * f.Keep2) + (gradient[j] * gradient[j] * f.Take2);
            parameters[j] -= mean[j] * f.Rate / ((T.Sqrt(square[j]) * f.RootScale) + f.Epsilon);
        }
    }

    private readonly record struct Factors(T Keep1, T Take1, T Keep2, T Take2, T Rate, T RootScale, T Epsilon);
}
