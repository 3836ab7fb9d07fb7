using System.Runtime.Intrinsics;
using Bulwark.Networks.Kernels;

namespace Bulwark.Tests.Networks;

public unsafe class MatrixProductTests
{
    private static readonly int[] Sides = [1, 3, 8, 14, 21, 34];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(135)]
    public void Every_element_is_one_chain_of_fused_multiply_adds_whatever_tile_it_lies_in(int depth)
    {
        foreach (var rows in Sides)
        {
            foreach (var columns in Sides)
            {
                for (var kind = 0; kind < 9; kind++)
                {
                    Check(rows, depth, columns, (TileStart)(kind / 3), (TileFinish)(kind % 3), transposed: false);
                    Check(rows, depth, columns, (TileStart)(kind / 3), (TileFinish)(kind % 3), transposed: true);
                }
            }
        }
    }

    [Fact]
    public void One_or_two_outputs_by_vectors_of_rows_have_the_bits_of_the_product()
    {
        for (var rows = 16; rows < 50; rows++)
        {
            foreach (var (outputs, depth) in ((int, int)[])[(1, 1), (2, 3), (1, 4), (2, 13), (2, 128)])
            {
                if (!FewOutputs.Fits<float>(rows, outputs))
                    continue;   // not this processor's way
                PaddedMatrix<float> left = Filled(rows, depth, 1), right = Filled(depth, outputs, 2), bias = Filled(1, outputs, 3);
                PaddedMatrix<float> expected = new(rows, outputs), actual = new(rows, outputs);
                FewOutputs.Multiply(left.Data, left.Stride, right.Data, right.Stride, bias.Data, actual.Data, actual.Stride, rows, depth);
                Plain(left, right, bias, bias, expected, rows, depth, TileStart.Row, TileFinish.None, transposed: false);
                for (var row = 0; row < rows; row++)
                    Assert.Equal(expected.Row(row), actual.Row(row));
            }
        }
    }

    [Fact]
    public void A_transposed_copy_has_rows_for_columns()
    {
        foreach (var rows in Sides)
        {
            foreach (var columns in Sides)
            {
                float[] source = [.. Enumerable.Range(0, rows * columns).Select(i => (float)i)];
                var target = new PaddedMatrix<float>(columns, rows);
                Transposition.Copy<float>(source, rows, columns, target);
                for (var i = 0; i < source.Length; i++)
                    Assert.Equal(source[i], target.Row(i % columns)[i / columns]);
            }
        }
    }

    private static void Check(int rows, int depth, int columns, TileStart start, TileFinish finish, bool transposed)
    {
        var left = transposed ? Filled(depth, rows, 1) : Filled(rows, depth, 1);
        PaddedMatrix<float> right = Filled(depth, columns, 2), bias = Filled(1, columns, 3), gate = Filled(rows, columns, 4);
        PaddedMatrix<float> expected = Filled(rows, columns, 5), actual = Filled(rows, columns, 5), narrower = Filled(rows, columns, 5);
        var arguments = new ProductArguments<float>
        {
            Left = left.Data,
            LeftRowStride = transposed ? 1 : left.Stride,
            LeftDepthStride = transposed ? left.Stride : 1,
            Right = right.Data,
            RightStride = right.Stride,
            Destination = actual.Data,
            DestinationStride = actual.Stride,
            Bias = bias.Data,
            Gate = gate.Data,
            Rows = rows,
            Depth = depth,
            Columns = columns,
            Start = start,
            Finish = finish,
        };
        MatrixProduct.Multiply(arguments);
        arguments.Destination = narrower.Data;
        MatrixProduct.Multiply<float, Vector128<float>, Lanes128<float>>(arguments);
        Plain(left, right, bias, gate, expected, rows, depth, start, finish, transposed);
        for (var row = 0; row < rows; row++)
        {
            Assert.Equal(expected.Row(row), actual.Row(row));
            Assert.Equal(expected.Row(row), narrower.Row(row));
        }

        GC.KeepAlive((left, right, bias, gate));
    }

    private static void Plain(
        PaddedMatrix<float> left, PaddedMatrix<float> right, PaddedMatrix<float> bias, PaddedMatrix<float> gate, PaddedMatrix<float> target, int rows, int depth, TileStart start, TileFinish finish, bool transposed)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < right.Columns; column++)
            {
                var value = start == TileStart.Row ? bias.Row(0)[column] : start == TileStart.Destination ? target.Row(row)[column] : 0;
                for (var d = 0; d < depth; d++)
                    value = MathF.FusedMultiplyAdd(transposed ? left.Row(d)[row] : left.Row(row)[d], right.Row(d)[column], value);
                var kept = finish switch { TileFinish.Rectify => value > 0, TileFinish.Gate => gate.Row(row)[column] > 0, _ => true };
                target.Row(row)[column] = kept ? value : 0;
            }
        }
    }

    private static PaddedMatrix<float> Filled(int rows, int columns, int seed)
    {
        var random = new Random(seed);
        var matrix = new PaddedMatrix<float>(rows, columns);
        for (var row = 0; row < rows; row++)
        {
            foreach (ref var value in matrix.Row(row))
                value = random.NextSingle() - 0.5f;
        }

        return matrix;
    }
}
