using System.Runtime.CompilerServices;

namespace Bulwark.Networks.Kernels;

/// <summary>Copies a row-major matrix into padded memory, rows becoming columns, by blocks that stay in the first-level cache.</summary>
internal static unsafe class Transposition
{
    private const int Block = 16;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Copy<T>(ReadOnlySpan<T> source, int rows, int columns, PaddedMatrix<T> target)
        where T : unmanaged
    {
        fixed (T* start = source)
        {
            for (var rowBlock = 0; rowBlock < rows; rowBlock += Block)
            {
                var rowEnd = int.Min(rows, rowBlock + Block);
                for (var column = 0; column < columns; column++)
                {
                    var to = target.RowPointer(column);
                    var from = start + ((nint)rowBlock * columns) + column;
                    for (var row = rowBlock; row < rowEnd; row++, from += columns)
                        to[row] = *from;
                }
            }
        }
    }
}
