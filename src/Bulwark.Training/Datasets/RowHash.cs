using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bulwark.Data;

namespace Bulwark.Training;

/// <summary>Decides by a keyed hash of a row's cells whether it tests.</summary>
internal sealed class RowHash : IDisposable
{
    private readonly IncrementalHash _hash;
    private readonly double _limit;
    private readonly byte[] _digest = new byte[SHA256.HashSizeInBytes];

    internal RowHash(long seed, double testFraction)
    {
        var key = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(key, seed);
        _hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        _limit = testFraction * Math.Pow(2, 64);
    }

    /// <summary>True when the row of <paramref name="table"/> tests.</summary>
    internal bool Tests(Table table, int row)
    {
        foreach (var column in table.Columns)
        {
            _hash.AppendData(Encoding.UTF8.GetBytes(column.Text(row) ?? ""));
            _hash.AppendData([0]);
        }

        _hash.GetHashAndReset(_digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(_digest) < _limit;
    }

    public void Dispose() => _hash.Dispose();
}
