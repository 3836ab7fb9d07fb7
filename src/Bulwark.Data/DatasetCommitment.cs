using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Data;

/// <summary>One digest that stands for a table, from which any block of its rows can later be shown to be part.</summary>
/// <remarks>
/// The root of an RFC 6962 tree. Leaf 0 is the header: <c>bulwark.dev/dataset/v2</c>, LF, the number of rows (u64), of columns
/// (u32) and each name. Leaf k + 1 is block k: the number of its first row (u64), then the cells of up to
/// <see cref="BlockRows"/> rows in column order. Integers are big-endian; names and cells are UTF-8 after their length in bytes
/// (u32); a cell is its canonical text (<see cref="CellText"/>), so that CSV and Parquet of one table have one root.
/// Every leaf is blinded (<see cref="CommitmentKey"/>): the root alone confirms no guess. Without a key nothing is blinded, and who can guess
/// a block can check the guess: such a root is a name for oneself, and not to be published.
/// </remarks>
public sealed class DatasetCommitment
{
    /// <summary>Rows of a block; the last may have fewer.</summary>
    public const int BlockRows = 4096;

    private readonly Digest[] _leaves;

    private DatasetCommitment(Digest plainRoot, Digest[] leaves, int rows) => (PlainRoot, _leaves, Rows, Root) = (plainRoot, leaves, rows, MerkleTree.Root(leaves));

    /// <summary>The root that the rows have without blinding: never to be given out.</summary>
    internal Digest PlainRoot { get; }

    /// <summary>The digest that stands for the table.</summary>
    public Digest Root { get; }

    /// <summary>Rows of the table.</summary>
    public int Rows { get; }

    /// <summary>Blocks of rows; the tree has one leaf more.</summary>
    public int Blocks => _leaves.Length - 1;

    /// <summary>Commits to <paramref name="table"/>.</summary>
    /// <param name="table">The table.</param>
    /// <param name="key">What blinds the leaves; null for a root that hides nothing.</param>
    /// <param name="progress">Told the fraction done, 0 to 1.</param>
    /// <param name="cancel">Stops the work.</param>
    public static DatasetCommitment Of(Table table, CommitmentKey? key = null, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(table);
        var leaves = new Digest[1 + (table.Rows + BlockRows - 1) / BlockRows];
        leaves[0] = MerkleTree.LeafHash(Header(table.Rows, table.Columns.Select(column => column.Name)));
        var done = 0;
        Parallel.For(0, leaves.Length - 1, new ParallelOptions { CancellationToken = cancel }, block =>
        {
            leaves[block + 1] = MerkleTree.LeafHash(Block(table, block));
            progress?.Report((double)Interlocked.Increment(ref done) / leaves.Length);
        });
        var plainRoot = MerkleTree.Root(leaves);
        using var blinding = key?.For(plainRoot);
        return new(plainRoot, blinding?.Leaves(leaves) ?? leaves, table.Rows);
    }

    /// <summary>The bytes of block <paramref name="block"/>, whose proof <see cref="Prove"/> gives.</summary>
    /// <param name="table">The table.</param>
    /// <param name="block">From 0.</param>
    internal static byte[] Block(Table table, int block) => Block(table, block, 0);

    /// <summary>The bytes of a block of a batch that begins at row <paramref name="firstRow"/> of the whole table.</summary>
    internal static byte[] Block(Table table, int block, long firstRow)
    {
        ArgumentNullException.ThrowIfNull(table);
        var start = (long)block * BlockRows;
        if (block < 0 || start >= table.Rows)
            throw new ArgumentOutOfRangeException(nameof(block), block, $"The table has {(table.Rows + BlockRows - 1) / BlockRows} blocks.");
        var bytes = new ArrayBufferWriter<byte>(1 << 18);
        BinaryPrimitives.WriteInt64BigEndian(bytes.GetSpan(8), firstRow + start);
        bytes.Advance(8);
        var buffer = new byte[256];
        for (var row = (int)start; row < Math.Min(start + BlockRows, table.Rows); row++)
        {
            foreach (var column in table.Columns)
                Append(bytes, column.Utf8(row, ref buffer));
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>The proof that the leaf of block <paramref name="block"/> is part of the tree; <see cref="RowGroupProof"/> is the whole proof.</summary>
    internal InclusionProof Prove(int block)
    {
        if (block < 0 || block >= Blocks)
            throw new ArgumentOutOfRangeException(nameof(block), block, $"The table has {Blocks} blocks.");
        return new(block + 1, _leaves.Length, MerklePath.Of(block + 1, _leaves));
    }

    /// <summary>The proof that the header, which <see cref="HeaderOf"/> gives, is part of the table: names of columns and number of rows.</summary>
    internal InclusionProof ProveHeader() => new(0, _leaves.Length, MerklePath.Of(0, _leaves));

    /// <summary>The bytes of the header.</summary>
    internal static byte[] HeaderOf(Table table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return Header(table.Rows, table.Columns.Select(column => column.Name));
    }

    /// <summary>The tree's leaf for the bytes of a header or a block.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="leafKey">What blinds this leaf; empty where nothing is blinded.</param>
    internal static Digest Leaf(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> leafKey) =>
        leafKey.IsEmpty ? MerkleTree.LeafHash(bytes) : DatasetBlinding.Leaf(leafKey, MerkleTree.LeafHash(bytes));

    internal static byte[] Header(long rows, IEnumerable<string> names)
    {
        var columns = names.ToArray();
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write("bulwark.dev/dataset/v2\n"u8);
        BinaryPrimitives.WriteInt64BigEndian(bytes.GetSpan(8), rows);
        bytes.Advance(8);
        BinaryPrimitives.WriteInt32BigEndian(bytes.GetSpan(4), columns.Length);
        bytes.Advance(4);
        foreach (var column in columns)
            Append(bytes, Encoding.UTF8.GetBytes(column));
        return bytes.WrittenSpan.ToArray();
    }

    private static void Append(ArrayBufferWriter<byte> bytes, ReadOnlySpan<byte> text)
    {
        BinaryPrimitives.WriteInt32BigEndian(bytes.GetSpan(4), text.Length);
        bytes.Advance(4);
        bytes.Write(text);
    }
}
