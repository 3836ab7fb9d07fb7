using System.Runtime.CompilerServices;

namespace Bulwark.Networks.Kernels;

/// <summary>A product of depth one or two, gated: what a last layer of few outputs sends back. It is all loads and stores, so it goes along the rows.</summary>
internal static unsafe partial class MatrixProduct
{
    /// <summary>Rows that share the loads of the right side.</summary>
    private const int ShallowRows = 3;

    private static bool IsShallow<T>(in ProductArguments<T> arguments)
        where T : unmanaged => arguments is { Depth: 1 or 2, Start: TileStart.Zero, Finish: TileFinish.Gate };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyShallow<T, TVector, TLanes>(in ProductArguments<T> arguments)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var columns = arguments.Columns;
        var stride = arguments.DestinationStride;
        var two = arguments.Depth == 2;
        var right0 = arguments.Right;
        var right1 = two ? right0 + arguments.RightStride : right0;
        for (var row = 0; row < arguments.Rows; row += ShallowRows)
        {
            var a = arguments.Left + (row * arguments.LeftRowStride);
            var b = a + arguments.LeftRowStride;
            var c = b + arguments.LeftRowStride;
            var second = two ? arguments.LeftDepthStride : 0;
            TVector a0 = TLanes.Broadcast(a[0]), b0 = TLanes.Broadcast(b[0]), c0 = TLanes.Broadcast(c[0]);
            TVector a1 = TLanes.Broadcast(a[second]), b1 = TLanes.Broadcast(b[second]), c1 = TLanes.Broadcast(c[second]);
            var target = arguments.Destination + (row * stride);
            var gate = arguments.Gate + (row * stride);
            for (var column = 0; column < columns; column += TLanes.Count, target += TLanes.Count, gate += TLanes.Count)
            {
                var right = TLanes.Load(right0 + column);
                var valueA = TLanes.MultiplyAdd(a0, right, TLanes.Broadcast(default));
                var valueB = TLanes.MultiplyAdd(b0, right, TLanes.Broadcast(default));
                var valueC = TLanes.MultiplyAdd(c0, right, TLanes.Broadcast(default));
                if (two)
                {
                    right = TLanes.Load(right1 + column);
                    valueA = TLanes.MultiplyAdd(a1, right, valueA);
                    valueB = TLanes.MultiplyAdd(b1, right, valueB);
                    valueC = TLanes.MultiplyAdd(c1, right, valueC);
                }

                TLanes.Store(TLanes.PassWhere(TLanes.Load(gate), valueA), target);
                TLanes.Store(TLanes.PassWhere(TLanes.Load(gate + stride), valueB), target + stride);
                TLanes.Store(TLanes.PassWhere(TLanes.Load(gate + (2 * stride)), valueC), target + (2 * stride));
            }
        }
    }
}
