using System.Numerics;
using System.Runtime.InteropServices;

namespace Bulwark.Assurance;

/// <summary>The inner loops of a gradient step, a vector at a time.</summary>
internal static class StepKernels
{
    /// <summary>point += step · sign(direction); the sign of 0 is 0.</summary>
    internal static void AddSigns<T>(ReadOnlySpan<T> direction, T step, Span<T> point)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var signs = MemoryMarshal.Cast<T, Vector<T>>(direction);
        var values = MemoryMarshal.Cast<T, Vector<T>>(point);
        var (up, down) = (new Vector<T>(step), new Vector<T>(-step));
        for (var i = 0; i < values.Length; i++)
            values[i] += Vector.ConditionalSelect(Vector.GreaterThan(signs[i], Vector<T>.Zero), up, Vector.ConditionalSelect(Vector.LessThan(signs[i], Vector<T>.Zero), down, Vector<T>.Zero));
        for (var j = values.Length * Vector<T>.Count; j < point.Length; j++)
            point[j] += direction[j] > T.Zero ? step : direction[j] < T.Zero ? -step : T.Zero;
    }

    /// <summary>Clips each value to its original ± epsilon, then to [0, 1].</summary>
    internal static void ClipToCube<T>(ReadOnlySpan<T> original, T epsilon, Span<T> point)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var centres = MemoryMarshal.Cast<T, Vector<T>>(original);
        var values = MemoryMarshal.Cast<T, Vector<T>>(point);
        var reach = new Vector<T>(epsilon);
        for (var i = 0; i < values.Length; i++)
            values[i] = Vector.Min(Vector.Max(Vector.Min(Vector.Max(values[i], centres[i] - reach), centres[i] + reach), Vector<T>.Zero), Vector<T>.One);
        for (var j = values.Length * Vector<T>.Count; j < point.Length; j++)
            point[j] = T.Min(T.Max(T.Min(T.Max(point[j], original[j] - epsilon), original[j] + epsilon), T.Zero), T.One);
    }

    /// <summary>Clips each value to [0, 1].</summary>
    internal static void ClipToBox<T>(Span<T> point)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var values = MemoryMarshal.Cast<T, Vector<T>>(point);
        for (var i = 0; i < values.Length; i++)
            values[i] = Vector.Min(Vector.Max(values[i], Vector<T>.Zero), Vector<T>.One);
        for (var j = values.Length * Vector<T>.Count; j < point.Length; j++)
            point[j] = T.Min(T.Max(point[j], T.Zero), T.One);
    }

    /// <summary>ahead = point + (ahead - point) · share + (point - previous) · (1 - share).</summary>
    internal static void Lean<T>(ReadOnlySpan<T> point, ReadOnlySpan<T> previous, T share, Span<T> ahead)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var now = MemoryMarshal.Cast<T, Vector<T>>(point);
        var before = MemoryMarshal.Cast<T, Vector<T>>(previous);
        var values = MemoryMarshal.Cast<T, Vector<T>>(ahead);
        var (weight, rest) = (new Vector<T>(share), new Vector<T>(T.One - share));
        for (var i = 0; i < values.Length; i++)
            values[i] = now[i] + ((values[i] - now[i]) * weight) + ((now[i] - before[i]) * rest);
        for (var j = values.Length * Vector<T>.Count; j < ahead.Length; j++)
            ahead[j] = point[j] + ((ahead[j] - point[j]) * share) + ((point[j] - previous[j]) * (T.One - share));
    }
}
