using System.Data.Common;

namespace Bulwark.Databases;

/// <summary>A ledger's lines as rows of a database: place and bytes, in order, without a gap.</summary>
internal static class LedgerRows
{
    /// <exception cref="InvalidDataException">A place is missing.</exception>
    internal static List<byte[]> Read(DbDataReader rows, long first, string ledger)
    {
        var lines = new List<byte[]>();
        for (; rows.Read(); lines.Add(rows.GetFieldValue<byte[]>(1)))
        {
            if (rows.GetInt64(0) != first + lines.Count)
                throw new InvalidDataException($"The privacy ledger {ledger} lacks line {first + lines.Count + 1}: a row was removed.");
        }

        return lines;
    }
}
