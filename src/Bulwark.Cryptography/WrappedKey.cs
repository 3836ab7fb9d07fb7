namespace Bulwark.Cryptography;

/// <summary>A key that another key encrypts, and which one that is.</summary>
/// <param name="Kek">The key-encryption key's version that opens it.</param>
/// <param name="Bytes">nonce 12 | AES-256-GCM ciphertext | tag 16.</param>
public sealed record WrappedKey(KeyId Kek, byte[] Bytes);
