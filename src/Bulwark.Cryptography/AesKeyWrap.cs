using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>AES key wrap (RFC 3394, KW) and with padding (RFC 5649, KWP): the form in which tokens and key services exchange keys.</summary>
/// <remarks>Source: NIST SP 800-38F. Deterministic, bound to no context, and of 64-bit integrity: for exchange. Bulwark's own files use AES-GCM with a context.</remarks>
public static class AesKeyWrap
{
    private const string Refusal = "The wrapped key cannot be opened: it was changed, or another key wrapped it.";
    private const int BlockSize = 8;
    private static ReadOnlySpan<byte> Initial => [0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6];

    /// <summary>Wraps by KW.</summary>
    /// <param name="kek">16, 24 or 32 bytes.</param>
    /// <param name="key">A multiple of 8 bytes, 16 or more.</param>
    /// <returns>8 bytes more than <paramref name="key"/>.</returns>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public static byte[] Wrap(ReadOnlySpan<byte> kek, ReadOnlySpan<byte> key)
    {
        if (key.Length < 2 * BlockSize || key.Length % BlockSize != 0)
            throw new ArgumentException($"KW wraps a multiple of 8 bytes, 16 or more, not {key.Length}: use padding.", nameof(key));
        using var aes = Create(kek);
        var wrapped = new byte[key.Length + BlockSize];
        Initial.CopyTo(wrapped);
        key.CopyTo(wrapped.AsSpan(BlockSize));
        Span<byte> block = stackalloc byte[2 * BlockSize];
        var blocks = key.Length / BlockSize;
        for (var step = 0; step < 6 * blocks; step++)
        {
            var at = wrapped.AsSpan((step % blocks + 1) * BlockSize, BlockSize);
            wrapped.AsSpan(0, BlockSize).CopyTo(block);
            at.CopyTo(block[BlockSize..]);
            aes.EncryptEcb(block, block, PaddingMode.None);
            BinaryPrimitives.WriteUInt64BigEndian(wrapped, BinaryPrimitives.ReadUInt64BigEndian(block) ^ (ulong)(step + 1));
            block[BlockSize..].CopyTo(at);
        }

        CryptographicOperations.ZeroMemory(block);
        return wrapped;
    }

    /// <summary>Opens what <see cref="Wrap"/> made.</summary>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static SecretBytes Unwrap(ReadOnlySpan<byte> kek, ReadOnlySpan<byte> wrapped)
    {
        if (wrapped.Length < 3 * BlockSize || wrapped.Length % BlockSize != 0)
            throw new CryptographicException(Refusal);
        using var aes = Create(kek);
        var work = GC.AllocateUninitializedArray<byte>(wrapped.Length, pinned: true);
        Span<byte> block = stackalloc byte[2 * BlockSize];
        try
        {
            wrapped.CopyTo(work);
            var blocks = wrapped.Length / BlockSize - 1;
            for (var step = 6 * blocks - 1; step >= 0; step--)
            {
                var at = work.AsSpan((step % blocks + 1) * BlockSize, BlockSize);
                BinaryPrimitives.WriteUInt64BigEndian(block, BinaryPrimitives.ReadUInt64BigEndian(work) ^ (ulong)(step + 1));
                at.CopyTo(block[BlockSize..]);
                aes.DecryptEcb(block, block, PaddingMode.None);
                block[..BlockSize].CopyTo(work);
                block[BlockSize..].CopyTo(at);
            }

            return CryptographicOperations.FixedTimeEquals(work.AsSpan(0, BlockSize), Initial)
                ? SecretBytes.CopyOf(work.AsSpan(BlockSize))
                : throw new CryptographicException(Refusal);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(work);
            CryptographicOperations.ZeroMemory(block);
        }
    }

    /// <summary>Wraps by KWP: a key of any length.</summary>
    /// <param name="kek">16, 24 or 32 bytes.</param>
    /// <param name="key">1 byte or more.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public static byte[] WrapPadded(ReadOnlySpan<byte> kek, ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty)
            throw new ArgumentException("There is no key to wrap.", nameof(key));
        using var aes = Create(kek);
        return aes.EncryptKeyWrapPadded(key);
    }

    /// <summary>Opens what <see cref="WrapPadded"/> made.</summary>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static SecretBytes UnwrapPadded(ReadOnlySpan<byte> kek, ReadOnlySpan<byte> wrapped)
    {
        if (wrapped.Length < 2 * BlockSize || wrapped.Length % BlockSize != 0)
            throw new CryptographicException(Refusal);
        using var aes = Create(kek);
        byte[]? key = null;
        try
        {
            key = aes.DecryptKeyWrapPadded(wrapped);
            return SecretBytes.CopyOf(key);
        }
        catch (CryptographicException)
        {
            throw new CryptographicException(Refusal);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static Aes Create(ReadOnlySpan<byte> kek)
    {
        if (kek.Length is not (16 or 24 or 32))
            throw new ArgumentException($"An AES key has 16, 24 or 32 bytes, not {kek.Length}.", nameof(kek));
        var aes = Aes.Create();
        aes.SetKey(kek);
        return aes;
    }
}
