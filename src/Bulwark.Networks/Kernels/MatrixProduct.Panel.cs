using System.Runtime.CompilerServices;

namespace Bulwark.Networks.Kernels;

/// <summary>Two vectors of columns by six rows: the twelve accumulators that most of the work goes through.</summary>
internal static unsafe partial class MatrixProduct
{
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
}
