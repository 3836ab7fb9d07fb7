using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Monitoring.Queries;

/// <summary>Numbers that follow from a key: HMAC-SHA-256 in counter mode.</summary>
internal sealed class KeyedDraws(ReadOnlySpan<byte> key)
{
    private readonly byte[] _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.ToArray(), 32, info: "bulwark query monitor v2"u8.ToArray());
    private readonly byte[] _block = new byte[32];
    private int _used = 32;
    private uint _counter;

    internal ulong Next()
    {
        if (_used == _block.Length)
        {
            Span<byte> counter = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(counter, _counter++);
            HMACSHA256.HashData(_key, counter, _block);
            _used = 0;
        }

        var value = BinaryPrimitives.ReadUInt64LittleEndian(_block.AsSpan(_used));
        _used += 8;
        return value;
    }

    internal double NextUniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    internal double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextUniform())) * Math.Cos(2 * Math.PI * NextUniform());
}
