using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Bulwark.Monitoring.Queries;

/// <summary>A row as few numbers from which distances can be told but not the row, and the coarse cells that it lies in; both only for the key's holder to make.</summary>
/// <remarks>
/// Sketch: 24 random normal directions, each a 16-bit number; its distances are the rows' to about 15 % (Johnson and Lindenstrauss 1984).
/// Cells: ⌊(a·x + b)/w⌋ for three normal a, in four tables (Datar et al., SoCG 2004). Directions and offsets are drawn from the key.
/// </remarks>
internal sealed class KeyedSketch
{
    internal const int Numbers = 24;
    internal const int Tables = 4;
    private const int Directions = 3;
    private const int Furthest = 4096;
    private const double UnitsOfReach = 1024;
    private readonly float[] _normals;   // (Numbers + Tables · Directions, width)
    private readonly float[] _offsets = new float[Tables * Directions];
    private readonly float _perUnit;
    private readonly float _perCell;
    private readonly ulong _salt;

    /// <param name="key">What the directions follow from.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="reach">The largest distance that shall be told, above 0.</param>
    internal KeyedSketch(ReadOnlySpan<byte> key, int width, double reach)
    {
        var draws = new KeyedDraws(key);
        Width = width;
        _salt = draws.Next();
        _normals = [.. Enumerable.Range(0, (Numbers + (Tables * Directions)) * width).Select(_ => (float)draws.NextNormal())];
        for (var i = 0; i < _offsets.Length; i++)
            _offsets[i] = (float)draws.NextUniform();
        _perUnit = (float)(UnitsOfReach / reach / Math.Sqrt(Numbers));
        _perCell = (float)(1 / (2 * reach));
        Unit = reach / UnitsOfReach;
    }

    internal int Width { get; }

    /// <summary>What one unit of a sketch's distance is worth.</summary>
    internal double Unit { get; }

    /// <summary>The sketch of a row, the hashed cell of each table, and a digest of its exact values.</summary>
    internal ulong Make(ReadOnlySpan<float> row, Span<short> sketch, Span<ulong> cells)
    {
        for (var i = 0; i < Numbers; i++)
            sketch[i] = (short)Math.Clamp(TensorPrimitives.Dot(row, _normals.AsSpan(i * Width, Width)) * _perUnit, -16383, 16383);
        for (var table = 0; table < Tables; table++)
        {
            var hash = _salt ^ ((ulong)table + 1);
            for (var direction = table * Directions; direction < (table + 1) * Directions; direction++)
            {
                var along = TensorPrimitives.Dot(row, _normals.AsSpan((Numbers + direction) * Width, Width));
                hash = Mix(hash ^ (ulong)(long)MathF.Floor((along * _perCell) + _offsets[direction]));
            }

            cells[table] = hash;
        }

        var digest = _salt;
        foreach (var value in row)
            digest = Mix(digest ^ BitConverter.SingleToUInt32Bits(value));
        return digest;
    }

    /// <summary>The squared distance of two sketches, in units; what is further away than four reaches along one direction counts as four.</summary>
    internal static int SquaredDistance(ReadOnlySpan<short> one, ReadOnlySpan<short> other)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Math.Min(one.Length, other.Length), Numbers);   // nothing below looks again: this runs hundreds of times a query
        ref var left = ref MemoryMarshal.GetReference(one);
        ref var right = ref MemoryMarshal.GetReference(other);
        return Vector128.Sum(SquaresAt(ref left, ref right, 0) + SquaresAt(ref left, ref right, 8) + SquaresAt(ref left, ref right, 16));
    }

    private static Vector128<int> SquaresAt(ref short one, ref short other, nuint at) =>
        SquaresOfPairs(Vector128.Clamp(Vector128.LoadUnsafe(ref one, at) - Vector128.LoadUnsafe(ref other, at), Vector128.Create((short)-Furthest), Vector128.Create((short)Furthest)));

    private static Vector128<int> SquaresOfPairs(Vector128<short> values)
    {
        if (Sse2.IsSupported)
            return Sse2.MultiplyAddAdjacent(values, values);
        var (lower, upper) = Vector128.Widen(values);
        return (lower * lower) + (upper * upper);
    }

    /// <summary>The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every bit in moves every bit out.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
