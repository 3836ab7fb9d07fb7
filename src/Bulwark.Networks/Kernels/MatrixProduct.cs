using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Bulwark.Networks.Kernels;

/// <summary>What a tile of the product starts from.</summary>
internal enum TileStart
{
    /// <summary>Zero.</summary>
    Zero,

    /// <summary>One row, the same for all: a bias.</summary>
    Row,

    /// <summary>What the destination holds.</summary>
    Destination,
}

/// <summary>What happens to a finished tile.</summary>
internal enum TileFinish
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>max(0, value).</summary>
    Rectify,

    /// <summary>The value where the gate matrix is above 0, else 0: the derivative of the rectifier.</summary>
    Gate,
}

/// <summary>One product: destination (rows × columns) = left (rows × depth) · right (depth × columns), all padded to whole tiles.</summary>
/// <remarks>Left is addressed by two strides, so that a transposed left costs no copy. Gate has the destination's stride.</remarks>
internal unsafe struct ProductArguments<T>
    where T : unmanaged
{
    internal T* Left;
    internal nint LeftRowStride;
    internal nint LeftDepthStride;
    internal T* Right;
    internal nint RightStride;
    internal T* Destination;
    internal nint DestinationStride;
    internal T* Bias;
    internal T* Gate;
    internal int Rows;
    internal int Depth;
    internal int Columns;
    internal TileStart Start;
    internal TileFinish Finish;

    /// <summary>The rows from <paramref name="row"/> on.</summary>
    internal readonly ProductArguments<T> FromRow(int row)
    {
        var rest = this;
        rest.Left += row * LeftRowStride;
        rest.Destination += row * DestinationStride;
        rest.Gate += Gate is null ? 0 : row * DestinationStride;
        rest.Rows -= row;
        return rest;
    }
}

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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel<T, TVector, TLanes>(in ProductArguments<T> arguments, int column)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var rowStride = arguments.LeftRowStride;
        var depthStride = arguments.LeftDepthStride;
        var rightStride = arguments.RightStride;
        var destinationStride = arguments.DestinationStride;
        var depth = arguments.Depth;
        var left = arguments.Left;
        var target = arguments.Destination + column;
        var nothing = stackalloc T[2 * TLanes.Count];
        var start = arguments.Start == TileStart.Row ? arguments.Bias + column : nothing;
        var reload = arguments.Start == TileStart.Destination;
        for (var row = 0; row < arguments.Rows; row += TileRows)
        {
            TVector c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
            if (reload)
            {
                c00 = TLanes.Load(target);
                c01 = TLanes.Load(target + TLanes.Count);
                c10 = TLanes.Load(target + destinationStride);
                c11 = TLanes.Load(target + destinationStride + TLanes.Count);
                c20 = TLanes.Load(target + (2 * destinationStride));
                c21 = TLanes.Load(target + (2 * destinationStride) + TLanes.Count);
                c30 = TLanes.Load(target + (3 * destinationStride));
                c31 = TLanes.Load(target + (3 * destinationStride) + TLanes.Count);
                c40 = TLanes.Load(target + (4 * destinationStride));
                c41 = TLanes.Load(target + (4 * destinationStride) + TLanes.Count);
                c50 = TLanes.Load(target + (5 * destinationStride));
                c51 = TLanes.Load(target + (5 * destinationStride) + TLanes.Count);
            }
            else
            {
                c00 = TLanes.Load(start);
                c01 = TLanes.Load(start + TLanes.Count);
                c10 = c20 = c30 = c40 = c50 = c00;
                c11 = c21 = c31 = c41 = c51 = c01;
            }

            var a0 = left;
            var a1 = a0 + rowStride;
            var a2 = a1 + rowStride;
            var a3 = a2 + rowStride;
            var a4 = a3 + rowStride;
            var a5 = a4 + rowStride;
            var right = arguments.Right + column;
            nint offset = 0;
            var remaining = depth;
            for (; remaining >= 2; remaining -= 2)
            {
                Step<T, TVector, TLanes>(right, a0, a1, a2, a3, a4, a5, offset, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                offset += depthStride;
                right += rightStride;
                Step<T, TVector, TLanes>(right, a0, a1, a2, a3, a4, a5, offset, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                offset += depthStride;
                right += rightStride;
            }

            for (; remaining > 0; remaining--)
            {
                Step<T, TVector, TLanes>(right, a0, a1, a2, a3, a4, a5, offset, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                offset += depthStride;
                right += rightStride;
            }

            if (arguments.Finish == TileFinish.Rectify)
            {
                (c00, c01, c10, c11) = (TLanes.Rectify(c00), TLanes.Rectify(c01), TLanes.Rectify(c10), TLanes.Rectify(c11));
                (c20, c21, c30, c31) = (TLanes.Rectify(c20), TLanes.Rectify(c21), TLanes.Rectify(c30), TLanes.Rectify(c31));
                (c40, c41, c50, c51) = (TLanes.Rectify(c40), TLanes.Rectify(c41), TLanes.Rectify(c50), TLanes.Rectify(c51));
            }
            else if (arguments.Finish == TileFinish.Gate)
            {
                var gate = arguments.Gate + (row * destinationStride) + column;
                c00 = TLanes.PassWhere(TLanes.Load(gate), c00);
                c01 = TLanes.PassWhere(TLanes.Load(gate + TLanes.Count), c01);
                gate += destinationStride;
                c10 = TLanes.PassWhere(TLanes.Load(gate), c10);
                c11 = TLanes.PassWhere(TLanes.Load(gate + TLanes.Count), c11);
                gate += destinationStride;
                c20 = TLanes.PassWhere(TLanes.Load(gate), c20);
                c21 = TLanes.PassWhere(TLanes.Load(gate + TLanes.Count), c21);
                gate += destinationStride;
                c30 = TLanes.PassWhere(TLanes.Load(gate), c30);
                c31 = TLanes.PassWhere(TLanes.Load(gate + TLanes.Count), c31);
                gate += destinationStride;
                c40 = TLanes.PassWhere(TLanes.Load(gate), c40);
                c41 = TLanes.PassWhere(TLanes.Load(gate + TLanes.Count), c41);
                gate += destinationStride;
                c50 = TLanes.PassWhere(TLanes.Load(gate), c50);
                c51 = TLanes.PassWhere(TLanes.Load(gate + TLanes.Count), c51);
            }

            TLanes.Store(c00, target);
            TLanes.Store(c01, target + TLanes.Count);
            target += destinationStride;
            TLanes.Store(c10, target);
            TLanes.Store(c11, target + TLanes.Count);
            target += destinationStride;
            TLanes.Store(c20, target);
            TLanes.Store(c21, target + TLanes.Count);
            target += destinationStride;
            TLanes.Store(c30, target);
            TLanes.Store(c31, target + TLanes.Count);
            target += destinationStride;
            TLanes.Store(c40, target);
            TLanes.Store(c41, target + TLanes.Count);
            target += destinationStride;
            TLanes.Store(c50, target);
            TLanes.Store(c51, target + TLanes.Count);
            target += destinationStride;
            left += TileRows * rowStride;
        }
    }

    /// <summary>One step of depth: twelve multiply-adds. The references are to locals and vanish when inlined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<T, TVector, TLanes>(
        T* right, T* a0, T* a1, T* a2, T* a3, T* a4, T* a5, nint offset,
        ref TVector c00, ref TVector c01, ref TVector c10, ref TVector c11, ref TVector c20, ref TVector c21,
        ref TVector c30, ref TVector c31, ref TVector c40, ref TVector c41, ref TVector c50, ref TVector c51)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var b0 = TLanes.Load(right);
        var b1 = TLanes.Load(right + TLanes.Count);
        var a = TLanes.Broadcast(a0[offset]);
        c00 = TLanes.MultiplyAdd(a, b0, c00);
        c01 = TLanes.MultiplyAdd(a, b1, c01);
        a = TLanes.Broadcast(a1[offset]);
        c10 = TLanes.MultiplyAdd(a, b0, c10);
        c11 = TLanes.MultiplyAdd(a, b1, c11);
        a = TLanes.Broadcast(a2[offset]);
        c20 = TLanes.MultiplyAdd(a, b0, c20);
        c21 = TLanes.MultiplyAdd(a, b1, c21);
        a = TLanes.Broadcast(a3[offset]);
        c30 = TLanes.MultiplyAdd(a, b0, c30);
        c31 = TLanes.MultiplyAdd(a, b1, c31);
        a = TLanes.Broadcast(a4[offset]);
        c40 = TLanes.MultiplyAdd(a, b0, c40);
        c41 = TLanes.MultiplyAdd(a, b1, c41);
        a = TLanes.Broadcast(a5[offset]);
        c50 = TLanes.MultiplyAdd(a, b0, c50);
        c51 = TLanes.MultiplyAdd(a, b1, c51);
    }

    /// <summary>The same with one vector of columns: an output layer of few classes would waste half of the wide panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void NarrowPanel<T, TVector, TLanes>(in ProductArguments<T> arguments, int column)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var rowStride = arguments.LeftRowStride;
        var depthStride = arguments.LeftDepthStride;
        var rightStride = arguments.RightStride;
        var destinationStride = arguments.DestinationStride;
        for (var row = 0; row < arguments.Rows; row += TileRows)
        {
            TVector c0, c1, c2, c3, c4, c5;
            var target = arguments.Destination + (row * destinationStride) + column;
            if (arguments.Start == TileStart.Destination)
            {
                c0 = TLanes.Load(target);
                c1 = TLanes.Load(target + destinationStride);
                c2 = TLanes.Load(target + (2 * destinationStride));
                c3 = TLanes.Load(target + (3 * destinationStride));
                c4 = TLanes.Load(target + (4 * destinationStride));
                c5 = TLanes.Load(target + (5 * destinationStride));
            }
            else
            {
                c0 = arguments.Start == TileStart.Row ? TLanes.Load(arguments.Bias + column) : TLanes.Broadcast(default);
                c1 = c2 = c3 = c4 = c5 = c0;
            }

            var a0 = arguments.Left + (row * rowStride);
            var a1 = a0 + rowStride;
            var a2 = a1 + rowStride;
            var a3 = a2 + rowStride;
            var a4 = a3 + rowStride;
            var a5 = a4 + rowStride;
            var right = arguments.Right + column;
            nint offset = 0;
            for (var remaining = arguments.Depth; remaining > 0; remaining--)
            {
                var b = TLanes.Load(right);
                c0 = TLanes.MultiplyAdd(TLanes.Broadcast(a0[offset]), b, c0);
                c1 = TLanes.MultiplyAdd(TLanes.Broadcast(a1[offset]), b, c1);
                c2 = TLanes.MultiplyAdd(TLanes.Broadcast(a2[offset]), b, c2);
                c3 = TLanes.MultiplyAdd(TLanes.Broadcast(a3[offset]), b, c3);
                c4 = TLanes.MultiplyAdd(TLanes.Broadcast(a4[offset]), b, c4);
                c5 = TLanes.MultiplyAdd(TLanes.Broadcast(a5[offset]), b, c5);
                offset += depthStride;
                right += rightStride;
            }

            FinishOne<T, TVector, TLanes>(arguments, row, column, c0);
            FinishOne<T, TVector, TLanes>(arguments, row + 1, column, c1);
            FinishOne<T, TVector, TLanes>(arguments, row + 2, column, c2);
            FinishOne<T, TVector, TLanes>(arguments, row + 3, column, c3);
            FinishOne<T, TVector, TLanes>(arguments, row + 4, column, c4);
            FinishOne<T, TVector, TLanes>(arguments, row + 5, column, c5);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FinishOne<T, TVector, TLanes>(in ProductArguments<T> arguments, int row, int column, TVector value)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var at = (row * arguments.DestinationStride) + column;
        if (arguments.Finish == TileFinish.Rectify)
            value = TLanes.Rectify(value);
        else if (arguments.Finish == TileFinish.Gate)
            value = TLanes.PassWhere(TLanes.Load(arguments.Gate + at), value);
        TLanes.Store(value, arguments.Destination + at);
    }
}
