using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Security.Cryptography;

namespace Bulwark.Monitoring.Queries;

/// <summary>Cuts the space of encoded rows into cells, several times over and in several sizes, in directions that only the key's holder knows.</summary>
/// <remarks>
/// Source: Datar et al., "Locality-Sensitive Hashing Scheme Based on p-Stable Distributions", SoCG 2004: a cell is ⌊(a·x + b)/w⌋ for a few normal a.
/// Directions and offsets are drawn from the key by HMAC-SHA-256 in counter mode, so that nobody without it can place queries in cells of their own.
/// </remarks>
internal sealed class KeyedGrid
{
    internal const int Tables = 4;
    private const int Directions = 6;
    private readonly int _width;
    private readonly float[] _normals;      // (Tables · Directions, width)
    private readonly float[] _offsets;      // (levels, Tables · Directions), shares of a cell
    private readonly double[] _cellWidths;
    private readonly ulong _salt;

    internal KeyedGrid(ReadOnlySpan<byte> key, int width, IReadOnlyList<double> cellWidths)
    {
        (_width, _cellWidths) = (width, [.. cellWidths]);
        var draws = new KeyedDraws(key);
        _salt = draws.Next();
        _normals = [.. Enumerable.Range(0, Tables * Directions * width).Select(_ => (float)draws.NextNormal())];
        _offsets = [.. Enumerable.Range(0, cellWidths.Count * Tables * Directions).Select(_ => (float)draws.NextUniform())];
    }

    internal int Levels => _cellWidths.Length;

    /// <summary>The cell of a row in each table of each level, hashed; shape (levels, tables).</summary>
    internal void Place(ReadOnlySpan<float> row, Span<ulong> cells)
    {
        Span<float> along = stackalloc float[Tables * Directions];
        for (var direction = 0; direction < along.Length; direction++)
            along[direction] = TensorPrimitives.Dot(row, _normals.AsSpan(direction * _width, _width));
        for (var level = 0; level < Levels; level++)
        {
            for (var table = 0; table < Tables; table++)
            {
                var hash = _salt ^ ((ulong)(level * Tables) + (ulong)table + 1);
                for (var direction = table * Directions; direction < (table + 1) * Directions; direction++)
                {
                    var step = (long)Math.Floor((along[direction] / _cellWidths[level]) + _offsets[(level * Tables * Directions) + direction]);
                    hash = Mix(hash ^ (ulong)step);
                }

                cells[(level * Tables) + table] = hash;
            }
        }
    }

    /// <summary>A digest of a row's exact values.</summary>
    internal ulong DigestOf(ReadOnlySpan<float> row)
    {
        var hash = _salt;
        foreach (var value in row)
            hash = Mix(hash ^ BitConverter.SingleToUInt32Bits(value));
        return hash;
    }

    /// <summary>The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every bit in moves every bit out.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>Numbers that follow from a key.</summary>
    private sealed class KeyedDraws(ReadOnlySpan<byte> key)
    {
        private readonly byte[] _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.ToArray(), 32, info: "bulwark query monitor v1"u8.ToArray());
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
}
