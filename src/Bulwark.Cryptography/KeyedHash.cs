using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>HMAC-SHA-256 of whole values under one key: equal values stay equal, and without the key nobody can try values out.</summary>
/// <remarks>Source: RFC 2104, FIPS 180-4; PCI DSS 4.0.1, 3.5.1.1 asks for a keyed hash of the whole number. Set up once, then half the cost a value. Not thread-safe.</remarks>
public sealed class KeyedHash : IDisposable
{
    /// <summary>Length of a whole hash in bytes.</summary>
    public const int SizeInBytes = 32;

    /// <summary>The most bits of a beacon.</summary>
    public const int MostBeaconBits = 63;

    private readonly IncrementalHash _hash;

    /// <param name="key">32 bytes or more.</param>
    /// <exception cref="ArgumentException">The key is shorter.</exception>
    public KeyedHash(ReadOnlySpan<byte> key)
    {
        if (key.Length < 32)
            throw new ArgumentException($"A key for hashes has 32 bytes or more, not {key.Length}.", nameof(key));
        _hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
    }

    /// <summary>Hashes one value.</summary>
    /// <param name="value">The whole value.</param>
    /// <param name="hash">Takes the first 1 to 32 bytes of the hash: as many as it is long.</param>
    public void Compute(ReadOnlySpan<byte> value, Span<byte> hash)
    {
        Span<byte> whole = stackalloc byte[SizeInBytes];
        _hash.AppendData(value);
        _hash.GetHashAndReset(whole);
        whole[..hash.Length].CopyTo(hash);
    }

    /// <summary>The first bits of a value's hash, as a number: many values share one on purpose.</summary>
    /// <param name="value">The whole value.</param>
    /// <param name="bits">1 to 63; see <see cref="BeaconRule"/>.</param>
    public ulong Beacon(ReadOnlySpan<byte> value, int bits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, MostBeaconBits);
        Span<byte> first = stackalloc byte[8];
        Compute(value, first);
        return BinaryPrimitives.ReadUInt64BigEndian(first) >> (64 - bits);
    }

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _hash.Dispose();
}
