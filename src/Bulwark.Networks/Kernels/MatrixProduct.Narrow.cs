using System.Runtime.CompilerServices;

namespace Bulwark.Networks.Kernels;

/// <summary>One vector of columns: six accumulators, for what the wide panel would half waste.</summary>
internal static unsafe partial class MatrixProduct
{
    /// <summary>The panel with one vector of columns: an output layer of few classes would waste half of the wide panel.</summary>
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
