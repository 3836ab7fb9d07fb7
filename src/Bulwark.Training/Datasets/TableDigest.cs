using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;
using Bulwark.Data;

namespace Bulwark.Training;

/// <summary>One digest of a table in memory: every column's name, kind and cells, in order.</summary>
internal static class TableDigest
{
    private static readonly byte[] s_domain = Encoding.UTF8.GetBytes("bulwark.dev/table/v1\n");

    internal static Digest Of(Table table)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(s_domain);
        AppendNumber(hash, table.Rows);
        AppendNumber(hash, table.Columns.Count);
        foreach (var column in table.Columns)
        {
            AppendNumber(hash, (int)column.Kind);
            AppendText(hash, column.Name);
            switch (column)
            {
                case NumberColumn number:
                    hash.AppendData(MemoryMarshal.AsBytes(number.Values.AsSpan()));
                    break;
                case TimeColumn time:
                    hash.AppendData(MemoryMarshal.AsBytes(time.Values.AsSpan()));
                    break;
                default:
                    for (var row = 0; row < column.Rows; row++)
                        AppendText(hash, column.Text(row));
                    break;
            }
        }

        return new Digest(hash.GetHashAndReset());
    }

    /// <summary>Length and UTF-8 bytes; length -1 when missing.</summary>
    private static void AppendText(IncrementalHash hash, string? text)
    {
        AppendNumber(hash, text is null ? -1 : Encoding.UTF8.GetByteCount(text));
        if (!string.IsNullOrEmpty(text))
            hash.AppendData(Encoding.UTF8.GetBytes(text));
    }

    private static void AppendNumber(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
