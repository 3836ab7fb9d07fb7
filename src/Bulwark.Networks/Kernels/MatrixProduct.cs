using System.Runtime.Intrinsics;

namespace Bulwark.Networks.Kernels;

/// <summary>
/// Register-blocked matrix product: 6 rows by 2 vectors of accumulators, one panel of columns at a time, depth in blocks that stay in the first-level cache.
/// </summary>
/// <remarks>
/// Each element is one chain of fused multiply-adds in order of depth, whatever the vector width and wherever the element lies in a tile:
/// the same numbers give the same bits on every machine and in every batch.
/// </remarks>
internal static unsafe partial class MatrixProduct
{
    /// <summary>Rows of one tile.</summary>
    internal const int TileRows = 6;

    /// <summary>Depth of one block: 132 lines of the right and 132 of a transposed left are half of a 32 KiB cache.</summary>
    private const int DepthBlock = 132;

    /// <summary>Bits of the widest vector that this machine multiplies in hardware.</summary>
    internal static int VectorBits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>Columns of one tile: two vectors.</summary>
    internal static int TileColumns<T>()
        where T : unmanaged => VectorBits / 8 / sizeof(T) * 2;

    /// <summary>Whether a product of that depth reads its gate and writes its destination once, so that they may be the same matrix.</summary>
    internal static bool TakesOneBlock(int depth) => depth <= DepthBlock;

    internal static void Multiply<T>(in ProductArguments<T> arguments)
        where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated)
            Multiply<T, Vector512<T>, Lanes512<T>>(arguments);
        else if (Vector256.IsHardwareAccelerated)
            Multiply<T, Vector256<T>, Lanes256<T>>(arguments);
        else
            Multiply<T, Vector128<T>, Lanes128<T>>(arguments);
    }

    /// <summary>The same product by a named width; for tests that hold the widths against each other.</summary>
    internal static void Multiply<T, TVector, TLanes>(in ProductArguments<T> arguments)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        if (IsShallow(arguments))
        {
            MultiplyShallow<T, TVector, TLanes>(arguments);
            return;
        }

        var block = arguments;
        for (var depth = 0; depth < arguments.Depth || depth == 0; depth += DepthBlock)
        {
            block.Depth = int.Min(DepthBlock, arguments.Depth - depth);
            block.Left = arguments.Left + (depth * arguments.LeftDepthStride);
            block.Right = arguments.Right + (depth * arguments.RightStride);
            block.Start = depth == 0 ? arguments.Start : TileStart.Destination;
            block.Finish = depth + DepthBlock >= arguments.Depth ? arguments.Finish : TileFinish.None;
            MultiplyBlock<T, TVector, TLanes>(block);
        }
    }

    private static void MultiplyBlock<T, TVector, TLanes>(in ProductArguments<T> block)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var tiles = block;
        if (block.Rows % TileRows is > 0 and <= FewRows)
        {
            tiles.Rows = block.Rows / TileRows * TileRows;
            MultiplyFewRows<T, TVector, TLanes>(block.FromRow(tiles.Rows));
        }

        for (var column = 0; column < block.Columns; column += 2 * TLanes.Count)
        {
            if (block.Columns - column <= TLanes.Count)
                NarrowPanel<T, TVector, TLanes>(tiles, column);
            else
                Panel<T, TVector, TLanes>(tiles, column);
        }
    }
}
