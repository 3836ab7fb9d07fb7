using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>Seals bytes to a public key, so that only the holder of its private key opens them.</summary>
/// <remarks>
/// Source: RFC 9180, base mode, single shot: DHKEM(P-256, HKDF-SHA256) 0x0010 or DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-256-GCM 0x0002.
/// Says nothing of who sealed. Thread-safe.
/// </remarks>
public static class Hpke
{
    internal const byte Aes128Gcm = 1, Aes256Gcm = 2;   // RFC 9180 §7.3; the first only because the RFC's own vectors use it
    private const int HashSize = 32, NonceSize = 12, TagSize = 16;
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

    internal static byte[] Open(byte aead, IKemKeyPair keyPair, ReadOnlySpan<byte> enc, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> ciphertext)
    {
        try
        {
            return Decrypt(keyPair.Kem, aead, Decapsulate(keyPair, enc), info, aad, ciphertext);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw new CryptographicException(Refusal);
        }
    }

    internal static (byte[] Enc, byte[] Ciphertext) Seal(
        byte aead, IKemKeyPair ephemeral, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> plaintext)
    {
        var shared = ExtractAndExpand(ephemeral.Kem, ephemeral.Agree(publicKey), [.. ephemeral.PublicBytes, .. publicKey]);
        var (key, nonce) = KeySchedule(ephemeral.Kem, aead, shared, info);
        try
        {
            var ciphertext = new byte[plaintext.Length + TagSize];
            using var aes = new AesGcm(key, TagSize);
            aes.Encrypt(nonce, plaintext, ciphertext.AsSpan(0, plaintext.Length), ciphertext.AsSpan(plaintext.Length), aad);
            return (ephemeral.PublicBytes.ToArray(), ciphertext);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static byte[] Decapsulate(IKemKeyPair keyPair, ReadOnlySpan<byte> enc) =>
        ExtractAndExpand(keyPair.Kem, keyPair.Agree(enc), [.. enc, .. keyPair.PublicBytes]);

    private static byte[] Decrypt(ushort kem, byte aead, byte[] shared, ReadOnlySpan<byte> info, ReadOnlySpan<byte> aad, ReadOnlySpan<byte> ciphertext)
    {
        if (ciphertext.Length < TagSize)
            throw new CryptographicException(Refusal);
        var (key, nonce) = KeySchedule(kem, aead, shared, info);
        try
        {
            var plaintext = new byte[ciphertext.Length - TagSize];
            using var aes = new AesGcm(key, TagSize);
            aes.Decrypt(nonce, ciphertext[..^TagSize], ciphertext[^TagSize..], plaintext, aad);
            return plaintext;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>RFC 9180 §4.1, ExtractAndExpand.</summary>
    private static byte[] ExtractAndExpand(ushort kem, byte[] agreed, ReadOnlySpan<byte> kemContext)
    {
        try
        {
            byte[] suite = [.. "KEM"u8, (byte)(kem >> 8), (byte)kem];
            var pseudoRandom = LabeledExtract(suite, [], "eae_prk", agreed);
            return LabeledExpand(suite, pseudoRandom, "shared_secret", kemContext, HashSize);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(agreed);
        }
    }

    /// <summary>RFC 9180 §5.1, KeySchedule in base mode: no pre-shared key. The nonce is that of the first and only message.</summary>
    private static (byte[] Key, byte[] Nonce) KeySchedule(ushort kem, byte aead, byte[] shared, ReadOnlySpan<byte> info)
    {
        try
        {
            byte[] suite = [.. "HPKE"u8, (byte)(kem >> 8), (byte)kem, 0x00, 0x01, 0x00, aead];
            byte[] context = [0, .. LabeledExtract(suite, [], "psk_id_hash", []), .. LabeledExtract(suite, [], "info_hash", info)];
            var secret = LabeledExtract(suite, shared, "secret", []);
            return (LabeledExpand(suite, secret, "key", context, aead * 16), LabeledExpand(suite, secret, "base_nonce", context, NonceSize));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
        }
    }

    private static byte[] LabeledExtract(byte[] suite, byte[] salt, string label, ReadOnlySpan<byte> inputKey) =>
        HKDF.Extract(HashAlgorithmName.SHA256, [.. "HPKE-v1"u8, .. suite, .. Encoding.ASCII.GetBytes(label), .. inputKey], salt);

    private static byte[] LabeledExpand(byte[] suite, byte[] pseudoRandom, string label, ReadOnlySpan<byte> info, int length) =>
        HKDF.Expand(HashAlgorithmName.SHA256, pseudoRandom, length, [(byte)(length >> 8), (byte)length, .. "HPKE-v1"u8, .. suite, .. Encoding.ASCII.GetBytes(label), .. info]);
}
