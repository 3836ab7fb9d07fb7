using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Seals bytes to a public key, so that only the holder of its private key opens them.</summary>
/// <remarks>
/// Source: RFC 9180, base mode, single shot: DHKEM(P-256, HKDF-SHA256) 0x0010 or DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
/// Says nothing of who sealed. Thread-safe.
/// </remarks>
public static class Hpke
{
    internal const ushort Aes128Gcm = HpkeAead.Aes128Gcm, Aes256Gcm = HpkeAead.Aes256Gcm;
    private const string Refusal = "The sealed bytes cannot be opened: wrong key, or they were changed.";

    /// <summary>Seals <paramref name="plaintext"/> to <paramref name="publicKey"/>.</summary>
    /// <param name="publicKey">65 bytes: an uncompressed P-256 point.</param>
    /// <param name="info">What the exchange is for; the opener needs the same.</param>
    /// <param name="aad">What the plaintext belongs to; the opener needs the same.</param>
    /// <param name="plaintext">Any bytes.</param>
    /// <returns>The encapsulated key (65 bytes) and the ciphertext with its 16-byte tag.</returns>
    /// <exception cref="ArgumentException"><paramref name="publicKey"/> is no point on the curve.</exception>
    public static (byte[] Enc, byte[] Ciphertext) Seal(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> plaintext)
    {
        using var ephemeral = HpkeKeyPair.Generate();
        return Seal(Aes256Gcm, ephemeral, publicKey, info, aad, plaintext);
    }

    /// <summary>Seals <paramref name="plaintext"/> to an X25519 key.</summary>
    /// <param name="publicKey">The recipient's.</param>
    /// <param name="info">What the exchange is for; the opener needs the same.</param>
    /// <param name="aad">What the plaintext belongs to; the opener needs the same.</param>
    /// <param name="plaintext">Any bytes.</param>
    /// <returns>The encapsulated key (32 bytes) and the ciphertext with its 16-byte tag.</returns>
    /// <exception cref="ArgumentException"><paramref name="publicKey"/> has small order.</exception>
    public static (byte[] Enc, byte[] Ciphertext) Seal(X25519PublicKey publicKey, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> plaintext)
    {
        ArgumentNullException.ThrowIfNull(publicKey);
        using var ephemeral = X25519KeyPair.Generate();
        return Seal(Aes256Gcm, ephemeral, publicKey.Bytes, info, aad, plaintext);
    }

    /// <summary>Opens what was sealed to an X25519 key.</summary>
    /// <param name="keyPair">The recipient's keys.</param>
    /// <param name="enc">The encapsulated key.</param>
    /// <param name="info">As it was sealed.</param>
    /// <param name="aad">As it was sealed.</param>
    /// <param name="ciphertext">As it was sealed.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static byte[] Open(X25519KeyPair keyPair, ReadOnlySpan<byte> enc, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> ciphertext)
    {
        ArgumentNullException.ThrowIfNull(keyPair);
        return Open(Aes256Gcm, keyPair, enc, info, aad, ciphertext);
    }

    /// <summary>Opens what was sealed to <paramref name="keyPair"/>.</summary>
    /// <param name="keyPair">The recipient's keys.</param>
    /// <param name="enc">The encapsulated key.</param>
    /// <param name="info">As it was sealed.</param>
    /// <param name="aad">As it was sealed.</param>
    /// <param name="ciphertext">As it was sealed.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public static byte[] Open(HpkeKeyPair keyPair, ReadOnlySpan<byte> enc, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> ciphertext)
    {
        ArgumentNullException.ThrowIfNull(keyPair);
        return Open(Aes256Gcm, keyPair, enc, info, aad, ciphertext);
    }

    internal static byte[] Open(ushort aead, IKemKeyPair keyPair, ReadOnlySpan<byte> enc, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> ciphertext)
    {
        try
        {
            using var context = HpkeContext.Receiver(aead, keyPair, enc, info);
            return context.Open(aad, ciphertext);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw new CryptographicException(Refusal);
        }
    }

    internal static (byte[] Enc, byte[] Ciphertext) Seal(
        ushort aead, IKemKeyPair ephemeral, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> plaintext)
    {
        using var context = HpkeContext.Sender(aead, ephemeral, publicKey, info);
        return (ephemeral.PublicBytes.ToArray(), context.Seal(aad, plaintext));
    }
}
