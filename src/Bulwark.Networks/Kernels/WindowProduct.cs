using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Bulwark.Networks.Kernels;

/// <summary>Where one step of depth finds its values: on the left beyond each row's own offset, on the right a row of columns.</summary>
internal readonly record struct DepthStep(nint Left, nint Right);

/// <summary>A product whose rows lie wherever tables say: convolutions need no copies of their windows.</summary>
/// <remarks>
/// destination[DestinationRows[r] + c] = Σ_d left[LeftRows[r] + Steps[d].Left] · right[Steps[d].Right + c]. The row tables are padded to whole tiles of
/// <see cref="MatrixProduct.TileRows"/>; columns are padded to whole vectors. Source: Dukhan, "The Indirect Convolution Algorithm", 2019 (arXiv:1907.02129).
/// </remarks>
internal unsafe struct WindowArguments<T>
    where T : unmanaged
{
    internal T* Left;
    internal nint* LeftRows;
    internal DepthStep* Steps;
    internal T* Right;
    internal T* Destination;
    internal nint* DestinationRows;
    internal T* Bias;
    internal T* Gate;
    internal nint* GateRows;
    internal int Rows;
    internal int Depth;
    internal int Columns;
    internal TileStart Start;
    internal TileFinish Finish;
}

/// <summary>Register-blocked product over tables of offsets: 6 rows by 2 vectors of accumulators. Each element is one chain of fused multiply-adds in order of depth.</summary>
internal static unsafe class WindowProduct
{
    private const int TileRows = MatrixProduct.TileRows;

    internal static void Multiply<T>(in WindowArguments<T> arguments)
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
    internal static void Multiply<T, TVector, TLanes>(in WindowArguments<T> arguments)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        for (var column = 0; column < arguments.Columns; column += 2 * TLanes.Count)
        {
            if (arguments.Columns - column <= TLanes.Count)
                NarrowPanel<T, TVector, TLanes>(arguments, column);
            else
                Panel<T, TVector, TLanes>(arguments, column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel<T, TVector, TLanes>(in WindowArguments<T> arguments, int column)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var nothing = stackalloc T[2 * TLanes.Count];
        var start = arguments.Start == TileStart.Row ? arguments.Bias + column : nothing;
        var reload = arguments.Start == TileStart.Destination;
        var end = arguments.Steps + arguments.Depth;
        for (var row = 0; row < arguments.Rows; row += TileRows)
        {
            TVector c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
            var at = arguments.DestinationRows + row;
            var target = arguments.Destination + column;
            if (reload)
            {
                (c00, c01) = (TLanes.Load(target + at[0]), TLanes.Load(target + at[0] + TLanes.Count));
                (c10, c11) = (TLanes.Load(target + at[1]), TLanes.Load(target + at[1] + TLanes.Count));
                (c20, c21) = (TLanes.Load(target + at[2]), TLanes.Load(target + at[2] + TLanes.Count));
                (c30, c31) = (TLanes.Load(target + at[3]), TLanes.Load(target + at[3] + TLanes.Count));
                (c40, c41) = (TLanes.Load(target + at[4]), TLanes.Load(target + at[4] + TLanes.Count));
                (c50, c51) = (TLanes.Load(target + at[5]), TLanes.Load(target + at[5] + TLanes.Count));
            }
            else
            {
                c00 = TLanes.Load(start);
                c01 = TLanes.Load(start + TLanes.Count);
                c10 = c20 = c30 = c40 = c50 = c00;
                c11 = c21 = c31 = c41 = c51 = c01;
            }

            var rows = arguments.LeftRows + row;
            var a0 = arguments.Left + rows[0];
            var a1 = arguments.Left + rows[1];
            var a2 = arguments.Left + rows[2];
            var a3 = arguments.Left + rows[3];
            var a4 = arguments.Left + rows[4];
            var a5 = arguments.Left + rows[5];
            var right = arguments.Right + column;
            for (var step = arguments.Steps; step < end; step++)
            {
                var offset = step->Left;
                var values = right + step->Right;
                var b0 = TLanes.Load(values);
                var b1 = TLanes.Load(values + TLanes.Count);
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

            Finish<T, TVector, TLanes>(arguments, row, column, c00, c01);
            Finish<T, TVector, TLanes>(arguments, row + 1, column, c10, c11);
            Finish<T, TVector, TLanes>(arguments, row + 2, column, c20, c21);
            Finish<T, TVector, TLanes>(arguments, row + 3, column, c30, c31);
            Finish<T, TVector, TLanes>(arguments, row + 4, column, c40, c41);
            Finish<T, TVector, TLanes>(arguments, row + 5, column, c50, c51);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<T, TVector, TLanes>(in WindowArguments<T> arguments, int row, int column, TVector v0, TVector v1)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        if (arguments.Finish == TileFinish.Rectify)
        {
            (v0, v1) = (TLanes.Rectify(v0), TLanes.Rectify(v1));
        }
        else if (arguments.Finish == TileFinish.Gate)
        {
            var gate = arguments.Gate + arguments.GateRows[row] + column;
            (v0, v1) = (TLanes.PassWhere(TLanes.Load(gate), v0), TLanes.PassWhere(TLanes.Load(gate + TLanes.Count), v1));
        }

        var target = arguments.Destination + arguments.DestinationRows[row] + column;
        TLanes.Store(v0, target);
        TLanes.Store(v1, target + TLanes.Count);
    }

    /// <summary>The same with one vector of columns: few channels would waste half of the wide panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void NarrowPanel<T, TVector, TLanes>(in WindowArguments<T> arguments, int column)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        var end = arguments.Steps + arguments.Depth;
        for (var row = 0; row < arguments.Rows; row += TileRows)
        {
            TVector c0, c1, c2, c3, c4, c5;
            var at = arguments.DestinationRows + row;
            var target = arguments.Destination + column;
            if (arguments.Start == TileStart.Destination)
            {
                (c0, c1, c2) = (TLanes.Load(target + at[0]), TLanes.Load(target + at[1]), TLanes.Load(target + at[2]));
                (c3, c4, c5) = (TLanes.Load(target + at[3]), TLanes.Load(target + at[4]), TLanes.Load(target + at[5]));
            }
            else
            {
                c0 = arguments.Start == TileStart.Row ? TLanes.Load(arguments.Bias + column) : TLanes.Broadcast(default);
                c1 = c2 = c3 = c4 = c5 = c0;
            }

            var rows = arguments.LeftRows + row;
            var a0 = arguments.Left + rows[0];
            var a1 = arguments.Left + rows[1];
            var a2 = arguments.Left + rows[2];
            var a3 = arguments.Left + rows[3];
            var a4 = arguments.Left + rows[4];
            var a5 = arguments.Left + rows[5];
            var right = arguments.Right + column;
            for (var step = arguments.Steps; step < end; step++)
            {
                var offset = step->Left;
                var b = TLanes.Load(right + step->Right);
                c0 = TLanes.MultiplyAdd(TLanes.Broadcast(a0[offset]), b, c0);
                c1 = TLanes.MultiplyAdd(TLanes.Broadcast(a1[offset]), b, c1);
                c2 = TLanes.MultiplyAdd(TLanes.Broadcast(a2[offset]), b, c2);
                c3 = TLanes.MultiplyAdd(TLanes.Broadcast(a3[offset]), b, c3);
                c4 = TLanes.MultiplyAdd(TLanes.Broadcast(a4[offset]), b, c4);
                c5 = TLanes.MultiplyAdd(TLanes.Broadcast(a5[offset]), b, c5);
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
    private static void FinishOne<T, TVector, TLanes>(in WindowArguments<T> arguments, int row, int column, TVector value)
        where T : unmanaged
        where TVector : struct
        where TLanes : struct, ILanes<T, TVector>
    {
        if (arguments.Finish == TileFinish.Rectify)
            value = TLanes.Rectify(value);
        else if (arguments.Finish == TileFinish.Gate)
            value = TLanes.PassWhere(TLanes.Load(arguments.Gate + arguments.GateRows[row] + column), value);
        TLanes.Store(value, arguments.Destination + arguments.DestinationRows[row] + column);
    }
}
