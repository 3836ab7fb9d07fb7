using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Privacy;

/// <summary>Random bytes in bulk: AES-256 in counter mode under a key from the operating system, thrown away with the object.</summary>
/// <remarks>There is no way to seed it: noise that can be repeated can be subtracted. Not thread-safe; make one per thread.</remarks>
public sealed class SecureRandom : IDisposable
{
    private const int BufferBytes = 1 << 15;
    private const int RekeyBlocks = 1 << 26;

    private readonly byte[] _counters = new byte[BufferBytes];
    private readonly byte[] _bytes = new byte[BufferBytes];
    private Aes _cipher;
    private ulong _block;
    private int _used = BufferBytes;

    /// <summary>A generator with a fresh key.</summary>
    public SecureRandom() => _cipher = NewCipher();

    /// <summary>Fills <paramref name="bytes"/>.</summary>
    public void Fill(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_used == BufferBytes)
                Refill();
            var count = Math.Min(bytes.Length, BufferBytes - _used);
            _bytes.AsSpan(_used, count).CopyTo(bytes);
            _bytes.AsSpan(_used, count).Clear();
            _used += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>A number in [0, 1), a multiple of 2⁻⁵³.</summary>
    public double NextDouble()
    {
        Span<byte> bytes = stackalloc byte[8];
        Fill(bytes);
        return (BinaryPrimitives.ReadUInt64LittleEndian(bytes) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>A Poisson sample: the indices of 0 … <paramref name="records"/>−1, each taken with <paramref name="probability"/>, independently.</summary>
    /// <remarks>Gaps between taken records are geometric, so the cost is that of the sample, not of the data.</remarks>
    public void PoissonSample(int records, double probability, List<int> indices)
    {
        indices.Clear();
        if (probability >= 1)
        {
            indices.AddRange(Enumerable.Range(0, records));
            return;
        }

        var scale = 1 / Math.Log(1 - probability);
        for (var at = -1.0; ;)
        {
            at += 1 + Math.Floor(Math.Log(1 - NextDouble()) * scale);
            if (!(at < records))
                return;
            indices.Add((int)at);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cipher.Dispose();
        CryptographicOperations.ZeroMemory(_bytes);
    }

    private static Aes NewCipher()
    {
        var cipher = Aes.Create();
        Span<byte> key = stackalloc byte[32];
        RandomNumberGenerator.Fill(key);
        cipher.SetKey(key);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }

    private void Refill()
    {
        if (_block >= RekeyBlocks)
        {
            _cipher.Dispose();
            _cipher = NewCipher();
            _block = 0;
        }

        for (var i = 0; i < BufferBytes; i += 16)
            BinaryPrimitives.WriteUInt64LittleEndian(_counters.AsSpan(i), _block++);
        _cipher.EncryptEcb(_counters, _bytes, PaddingMode.None);
        _used = 0;
    }
}
