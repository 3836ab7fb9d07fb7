using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>FF1's ten rounds over thousands of texts of one length together: one call into AES a round, not one a text.</summary>
/// <remarks>
/// Source: NIST SP 800-38G, Algorithms 7 and 8, for halves below 2^32 or, with wider arithmetic, below 2^63. Then the round number and
/// the half stand in the last block of Q whatever the tweak's length, so PRF(P | Q's other blocks) is computed once, and d is at most
/// 12 bytes, so S is one block.
/// </remarks>
internal sealed class Ff1Rounds : IDisposable
{
    /// <summary>Texts that go through a round together: their blocks stay in the first caches.</summary>
    internal const int Batch = 1024;

    private const int Rounds = 10;
    private readonly Aes _aes;
    private readonly byte[] _blocks = GC.AllocateArray<byte>(Batch * 16, pinned: true);
    private readonly ulong _high, _low, _modulusU, _modulusV, _inverseU, _inverseV;
    private readonly int _roundShift;
    private readonly bool _wide;

    private Ff1Rounds(Aes aes, ulong modulusU, ulong modulusV, int b, UInt128 prefix)
    {
        (_aes, _modulusU, _modulusV, _wide) = (aes, modulusU, modulusV, b > 4);
        (_inverseU, _inverseV) = (Inverse(modulusU), Inverse(modulusV));
        (_high, _low) = ((ulong)(prefix >> 64), (ulong)(prefix & ulong.MaxValue));
        _roundShift = b * 8;
    }

    /// <returns>Null where a half does not fit: then texts go one by one.</returns>
    internal static Ff1Rounds? For(Aes aes, int radix, int length, ReadOnlySpan<byte> tweak)
    {
        var (u, v) = (length / 2, length - length / 2);
        if (Power(radix, v) is not { } modulusV || Power(radix, u) is not { } modulusU)
            return null;
        var b = (71 - (int)ulong.LeadingZeroCount(modulusV - 1)) / 8;
        if (b > 7)
            return null;   // the round number must stand in the lower half of the block
        Span<byte> state = stackalloc byte[16];
        byte[] p = [1, 2, 1, (byte)(radix >> 16), (byte)(radix >> 8 & 0xff), (byte)(radix & 0xff), 10, (byte)(u % 256), 0, 0, 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(p.AsSpan(8), length);
        BinaryPrimitives.WriteInt32BigEndian(p.AsSpan(12), tweak.Length);
        aes.EncryptEcb(p, state, PaddingMode.None);
        var q = new byte[(tweak.Length + 1 + b + 15) / 16 * 16];
        tweak.CopyTo(q);
        for (var offset = 0; offset < q.Length; offset += 16)
        {
            Cmac.Xor(state, q.AsSpan(offset, 16));
            if (offset + 16 < q.Length)
                aes.EncryptEcb(state, state, PaddingMode.None);
        }

        return new(aes, modulusU, modulusV, b, BinaryPrimitives.ReadUInt128BigEndian(state));
    }

    /// <summary>Encrypts in place.</summary>
    /// <param name="left">A of each text.</param>
    /// <param name="right">B of each text; as many.</param>
    internal void Encrypt(Span<ulong> left, Span<ulong> right)
    {
        for (var round = 0; round < Rounds; round += 2)
        {
            Round(right, left, round, _modulusU, _inverseU, encrypt: true);
            Round(left, right, round + 1, _modulusV, _inverseV, encrypt: true);
        }
    }

    /// <summary>Decrypts in place.</summary>
    /// <inheritdoc cref="Encrypt"/>
    internal void Decrypt(Span<ulong> left, Span<ulong> right)
    {
        for (var round = Rounds - 2; round >= 0; round -= 2)
        {
            Round(left, right, round + 1, _modulusV, _inverseV, encrypt: false);
            Round(right, left, round, _modulusU, _inverseU, encrypt: false);
        }
    }

    /// <summary>Wipes the blocks; the cipher is the caller's.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_blocks);

    /// <summary>Steps 6i to 6vi for all texts: <paramref name="changed"/> plus or minus PRF(<paramref name="kept"/>).</summary>
    private void Round(ReadOnlySpan<ulong> kept, Span<ulong> changed, int round, ulong modulus, ulong inverse, bool encrypt)
    {
        var blocks = _blocks.AsSpan(0, kept.Length * 16);
        var high = BinaryPrimitives.ReverseEndianness(_high);
        var low = _low ^ ((ulong)(uint)round << _roundShift);
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(blocks);
        unchecked
        {
            for (int i = 0, word = 0; i < kept.Length && word + 1 < words.Length; i++, word += 2)
            {
                words[word] = high;
                words[word + 1] = BinaryPrimitives.ReverseEndianness(low ^ kept[i]);
            }

            _aes.EncryptEcb(blocks, blocks, PaddingMode.None);
            if (_wide)
            {
                MixWide(words, changed, modulus, encrypt);
                return;
            }

            for (int i = 0, word = 0; i < changed.Length && word < words.Length; i++, word += 2)
            {
                var y = BinaryPrimitives.ReverseEndianness(words[word]);
                var rest = y - Math.BigMul(y, inverse, out _) * modulus;
                rest -= rest >= modulus ? modulus : 0;
                var sum = encrypt ? changed[i] + rest : changed[i] + (modulus - rest);
                changed[i] = sum - (sum >= modulus ? modulus : 0);
            }
        }
    }

    /// <summary>d is 12 bytes.</summary>
    private static void MixWide(ReadOnlySpan<ulong> words, Span<ulong> changed, ulong modulus, bool encrypt)
    {
        unchecked
        {
            for (var i = 0; i < changed.Length; i++)
            {
                var y = new UInt128(0, BinaryPrimitives.ReverseEndianness(words[2 * i])) << 32 | (uint)(BinaryPrimitives.ReverseEndianness(words[2 * i + 1]) >> 32);
                var rest = (ulong)(y % modulus);
                var sum = encrypt ? changed[i] + rest : changed[i] + (modulus - rest);
                changed[i] = sum - (sum >= modulus ? modulus : 0);
            }
        }
    }

    /// <summary>⌊(2^64 − 1) / modulus⌋: the quotient that it estimates is right or one too small, for y below 2^64.</summary>
    private static ulong Inverse(ulong modulus) => ulong.MaxValue / modulus;

    private static ulong? Power(int radix, int exponent)
    {
        var power = 1UL;
        for (var i = 0; i < exponent; i++)
        {
            if (power > (1UL << 62) / (ulong)radix)
                return null;
            power *= (ulong)radix;
        }

        return power;
    }
}
