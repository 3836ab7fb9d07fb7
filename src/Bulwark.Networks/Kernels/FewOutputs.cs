using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Bulwark.Networks.Kernels;

/// <summary>A layer of one or two outputs: vectors hold rows instead of outputs, of which there are too few to fill one.</summary>
/// <remarks>Rows are transposed in registers, eight at a time. Each element is the same chain as <see cref="MatrixProduct"/>'s, hence the same bits.</remarks>
internal static unsafe class FewOutputs
{
    /// <summary>Two groups of eight rows run side by side, for one group's chains alone would wait for each other.</summary>
    internal const int Rows = 16;

    internal static bool Fits<T>(int rows, int outputs)
        where T : unmanaged => typeof(T) == typeof(float) && Avx.IsSupported && Fma.IsSupported && outputs <= 2 && rows >= Rows;

    /// <summary>destination = source · weights + biases. Writes two columns, also where only one is wanted: padding takes the second.</summary>
    internal static void Multiply(float* source, nint sourceStride, float* weights, nint weightStride, float* biases, float* destination, nint destinationStride, int rows, int depth)
    {
        for (var row = 0; row < rows; row += Rows)
        {
            var at = int.Min(row, rows - Rows);   // the last tile may overlap the one before and writes the same bits again
            Tile(source + (at * sourceStride), sourceStride, weights, weightStride, biases, destination + (at * destinationStride), destinationStride, depth);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(float* source, nint sourceStride, float* weights, nint weightStride, float* biases, float* destination, nint destinationStride, int depth)
    {
        Vector256<float> first0 = Vector256.Create(biases[0]), first1 = Vector256.Create(biases[1]), second0 = first0, second1 = first1;
        var second = source + (8 * sourceStride);
        var at = 0;
        for (; at + 4 <= depth; at += 4)
        {
            Transposition.EightByFour(source + at, sourceStride, out var a0, out var a1, out var a2, out var a3);
            Transposition.EightByFour(second + at, sourceStride, out var b0, out var b1, out var b2, out var b3);
            Step(weights, a0, b0, ref first0, ref first1, ref second0, ref second1);
            Step(weights + weightStride, a1, b1, ref first0, ref first1, ref second0, ref second1);
            Step(weights + (2 * weightStride), a2, b2, ref first0, ref first1, ref second0, ref second1);
            Step(weights + (3 * weightStride), a3, b3, ref first0, ref first1, ref second0, ref second1);
            weights += 4 * weightStride;
        }

        for (; at < depth; at++, weights += weightStride)
            Step(weights, Column(source + at, sourceStride), Column(second + at, sourceStride), ref first0, ref first1, ref second0, ref second1);
        StorePairs(first0, first1, destination, destinationStride);
        StorePairs(second0, second1, destination + (8 * destinationStride), destinationStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(
        float* weights, Vector256<float> a, Vector256<float> b, ref Vector256<float> first0, ref Vector256<float> first1, ref Vector256<float> second0, ref Vector256<float> second1)
    {
        var (w0, w1) = (Vector256.Create(weights[0]), Vector256.Create(weights[1]));
        first0 = Vector256.FusedMultiplyAdd(a, w0, first0);
        first1 = Vector256.FusedMultiplyAdd(a, w1, first1);
        second0 = Vector256.FusedMultiplyAdd(b, w0, second0);
        second1 = Vector256.FusedMultiplyAdd(b, w1, second1);
    }

    private static Vector256<float> Column(float* source, nint stride) => Vector256.Create(
        source[0], source[stride], source[2 * stride], source[3 * stride], source[4 * stride], source[5 * stride], source[6 * stride], source[7 * stride]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StorePairs(Vector256<float> column0, Vector256<float> column1, float* destination, nint stride)
    {
        var low = Avx.UnpackLow(column0, column1).AsDouble();     // rows 0 1 | 4 5, two floats each
        var high = Avx.UnpackHigh(column0, column1).AsDouble();   // rows 2 3 | 6 7
        *(double*)destination = low[0];
        *(double*)(destination + stride) = low[1];
        *(double*)(destination + (2 * stride)) = high[0];
        *(double*)(destination + (3 * stride)) = high[1];
        *(double*)(destination + (4 * stride)) = low[2];
        *(double*)(destination + (5 * stride)) = low[3];
        *(double*)(destination + (6 * stride)) = high[2];
        *(double*)(destination + (7 * stride)) = high[3];
    }
}
