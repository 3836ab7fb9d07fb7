namespace Bulwark.Cryptography;

/// <summary>A key that another key encrypts, and which one that is.</summary>
/// <param name="Kek">The key-encryption key's version that opens it, wherever it is held.</param>
/// <param name="Bytes">In the form of that store: for a keyring nonce 12 | AES-256-GCM ciphertext | tag 16; for Vault the ASCII text <c>vault:vN:…</c>.</param>
public sealed record WrappedKey(KeyUri Kek, byte[] Bytes);
