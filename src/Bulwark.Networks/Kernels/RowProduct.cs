using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bulwark.Networks.Kernels;

/// <summary>One row times a matrix, without padding: for scoring a request at a time.</summary>
internal static class RowProduct
{
    /// <summary>target = source · weights + biases, by the same chains of fused multiply-adds as <see cref="MatrixProduct"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Multiply<T>(ReadOnlySpan<T> source, ReadOnlySpan<T> weights, ReadOnlySpan<T> biases, Span<T> target, bool rectify)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var columns = target.Length;
        var lanes = Vector<T>.Count;
        ref var weight = ref MemoryMarshal.GetReference(weights);
        var column = 0;
        for (; column <= columns - (4 * lanes); column += 4 * lanes)
        {
            var c0 = Vector.LoadUnsafe(in biases[column]);
            var c1 = Vector.LoadUnsafe(in biases[column + lanes]);
            var c2 = Vector.LoadUnsafe(in biases[column + (2 * lanes)]);
            var c3 = Vector.LoadUnsafe(in biases[column + (3 * lanes)]);
            ref var at = ref Unsafe.Add(ref weight, column);
            foreach (var value in source)
            {
                var a = Vector.Create(value);
                c0 = MultiplyAdd(a, Vector.LoadUnsafe(in at), c0);
                c1 = MultiplyAdd(a, Vector.LoadUnsafe(in at, (nuint)lanes), c1);
                c2 = MultiplyAdd(a, Vector.LoadUnsafe(in at, (nuint)(2 * lanes)), c2);
                c3 = MultiplyAdd(a, Vector.LoadUnsafe(in at, (nuint)(3 * lanes)), c3);
                at = ref Unsafe.Add(ref at, columns);
            }

            Finish(c0, rectify).CopyTo(target[column..]);
            Finish(c1, rectify).CopyTo(target[(column + lanes)..]);
            Finish(c2, rectify).CopyTo(target[(column + (2 * lanes))..]);
            Finish(c3, rectify).CopyTo(target[(column + (3 * lanes))..]);
        }

        for (; column < columns; column++)
        {
            var sum = biases[column];
            for (var i = 0; i < source.Length; i++)
                sum = T.FusedMultiplyAdd(source[i], Unsafe.Add(ref weight, (i * columns) + column), sum);
            target[column] = rectify && sum <= T.Zero ? T.Zero : sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> Finish<T>(Vector<T> value, bool rectify) =>
        rectify ? Vector.AndNot(value, Vector.LessThanOrEqual(value, Vector<T>.Zero)) : value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> MultiplyAdd<T>(Vector<T> a, Vector<T> b, Vector<T> c) => typeof(T) == typeof(float)
        ? Vector.FusedMultiplyAdd(Vector.AsVectorSingle(a), Vector.AsVectorSingle(b), Vector.AsVectorSingle(c)).As<float, T>()
        : Vector.FusedMultiplyAdd(Vector.AsVectorDouble(a), Vector.AsVectorDouble(b), Vector.AsVectorDouble(c)).As<double, T>();
}
