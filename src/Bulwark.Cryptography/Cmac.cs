using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>AES-CMAC: a tag of 16 bytes over a message.</summary>
/// <remarks>Source: NIST SP 800-38B (and RFC 4493), over the platform's AES. Not thread-safe.</remarks>
public sealed class Cmac : IDisposable
{
    /// <summary>Length of a tag in bytes.</summary>
    public const int TagSizeInBytes = 16;

    private const int Block = 16;
    private readonly Aes _aes = Aes.Create();
    private readonly byte[] _whole = new byte[Block], _partial = new byte[Block];   // K1 and K2 of section 6.1

    /// <param name="key">16, 24 or 32 bytes.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public Cmac(ReadOnlySpan<byte> key)
    {
        if (key.Length is not (16 or 24 or 32))
            throw new ArgumentException($"An AES key has 16, 24 or 32 bytes, not {key.Length}.", nameof(key));
        _aes.SetKey(key);
        _aes.EncryptEcb(_whole, _whole, PaddingMode.None);
        Double(_whole);
        _whole.CopyTo(_partial, 0);
        Double(_partial);
    }

    /// <summary>XORed to a last block that is full.</summary>
    internal ReadOnlySpan<byte> WholeMask => _whole;

    internal Aes Cipher => _aes;

    /// <summary>Writes the tag of <paramref name="message"/>.</summary>
    /// <param name="message">Any bytes, also none.</param>
    /// <param name="tag">16 bytes.</param>
    public void Compute(ReadOnlySpan<byte> message, Span<byte> tag)
    {
        var state = tag[..Block];
        state.Clear();
        for (; message.Length > Block; message = message[Block..])
        {
            Xor(state, message[..Block]);
            _aes.EncryptEcb(state, state, PaddingMode.None);
        }

        Xor(state, message);
        if (message.Length < Block)
            state[message.Length] ^= 0x80;
        Xor(state, message.Length < Block ? _partial : _whole);
        _aes.EncryptEcb(state, state, PaddingMode.None);
    }

    /// <summary>XORs the mask of the last block into it; pads it where it is not full.</summary>
    internal void Finish(Span<byte> last, int used)
    {
        if (used < Block)
        {
            last[used..].Clear();
            last[used] = 0x80;
        }

        Xor(last, used < Block ? _partial : _whole);
    }

    /// <summary>Wipes the key.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_whole);
        CryptographicOperations.ZeroMemory(_partial);
        _aes.Dispose();
    }

    /// <summary>Multiplication by x in GF(2^128), in the same time for every value.</summary>
    internal static void Double(Span<byte> block)
    {
        var high = BinaryPrimitives.ReadUInt64BigEndian(block);
        var low = BinaryPrimitives.ReadUInt64BigEndian(block[8..]);
        unchecked
        {
            BinaryPrimitives.WriteUInt64BigEndian(block, (high << 1) | (low >> 63));
            BinaryPrimitives.WriteUInt64BigEndian(block[8..], (low << 1) ^ (0x87 & (ulong)((long)high >> 63)));
        }
    }

    internal static void Xor(Span<byte> target, ReadOnlySpan<byte> source)
    {
        for (; source.Length >= Block; target = target[Block..], source = source[Block..])
            (Vector128.Create<byte>(target) ^ Vector128.Create(source)).CopyTo(target);
        for (var i = 0; i < source.Length; i++)
            target[i] ^= source[i];
    }
}
