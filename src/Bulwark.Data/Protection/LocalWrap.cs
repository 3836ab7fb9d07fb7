using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>The inner of two wrappings: a data key under a key-encryption key, as Parquet's key tools write it.</summary>
internal static class LocalWrap
{
    private const int Nonce = 12, Tag = 16;

    internal static string Seal(SecretBytes key, SecretBytes kek, ReadOnlySpan<byte> kekId)
    {
        var bytes = new byte[Nonce + key.Length + Tag];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, Nonce));
        using var aes = new AesGcm(kek.Span, Tag);
        aes.Encrypt(bytes.AsSpan(0, Nonce), key.Span, bytes.AsSpan(Nonce, key.Length), bytes.AsSpan(Nonce + key.Length), kekId);
        return Convert.ToBase64String(bytes);
    }

    /// <exception cref="CryptographicException">It was changed, or sealed under another key.</exception>
    internal static SecretBytes Open(string sealedKey, SecretBytes kek, byte[] kekId)
    {
        var bytes = MasterKeyText.Base64(sealedKey);
        if (bytes.Length is not (Nonce + 16 + Tag or Nonce + 24 + Tag or Nonce + 32 + Tag) || kek.Length is not (16 or 24 or 32))
            throw new CryptographicException("The file's key metadata was changed: a wrapped key has no key's length.");
        return SecretBytes.Create(bytes.Length - Nonce - Tag, default, (_, target) =>
        {
            using var aes = new AesGcm(kek.Span, Tag);
            aes.Decrypt(bytes.AsSpan(0, Nonce), bytes.AsSpan(Nonce, target.Length), bytes.AsSpan(Nonce + target.Length), target, kekId);
        });
    }
}
