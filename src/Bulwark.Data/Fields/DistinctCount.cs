using System.Numerics;

namespace Bulwark.Data;

/// <summary>How many different values a column has: exact to 65,536, then estimated to about 1 %, in constant memory.</summary>
/// <remarks>Source: Flajolet et al., "HyperLogLog", AofA 2007, figure 3, with 2^14 registers; no correction is needed for counts this large.</remarks>
internal sealed class DistinctCount
{
    private const int Exact = 1 << 16, Bits = 14, Registers = 1 << Bits;
    private readonly HashSet<ulong> _seen = [];
    private readonly byte[] _ranks = new byte[Registers];

    internal long Value => _seen.Count < Exact ? _seen.Count : Estimate();

    /// <summary>Adds a value by its hash: 64 bits that look random.</summary>
    internal void Add(ulong hash)
    {
        if (_seen.Count < Exact)
            _seen.Add(hash);
        ref var rank = ref _ranks[hash >> (64 - Bits)];
        rank = Math.Max(rank, (byte)(BitOperations.LeadingZeroCount(hash << Bits | (1UL << (Bits - 1))) + 1));
    }

    private long Estimate()
    {
        var sum = _ranks.Sum(rank => Math.Pow(2, -rank));
        return (long)(0.7213 / (1 + 1.079 / Registers) * Registers * Registers / sum);
    }
}
