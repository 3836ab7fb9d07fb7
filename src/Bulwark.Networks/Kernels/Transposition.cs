using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Bulwark.Networks.Kernels;

/// <summary>Copies a row-major matrix into padded memory, rows becoming columns, by blocks that stay in the first-level cache.</summary>
internal static unsafe class Transposition
{
    private const int Block = 16;

    internal static void Copy<T>(ReadOnlySpan<T> source, int rows, int columns, PaddedMatrix<T> target)
        where T : unmanaged
    {
        fixed (T* start = source)
        {
            var wide = typeof(T) == typeof(float) && Avx.IsSupported;
            var (wideRows, wideColumns) = wide ? (rows & ~7, columns & ~3) : (0, 0);
            CopyWide((float*)start, wideRows, columns, wideColumns, (float*)target.Data, target.Stride);
            CopyBlocks(start, 0, wideRows, wideColumns, columns, target);
            CopyBlocks(start, wideRows, rows, 0, columns, target);
        }
    }

    /// <summary>Four columns of eight rows, each in one register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void EightByFour(float* source, nint stride, out Vector256<float> c0, out Vector256<float> c1, out Vector256<float> c2, out Vector256<float> c3)
    {
        var r0 = Vector256.Create(Vector128.Load(source), Vector128.Load(source + (4 * stride)));
        var r1 = Vector256.Create(Vector128.Load(source + stride), Vector128.Load(source + (5 * stride)));
        var r2 = Vector256.Create(Vector128.Load(source + (2 * stride)), Vector128.Load(source + (6 * stride)));
        var r3 = Vector256.Create(Vector128.Load(source + (3 * stride)), Vector128.Load(source + (7 * stride)));
        var (low, high) = (Avx.UnpackLow(r0, r1), Avx.UnpackHigh(r0, r1));
        var (nextLow, nextHigh) = (Avx.UnpackLow(r2, r3), Avx.UnpackHigh(r2, r3));
        c0 = Avx.Shuffle(low, nextLow, 0b01_00_01_00);
        c1 = Avx.Shuffle(low, nextLow, 0b11_10_11_10);
        c2 = Avx.Shuffle(high, nextHigh, 0b01_00_01_00);
        c3 = Avx.Shuffle(high, nextHigh, 0b11_10_11_10);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyWide(float* source, int rows, int stride, int columns, float* target, nint targetStride)
    {
        for (var row = 0; row < rows; row += 8)
        {
            var from = source + ((nint)row * stride);
            var to = target + row;
            for (var column = 0; column < columns; column += 4, from += 4)
            {
                EightByFour(from, stride, out var c0, out var c1, out var c2, out var c3);
                c0.Store(to);
                c1.Store(to + targetStride);
                c2.Store(to + (2 * targetStride));
                c3.Store(to + (3 * targetStride));
                to += 4 * targetStride;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyBlocks<T>(T* source, int firstRow, int rows, int firstColumn, int columns, PaddedMatrix<T> target)
        where T : unmanaged
    {
        for (var rowBlock = firstRow; rowBlock < rows; rowBlock += Block)
        {
            var rowEnd = int.Min(rows, rowBlock + Block);
            for (var column = firstColumn; column < columns; column++)
            {
                var to = target.RowPointer(column);
                var from = source + ((nint)rowBlock * columns) + column;
                for (var row = rowBlock; row < rowEnd; row++, from += columns)
                    to[row] = *from;
            }
        }
    }
}
