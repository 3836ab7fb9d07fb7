using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>One key of an AEAD that RFC 9180 §7.3 names. Not thread-safe.</summary>
internal sealed class HpkeAead : IDisposable
{
    internal const ushort Aes128Gcm = 1, Aes256Gcm = 2, ChaCha20 = 3;
    internal const int NonceSize = 12, TagSize = 16;

    private readonly AesGcm? _aes;
    private readonly ChaCha20Poly1305? _chaCha;

    internal HpkeAead(ushort id, ReadOnlySpan<byte> key)
    {
        if (id is ChaCha20)
            _chaCha = new(key);
        else
            _aes = new(key, TagSize);
    }

    /// <exception cref="CryptographicException">No such AEAD is built.</exception>
    internal static int KeySize(ushort id) => id switch
    {
        Aes128Gcm => 16,
        Aes256Gcm or ChaCha20 => 32,
        _ => throw new CryptographicException($"AEAD {id} is not one of RFC 9180."),
    };

    /// <summary>The nonce of message <paramref name="sequence"/> (RFC 9180 §5.2).</summary>
    internal static void Nonce(ReadOnlySpan<byte> baseNonce, ulong sequence, Span<byte> nonce)
    {
        baseNonce.CopyTo(nonce);
        var low = nonce[^8..];
        BinaryPrimitives.WriteUInt64BigEndian(low, BinaryPrimitives.ReadUInt64BigEndian(low) ^ sequence);
    }

    /// <param name="nonce">12 bytes, never used before with this key.</param>
    /// <param name="plaintext">Any bytes.</param>
    /// <param name="sealedBytes">16 bytes longer than the plaintext.</param>
    /// <param name="aad">What the plaintext belongs to.</param>
    internal void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plaintext, Span<byte> sealedBytes, ReadOnlySpan<byte> aad)
    {
        var ciphertext = sealedBytes[..plaintext.Length];
        var tag = sealedBytes[plaintext.Length..];
        if (_aes is not null)
            _aes.Encrypt(nonce, plaintext, ciphertext, tag, aad);
        else
            _chaCha!.Encrypt(nonce, plaintext, ciphertext, tag, aad);
    }

    /// <exception cref="CryptographicException">The tag does not fit, or there is none.</exception>
    internal void Open(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, Span<byte> plaintext, ReadOnlySpan<byte> aad)
    {
        if (sealedBytes.Length < TagSize)
            throw new AuthenticationTagMismatchException();
        var ciphertext = sealedBytes[..^TagSize];
        var tag = sealedBytes[^TagSize..];
        if (_aes is not null)
            _aes.Decrypt(nonce, ciphertext, tag, plaintext, aad);
        else
            _chaCha!.Decrypt(nonce, ciphertext, tag, plaintext, aad);
    }

    public void Dispose()
    {
        _aes?.Dispose();
        _chaCha?.Dispose();
    }
}
