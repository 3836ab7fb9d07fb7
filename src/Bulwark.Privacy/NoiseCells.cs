using System.Numerics;

namespace Bulwark.Privacy;

/// <summary>Cells of a 64th of a standard deviation, chosen with chance proportional to e^(−cell²/2¹³): an alias table in integers, 88 bits a column.</summary>
/// <remarks>Source: Vose, "A linear algorithm for generating random numbers with a given distribution", 1991. Weights are computed with 192 bits, so that each is right to 2⁻⁹⁷ of the whole.</remarks>
internal sealed class NoiseCells
{
    internal const int Count = 1024;
    private const int Bits = 192;

    private NoiseCells()
    {
        var whole = BigInteger.One << 88;
        var left = Weights(whole * Count);
        var (small, large) = (new Stack<int>(), new Stack<int>());
        for (var cell = 0; cell < Count; cell++)
            (left[cell] < whole ? small : large).Push(cell);
        while (small.TryPop(out var column))
        {
            var giver = large.Peek();   // the columns hold the whole exactly, so somebody has what this one lacks
            Set(column, left[column], giver);
            left[giver] -= whole - left[column];
            if (left[giver] < whole)
                small.Push(large.Pop());
        }

        while (large.TryPop(out var full))
            Set(full, whole - 1, full);
    }

    internal static NoiseCells Shared { get; } = new();

    /// <summary>Above, the threshold: a column keeps itself when 24 random bits are below it, or equal and 64 more are below <see cref="Rest"/>. Below, the other cell.</summary>
    internal ulong[] Columns { get; } = new ulong[Count];

    internal ulong[] Rest { get; } = new ulong[Count];

    /// <summary>The chance of a cell, for tests.</summary>
    internal double Chance(int cell)
    {
        BigInteger sum = 0;
        for (var column = 0; column < Count; column++)
        {
            var own = ((BigInteger)(Columns[column] >> 32) << 64) + Rest[column];
            sum += (column == cell ? own : 0) + ((int)(uint)Columns[column] == cell ? (BigInteger.One << 88) - own : 0);
        }

        return (double)sum / Math.Pow(2, 98);
    }

    private void Set(int column, BigInteger own, int alias)
    {
        Columns[column] = ((ulong)(own >> 64) << 32) | (uint)alias;
        Rest[column] = (ulong)(own & ulong.MaxValue);
    }

    /// <summary>e^(−cell²/2¹³) as integers that sum to <paramref name="total"/> exactly; what rounding leaves over goes to the first cell.</summary>
    private static BigInteger[] Weights(BigInteger total)
    {
        var one = BigInteger.One << Bits;
        var (ratio, term) = (one, one);
        for (var k = 1; !term.IsZero; k++)
        {
            term = -(term >> 13) / k;   // e^(−2⁻¹³) by its series
            ratio += term;
        }

        var (exact, value, factor, square) = (new BigInteger[Count], one, ratio, (ratio * ratio) >> Bits);
        for (var cell = 0; cell < Count; cell++)
        {
            exact[cell] = value;   // each is the one before times ratio^(2·cell + 1)
            value = (value * factor) >> Bits;
            factor = (factor * square) >> Bits;
        }

        var sum = exact.Aggregate(BigInteger.Zero, (all, next) => all + next);
        var weights = exact.Select(weight => weight * total / sum).ToArray();
        weights[0] += total - weights.Aggregate(BigInteger.Zero, (all, next) => all + next);
        return weights;
    }
}
