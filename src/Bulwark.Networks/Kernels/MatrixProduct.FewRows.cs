using System.Runtime.CompilerServices;

namespace Bulwark.Networks.Kernels;

/// <summary>Up to three rows, where the tile of six would waste half: gradients of biases, of layers with few outputs, ends of batches.</summary>
internal static unsafe partial class MatrixProduct
{
    /// <summary>Rows of the short tile.</summary>
    private const int FewRows = 3;

    private static void MultiplyFewRows<T, TVector, TLanes>(in ProductArguments<T> arguments)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        for (var column = 0; column < arguments.Columns; column += 4 * TLanes.Count)
        {
            var left = arguments.Columns - column;
            if (left <= TLanes.Count)
                NarrowPanel<T, TVector, TLanes>(arguments, column);
            else if (left <= 2 * TLanes.Count)
                Panel<T, TVector, TLanes>(arguments, column);
            else
                ShortTile<T, TVector, TLanes>(arguments, column);
        }
    }

    /// <summary>Three rows by four vectors. Padding covers the fourth vector where only three carry values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ShortTile<T, TVector, TLanes>(in ProductArguments<T> arguments, int column)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var depthStride = arguments.LeftDepthStride;
        var rightStride = arguments.RightStride;
        TVector c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23;
        if (arguments.Start == TileStart.Destination)
        {
            var target = arguments.Destination + column;
            LoadFour<T, TVector, TLanes>(target, out c00, out c01, out c02, out c03);
            LoadFour<T, TVector, TLanes>(target + arguments.DestinationStride, out c10, out c11, out c12, out c13);
            LoadFour<T, TVector, TLanes>(target + (2 * arguments.DestinationStride), out c20, out c21, out c22, out c23);
        }
        else
        {
            if (arguments.Start == TileStart.Row)
                LoadFour<T, TVector, TLanes>(arguments.Bias + column, out c00, out c01, out c02, out c03);
            else
                c00 = c01 = c02 = c03 = TLanes.Broadcast(default);
            (c10, c11, c12, c13) = (c00, c01, c02, c03);
            (c20, c21, c22, c23) = (c00, c01, c02, c03);
        }

        var a0 = arguments.Left;
        var a1 = a0 + arguments.LeftRowStride;
        var a2 = a1 + arguments.LeftRowStride;
        var right = arguments.Right + column;
        nint offset = 0;
        for (var remaining = arguments.Depth; remaining > 0; remaining--)
        {
            var (v0, v1, v2) = (TLanes.Broadcast(a0[offset]), TLanes.Broadcast(a1[offset]), TLanes.Broadcast(a2[offset]));
            var b = TLanes.Load(right);
            c00 = TLanes.MultiplyAdd(v0, b, c00);
            c10 = TLanes.MultiplyAdd(v1, b, c10);
            c20 = TLanes.MultiplyAdd(v2, b, c20);
            b = TLanes.Load(right + TLanes.Count);
            c01 = TLanes.MultiplyAdd(v0, b, c01);
            c11 = TLanes.MultiplyAdd(v1, b, c11);
            c21 = TLanes.MultiplyAdd(v2, b, c21);
            b = TLanes.Load(right + (2 * TLanes.Count));
            c02 = TLanes.MultiplyAdd(v0, b, c02);
            c12 = TLanes.MultiplyAdd(v1, b, c12);
            c22 = TLanes.MultiplyAdd(v2, b, c22);
            b = TLanes.Load(right + (3 * TLanes.Count));
            c03 = TLanes.MultiplyAdd(v0, b, c03);
            c13 = TLanes.MultiplyAdd(v1, b, c13);
            c23 = TLanes.MultiplyAdd(v2, b, c23);
            offset += depthStride;
            right += rightStride;
        }

        FinishFour<T, TVector, TLanes>(arguments, 0, column, c00, c01, c02, c03);
        FinishFour<T, TVector, TLanes>(arguments, 1, column, c10, c11, c12, c13);
        FinishFour<T, TVector, TLanes>(arguments, 2, column, c20, c21, c22, c23);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadFour<T, TVector, TLanes>(T* source, out TVector v0, out TVector v1, out TVector v2, out TVector v3)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        v0 = TLanes.Load(source);
        v1 = TLanes.Load(source + TLanes.Count);
        v2 = TLanes.Load(source + (2 * TLanes.Count));
        v3 = TLanes.Load(source + (3 * TLanes.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FinishFour<T, TVector, TLanes>(in ProductArguments<T> arguments, int row, int column, TVector v0, TVector v1, TVector v2, TVector v3)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        FinishOne<T, TVector, TLanes>(arguments, row, column, v0);
        FinishOne<T, TVector, TLanes>(arguments, row, column + TLanes.Count, v1);
        FinishOne<T, TVector, TLanes>(arguments, row, column + (2 * TLanes.Count), v2);
        FinishOne<T, TVector, TLanes>(arguments, row, column + (3 * TLanes.Count), v3);
    }
}
