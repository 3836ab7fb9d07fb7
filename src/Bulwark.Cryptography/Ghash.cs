using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Bulwark.Cryptography;

/// <summary>The hash inside GCM, by the processor's carry-less multiplication: the same time for every value.</summary>
/// <remarks>
/// Source: NIST SP 800-38D, section 6.4, computed as POLYVAL of the reversed blocks (RFC 8452, appendix A); the reduction is Montgomery's in two
/// steps (Gueron, Langley, Lindell: AES-GCM-SIV, section 3).
/// </remarks>
internal readonly struct Ghash
{
    private const int Block = 16;
    private const ulong HighOfPolynomial = 0xC200_0000_0000_0000;   // x^127 + x^126 + x^121
    private readonly Vector128<ulong> _key;

    /// <param name="subkey">16 bytes: the encrypted block of zeros.</param>
    internal Ghash(ReadOnlySpan<byte> subkey)
    {
        var reversed = Read(subkey);
        var (low, high) = (reversed[0], reversed[1]);
        var carry = unchecked((ulong)((long)high >> 63));   // times x, in the same time whatever it is
        _key = Vector128.Create((low << 1) ^ (carry & 1), (high << 1 | low >> 63) ^ (carry & HighOfPolynomial));
    }

    internal static bool IsSupported => Pclmulqdq.IsSupported && Ssse3.IsSupported;

    /// <summary>Hashes what is bound, the ciphertext and their lengths.</summary>
    internal void Compute(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> ciphertext, Span<byte> hash)
    {
        var state = Add(Add(default, associated), ciphertext);
        state = Multiply(state ^ Vector128.Create((ulong)ciphertext.Length * 8, (ulong)associated.Length * 8));
        Reverse(state.AsByte()).CopyTo(hash);
    }

    private Vector128<ulong> Add(Vector128<ulong> state, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= Block; bytes = bytes[Block..])
            state = Multiply(state ^ Read(bytes));
        if (bytes.IsEmpty)
            return state;
        Span<byte> last = stackalloc byte[Block];
        last.Clear();
        bytes.CopyTo(last);
        return Multiply(state ^ Read(last));
    }

    private Vector128<ulong> Multiply(Vector128<ulong> other)
    {
        var low = Pclmulqdq.CarrylessMultiply(_key, other, 0x00);
        var high = Pclmulqdq.CarrylessMultiply(_key, other, 0x11);
        var middle = Pclmulqdq.CarrylessMultiply(_key, other, 0x01) ^ Pclmulqdq.CarrylessMultiply(_key, other, 0x10);
        low ^= Sse2.ShiftLeftLogical128BitLane(middle, 8);
        high ^= Sse2.ShiftRightLogical128BitLane(middle, 8);
        return high ^ Fold(Fold(low));
    }

    private static Vector128<ulong> Fold(Vector128<ulong> value) =>
        Pclmulqdq.CarrylessMultiply(value, Vector128.Create(HighOfPolynomial), 0x00) ^ Vector128.Shuffle(value, Vector128.Create(1UL, 0UL));

    private static Vector128<ulong> Read(ReadOnlySpan<byte> block) => Reverse(Vector128.Create(block[..Block])).AsUInt64();

    private static Vector128<byte> Reverse(Vector128<byte> block) =>
        Vector128.Shuffle(block, Vector128.Create((byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
}
