using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Interchange;

/// <summary>scrypt (RFC 7914): a passphrase into a key, at the price of memory. Here because age needs it; Bulwark's own files use Argon2id.</summary>
/// <remarks>
/// The base library's PBKDF2 around ROMix. Blocks are kept in the order in which Salsa20/8's diagonals are vectors (word i of a stored block is
/// word 5i mod 16 of the specified one), so that no step of it has to gather.
/// </remarks>
public static class Scrypt
{
    private const int WordsPerBlock = 16;

    /// <summary>Derives a key.</summary>
    /// <param name="passphrase">Any bytes.</param>
    /// <param name="salt">Any bytes.</param>
    /// <param name="logCost">Binary logarithm of N: 1 to 20, 128 · r · 2^logCost bytes of memory.</param>
    /// <param name="blockSize">r: 1 to 32.</param>
    /// <param name="parallelism">p: 1 to 16.</param>
    /// <param name="length">Bytes of key, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is out of range.</exception>
    public static SecretBytes DeriveKey(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, int logCost, int blockSize = 8, int parallelism = 1, int length = 32)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(logCost, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logCost, 20);
        ArgumentOutOfRangeException.ThrowIfLessThan(blockSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blockSize, 32);
        ArgumentOutOfRangeException.ThrowIfLessThan(parallelism, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parallelism, 16);
        var words = 2 * blockSize * WordsPerBlock;
        var blocks = GC.AllocateUninitializedArray<byte>(parallelism * words * 4, pinned: true);
        try
        {
            Rfc2898DeriveBytes.Pbkdf2(passphrase, salt, blocks, 1, HashAlgorithmName.SHA256);
            for (var i = 0; i < parallelism; i++)
                Mix(blocks.AsSpan(i * words * 4, words * 4), 1 << logCost);
            var phrase = passphrase.ToArray();
            try
            {
                return SecretBytes.Create(length, blocks, (source, target) => Rfc2898DeriveBytes.Pbkdf2(phrase, source, target, 1, HashAlgorithmName.SHA256));
            }
            finally
            {
                CryptographicOperations.ZeroMemory(phrase);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(blocks);
        }
    }

    /// <summary>RFC 7914 §5, scryptROMix.</summary>
    private static void Mix(Span<byte> block, int cost)
    {
        var words = block.Length / 4;
        var memory = GC.AllocateUninitializedArray<uint>(checked(cost * words));
        uint[] x = new uint[words], y = new uint[words];
        try
        {
            for (var i = 0; i < words; i++)
                x[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * Place(i))..]);
            for (var i = 0; i < cost; i++)
            {
                x.CopyTo(memory, i * words);
                BlockMix(x, y);
                (x, y) = (y, x);
            }

            for (var i = 0; i < cost; i++)
            {
                var j = (int)(x[words - WordsPerBlock] & (uint)(cost - 1));
                Xor(x, memory.AsSpan(j * words, words));
                BlockMix(x, y);
                (x, y) = (y, x);
            }

            for (var i = 0; i < words; i++)
                BinaryPrimitives.WriteUInt32LittleEndian(block[(4 * Place(i))..], x[i]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(memory.AsSpan()));
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(x.AsSpan()));
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(y.AsSpan()));
        }
    }

    private static int Place(int word) => word / WordsPerBlock * WordsPerBlock + word * 5 % WordsPerBlock;

    private static void Xor(Span<uint> target, ReadOnlySpan<uint> other)
    {
        var to = MemoryMarshal.Cast<uint, Vector128<uint>>(target);
        var from = MemoryMarshal.Cast<uint, Vector128<uint>>(other);
        for (var i = 0; i < to.Length; i++)
            to[i] ^= from[i];
    }

    /// <summary>RFC 7914 §4, scryptBlockMix: even results first, then odd ones.</summary>
    private static void BlockMix(ReadOnlySpan<uint> input, Span<uint> output)
    {
        var blocks = MemoryMarshal.Cast<uint, Vector128<uint>>(input);
        var results = MemoryMarshal.Cast<uint, Vector128<uint>>(output);
        var count = input.Length / WordsPerBlock;
        var (a, b, c, d) = (blocks[^4], blocks[^3], blocks[^2], blocks[^1]);
        for (var i = 0; i < count; i++)
        {
            (a, b, c, d) = Salsa(a ^ blocks[4 * i], b ^ blocks[4 * i + 1], c ^ blocks[4 * i + 2], d ^ blocks[4 * i + 3]);
            var place = 4 * (i / 2 + i % 2 * count / 2);
            (results[place], results[place + 1], results[place + 2], results[place + 3]) = (a, b, c, d);
        }
    }

    /// <summary>RFC 7914 §3, Salsa20/8 on diagonals: columns, turn, rows, turn back.</summary>
    private static (Vector128<uint> A, Vector128<uint> B, Vector128<uint> C, Vector128<uint> D) Salsa(Vector128<uint> a0, Vector128<uint> b0, Vector128<uint> c0, Vector128<uint> d0)
    {
        var (a, b, c, d) = (a0, b0, c0, d0);
        for (var round = 0; round < 4; round++)
        {
            b ^= Rotate(a + d, 7);
            c ^= Rotate(b + a, 9);
            d ^= Rotate(c + b, 13);
            a ^= Rotate(d + c, 18);
            b = Vector128.Shuffle(b, Vector128.Create(3u, 0, 1, 2));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(1u, 2, 3, 0));
            d ^= Rotate(a + b, 7);
            c ^= Rotate(d + a, 9);
            b ^= Rotate(c + d, 13);
            a ^= Rotate(b + c, 18);
            b = Vector128.Shuffle(b, Vector128.Create(1u, 2, 3, 0));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(3u, 0, 1, 2));
        }

        return (a + a0, b + b0, c + c0, d + d0);
    }

    private static Vector128<uint> Rotate(Vector128<uint> value, int by) => value << by | value >>> (32 - by);
}
