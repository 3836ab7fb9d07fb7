using System.Numerics;
using System.Numerics.Tensors;

namespace Bulwark.Assurance;

/// <summary>The points that an attack may reach: within a distance of the original, within [0, 1], immutable values unmoved.</summary>
/// <typeparam name="T"><see cref="float"/> or <see cref="double"/>.</typeparam>
internal readonly ref struct PerturbationBall<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly ReadOnlySpan<bool> _mutable;

    internal PerturbationBall(PerturbationNorm norm, T epsilon, ReadOnlySpan<bool> mutable)
    {
        if (!(epsilon >= T.Zero) || !T.IsFinite(epsilon))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "The distance must be finite and at least 0.");
        Norm = norm;
        Epsilon = epsilon;
        _mutable = mutable;
    }

    internal PerturbationNorm Norm { get; }

    internal T Epsilon { get; }

    internal bool MayMove(int column) => _mutable.IsEmpty || _mutable[column];

    /// <summary>Zeroes what may not move; a gradient then never leads there.</summary>
    internal void Mask(Span<T> direction)
    {
        for (var j = 0; j < _mutable.Length; j++)
        {
            if (!_mutable[j])
                direction[j] = T.Zero;
        }
    }

    /// <summary>Clips first to the ball, then to [0, 1] (at once for L1); a value that may not move returns to its original.</summary>
    internal void Project(ReadOnlySpan<T> original, Span<T> point)
    {
        switch (Norm)
        {
            case PerturbationNorm.Linf:
                StepKernels.ClipToCube(original, Epsilon, point);
                break;
            case PerturbationNorm.L2:
                ProjectLength(original, point);
                StepKernels.ClipToBox(point);
                break;
            default:
                L1Projection.Project(original, Epsilon, point);
                break;
        }

        for (var j = 0; j < _mutable.Length; j++)
        {
            if (!_mutable[j])
                point[j] = original[j];
        }
    }

    /// <summary>How far apart two points are.</summary>
    internal static T Distance(PerturbationNorm norm, ReadOnlySpan<T> one, ReadOnlySpan<T> other)
    {
        if (norm == PerturbationNorm.L2)
            return TensorPrimitives.Distance(one, other);
        var (sum, largest) = (T.Zero, T.Zero);
        for (var j = 0; j < one.Length; j++)
        {
            var change = T.Abs(one[j] - other[j]);
            sum += change;
            largest = T.Max(largest, change);
        }

        return norm == PerturbationNorm.L1 ? sum : largest;
    }

    private void ProjectLength(ReadOnlySpan<T> original, Span<T> point)
    {
        var length = TensorPrimitives.Distance(point, original);
        if (!(length > Epsilon))
            return;
        var factor = Epsilon / length;
        for (var j = 0; j < point.Length; j++)
            point[j] = original[j] + ((point[j] - original[j]) * factor);
    }
}
