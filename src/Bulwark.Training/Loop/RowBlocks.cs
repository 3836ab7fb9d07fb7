using Bulwark.Privacy;

namespace Bulwark.Training.Loop;

/// <summary>Which rows are summed together in single precision: drawn at random once, each row by itself, so that one row more or less changes the sum of its own block only.</summary>
/// <remarks>Rounding in one block moves its sum by at most 2⁻²⁴·m²·C for m rows of length C; docs/privacy.md has the proof. Without blocks it would grow with all rows.</remarks>
internal sealed class RowBlocks
{
    /// <summary>Rows that are summed together at most: 2⁻²⁴·384² = 0.9 % of the clipping norm.</summary>
    internal const int Most = 384;

    /// <summary>Rows of a batch in a block, in the mean: 384 would come by chance less than once in 10²⁰ blocks.</summary>
    private const int Mean = 224;

    private const int Shares = 4;

    private readonly int[] _blockOf;
    private readonly int[] _starts;
    private int[] _grouped = [];

    private RowBlocks(int[] blockOf, int blocks) => (_blockOf, _starts) = (blockOf, new int[blocks + 1]);

    internal int Count => _starts.Length - 1;

    /// <param name="rows">Number of rows.</param>
    /// <param name="expectedBatch">How many of them a step takes; a public figure.</param>
    internal static RowBlocks Draw(int rows, double expectedBatch)
    {
        var blocks = (int)Math.Clamp(Math.Ceiling(expectedBatch / Mean), 1, 1 << 20);
        if (blocks > 1)
            blocks += (Shares - (blocks % Shares)) % Shares;   // threads take equal numbers
        var blockOf = new int[rows];
        if (blocks > 1)
        {
            using var random = new SecureRandom();
            var bits = new uint[rows];
            random.Fill(System.Runtime.InteropServices.MemoryMarshal.AsBytes(bits.AsSpan()));
            for (var row = 0; row < rows; row++)
                blockOf[row] = (int)(((ulong)bits[row] * (ulong)blocks) >> 32);
        }

        return new RowBlocks(blockOf, blocks);
    }

    /// <summary>Orders a batch by blocks; within a block rows keep their order.</summary>
    internal void Group(ReadOnlySpan<int> batch)
    {
        if (_grouped.Length < batch.Length)
            _grouped = new int[batch.Length + (batch.Length / 8)];
        Array.Clear(_starts);
        foreach (var row in batch)
            _starts[_blockOf[row]]++;
        for (int block = 0, at = 0; block < _starts.Length; block++)
            (_starts[block], at) = (at, at + _starts[block]);
        foreach (var row in batch)
            _grouped[_starts[_blockOf[row]]++] = row;
    }

    /// <summary>The rows of one block of the batch that was grouped last.</summary>
    internal ReadOnlySpan<int> this[int block]
    {
        get
        {
            var from = block == 0 ? 0 : _starts[block - 1];   // grouping moved each start to its end
            return _grouped.AsSpan(from, _starts[block] - from);
        }
    }
}
