using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Bulwark.Cryptography;
using Bulwark.Lineage;

namespace Bulwark.Data;

/// <summary>One row group of a table with the proof that it is part of the data set that a root stands for: nothing of the rest is shown or needed.</summary>
/// <remarks>
/// docs/lineage.md is the specification. The group's rows are in the proof in plain; whoever may not see them must not get it. The keys in it
/// blind this group's leaf and the header's alone: they help nobody to guess at another group.
/// </remarks>
public sealed record RowGroupProof
{
    /// <summary>The file's format.</summary>
    public const string FormatName = "bulwark-row-group/v2";

    private static readonly JsonSerializerOptions s_options = new(CanonicalJson.Options)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
    };

    /// <summary>The format's name and version.</summary>
    public string Format { get; init; } = FormatName;

    /// <summary>Root of the data set.</summary>
    public required Digest Root { get; init; }

    /// <summary>Which row group, from 0.</summary>
    public required int Group { get; init; }

    /// <summary>Leaves of the tree: the header and the row groups.</summary>
    public required long Leaves { get; init; }

    /// <summary>The header's bytes: number of rows, names of columns.</summary>
    public required byte[] Header { get; init; }

    /// <summary>What blinds the header's leaf, 32 bytes.</summary>
    public required byte[] HeaderKey { get; init; }

    /// <summary>Hashes from the header to the root.</summary>
    public required IReadOnlyList<Digest> HeaderPath { get; init; }

    /// <summary>The row group's bytes.</summary>
    public required byte[] Rows { get; init; }

    /// <summary>What blinds the row group's leaf, 32 bytes.</summary>
    public required byte[] RowsKey { get; init; }

    /// <summary>Hashes from the row group to the root.</summary>
    public required IReadOnlyList<Digest> RowsPath { get; init; }

    /// <summary>The signed statement that commits to the root, canonical bytes; null where there is no log.</summary>
    public byte[]? Statement { get; init; }

    /// <summary>Its place in the log (c2sp.org/tlog-proof@v1); null where there is no log.</summary>
    public string? LogProof { get; init; }

    /// <summary>Takes one row group out of a table, with its proof.</summary>
    /// <param name="table">The whole table.</param>
    /// <param name="group">Which, from 0; a group has <see cref="DatasetCommitment.BlockRows"/> rows, the last may have fewer.</param>
    /// <param name="key">What blinds the commitment.</param>
    public static RowGroupProof Of(Table table, int group, CommitmentKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var commitment = DatasetCommitment.Of(table, key);
        using var blinding = key.For(commitment.PlainRoot);
        var (header, rows) = (commitment.ProveHeader(), commitment.Prove(group));
        return new RowGroupProof
        {
            Root = commitment.Root,
            Group = group,
            Leaves = rows.Size,
            Header = DatasetCommitment.HeaderOf(table),
            HeaderKey = blinding.LeafKey(0),
            HeaderPath = header.Hashes,
            Rows = DatasetCommitment.Block(table, group),
            RowsKey = blinding.LeafKey(group + 1L),
            RowsPath = rows.Hashes,
        };
    }

    /// <summary>True when header and rows are both under the root, in their places, and the rows are those that the header promises.</summary>
    public bool Verify() =>
        Group >= 0 && Leaves > Group + 1L && HeaderKey.Length == DatasetBlinding.SizeInBytes && RowsKey.Length == DatasetBlinding.SizeInBytes
        && MerkleTree.VerifyInclusion(0, Leaves, DatasetCommitment.Leaf(Header, HeaderKey), HeaderPath, Root)
        && MerkleTree.VerifyInclusion(Group + 1L, Leaves, DatasetCommitment.Leaf(Rows, RowsKey), RowsPath, Root)
        && TryRead(out _, out _, out _);

    /// <summary>The columns and the cells, row by row, as canonical text; null is an empty cell.</summary>
    /// <exception cref="FormatException">The bytes are no header and no rows.</exception>
    public (IReadOnlyList<string> Columns, long FirstRow, IReadOnlyList<string[]> Cells) Read() => TryRead(out var columns, out var first, out var cells)
        ? (columns, first, cells) : throw new FormatException("The row group's bytes are not what its header promises.");

    /// <summary>The proof as a file.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(this, s_options);

    /// <summary>Reads a proof; checks nothing.</summary>
    /// <exception cref="FormatException">It is malformed.</exception>
    public static RowGroupProof Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return JsonSerializer.Deserialize<RowGroupProof>(bytes, s_options) is { Format: FormatName } proof ? proof : throw new FormatException($"This is no proof of the format {FormatName}.");
        }
        catch (JsonException failure)
        {
            throw new FormatException($"This is no proof of a row group: {failure.Message}", failure);
        }
    }

    private bool TryRead(out List<string> columns, out long first, out List<string[]> cells)
    {
        (columns, first, cells) = ([], 0, []);
        var title = "bulwark.dev/dataset/v2\n"u8;
        var header = Header.AsSpan();
        if (!header.StartsWith(title) || header.Length < title.Length + 12)
            return false;
        var total = BinaryPrimitives.ReadInt64BigEndian(header[title.Length..]);
        var count = BinaryPrimitives.ReadInt32BigEndian(header[(title.Length + 8)..]);
        header = header[(title.Length + 12)..];
        for (var i = 0; i < count; i++)
        {
            if (!TryText(ref header, out var name))
                return false;
            columns.Add(name);
        }

        var body = Rows.AsSpan();
        if (!header.IsEmpty || count == 0 || body.Length < 8)
            return false;
        first = BinaryPrimitives.ReadInt64BigEndian(body);
        body = body[8..];
        while (!body.IsEmpty)
        {
            var row = new string[count];
            for (var i = 0; i < count; i++)
            {
                if (!TryText(ref body, out row[i]))
                    return false;
            }

            cells.Add(row);
        }

        return first == (long)Group * DatasetCommitment.BlockRows && cells.Count == Math.Min(DatasetCommitment.BlockRows, total - first);
    }

    private static bool TryText(ref ReadOnlySpan<byte> bytes, out string text)
    {
        text = "";
        if (bytes.Length < 4 || BinaryPrimitives.ReadInt32BigEndian(bytes) is not (>= 0 and var length) || bytes.Length - 4 < length)
            return false;
        text = Encoding.UTF8.GetString(bytes.Slice(4, length));
        bytes = bytes[(4 + length)..];
        return true;
    }

    private static bool TryText(ref Span<byte> bytes, out string text)
    {
        ReadOnlySpan<byte> view = bytes;
        var read = TryText(ref view, out text);
        bytes = bytes[(bytes.Length - view.Length)..];
        return read;
    }
}
