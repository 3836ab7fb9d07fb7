using System.Numerics;
using System.Numerics.Tensors;

namespace Bulwark.Assurance;

/// <summary>The shortest way from a point to a hyperplane within [0, 1].</summary>
/// <remarks>
/// Each value moves against the plane's side by an amount that grows with one multiplier and stops at the box: equally for Linf, in proportion to the
/// normal for L2, one value after the other in the normal's order for L1. Sorting the stops gives the multiplier (Croce and Hein, arXiv:1907.02044, section 3.1).
/// </remarks>
internal sealed class HyperplaneStep<T>(PerturbationNorm norm, int width, bool[] mutable)
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T[] _here = new T[width];
    private readonly T[] _home = new T[width];
    private readonly T[] _stops = new T[width];
    private readonly int[] _order = new int[width];

    /// <summary>One step of the attack: x ← (1 - a)(x + overshoot · d) + a(original + overshoot · d0), clipped; a follows from how near both planes are.</summary>
    /// <param name="original">Shape (width).</param>
    /// <param name="point">Shape (width); moved.</param>
    /// <param name="normal">Shape (width): the lead's derivative at the point; masked in place.</param>
    /// <param name="lead">The lead at the point: below 0 while it is classified rightly.</param>
    /// <param name="overshoot">Above 1: across the plane.</param>
    /// <param name="largestPull">Most of the share that starts from the original.</param>
    internal void Move(ReadOnlySpan<T> original, Span<T> point, Span<T> normal, T lead, T overshoot, T largestPull)
    {
        for (var j = 0; j < mutable.Length; j++)
        {
            if (!mutable[j])
                normal[j] = T.Zero;
        }

        // lead + normal · (x - point) = 0 is the plane; at the original the linear model says lead + normal · (original - point).
        Towards(point, normal, lead, _here);
        Towards(original, normal, lead + TensorPrimitives.Dot<T>(normal, original) - TensorPrimitives.Dot<T>(normal, point), _home);
        var floor = T.CreateTruncating(1e-8);
        var (here, home) = (T.Max(Length(_here), floor), T.Max(Length(_home), floor));
        var pull = T.Min(here / (here + home), largestPull);
        for (var j = 0; j < point.Length; j++)
        {
            var moved = ((point[j] + (overshoot * _here[j])) * (T.One - pull)) + ((original[j] + (overshoot * _home[j])) * pull);
            point[j] = normal[j] == T.Zero && mutable.Length > 0 && !mutable[j] ? original[j] : T.Clamp(moved, T.Zero, T.One);
        }
    }

    /// <summary>The displacement of smallest norm that brings <paramref name="lead"/> to 0, or as near as the box allows.</summary>
    internal void Towards(ReadOnlySpan<T> point, ReadOnlySpan<T> normal, T lead, Span<T> displacement)
    {
        displacement.Clear();
        var wanted = T.Abs(lead);
        var upwards = lead < T.Zero;
        for (var j = 0; j < width; j++)
        {
            var size = T.Abs(normal[j]);
            var room = normal[j] > T.Zero == upwards ? T.One - point[j] : point[j];
            _order[j] = j;
            _stops[j] = norm switch
            {
                PerturbationNorm.Linf => size > T.Zero ? room : T.PositiveInfinity,
                PerturbationNorm.L2 => size > T.Zero ? room / size : T.PositiveInfinity,
                _ => -size,
            };
        }

        _stops.AsSpan().Sort(_order.AsSpan());
        if (norm == PerturbationNorm.L1)
            Greedy(point, normal, wanted, upwards, displacement);
        else
            Spread(point, normal, wanted, upwards, displacement);
    }

    private void Greedy(ReadOnlySpan<T> point, ReadOnlySpan<T> normal, T wanted, bool upwards, Span<T> displacement)
    {
        foreach (var j in _order)
        {
            var size = T.Abs(normal[j]);
            if (!(wanted > T.Zero) || size == T.Zero)
                return;
            var up = normal[j] > T.Zero == upwards;
            var length = T.Min(up ? T.One - point[j] : point[j], wanted / size);
            displacement[j] = up ? length : -length;
            wanted -= length * size;
        }
    }

    /// <summary>Σ |n| · min(m · weight, room) = wanted; weight is 1 for Linf and |n| for L2.</summary>
    private void Spread(ReadOnlySpan<T> point, ReadOnlySpan<T> normal, T wanted, bool upwards, Span<T> displacement)
    {
        var slope = T.Zero;
        foreach (var value in normal)
            slope += Slope(value);
        var (multiplier, gained) = (T.Zero, T.Zero);
        foreach (var (stop, j) in _stops.Zip(_order))
        {
            if (!T.IsFinite(stop) || !(slope > T.Zero))
                break;
            var reached = gained + (slope * (stop - multiplier));
            if (reached >= wanted)
                break;
            (gained, multiplier) = (reached, stop);
            slope -= Slope(normal[j]);
        }

        if (slope > T.Zero && gained < wanted)
            multiplier += (wanted - gained) / slope;
        for (var j = 0; j < width; j++)
        {
            var size = T.Abs(normal[j]);
            if (size == T.Zero)
                continue;
            var up = normal[j] > T.Zero == upwards;
            var length = T.Min(norm == PerturbationNorm.L2 ? multiplier * size : multiplier, up ? T.One - point[j] : point[j]);
            displacement[j] = up ? length : -length;
        }
    }

    private T Slope(T value) => norm == PerturbationNorm.L2 ? value * value : T.Abs(value);

    private T Length(ReadOnlySpan<T> displacement) => PerturbationBall<T>.Distance(norm, displacement, new T[width]);
}
