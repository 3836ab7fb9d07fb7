using System.Security.Cryptography;
using NSec.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>An X25519 key pair (RFC 7748): opens what was sealed to its public half. The arithmetic is libsodium's.</summary>
public sealed class X25519KeyPair : IKemKeyPair, IDisposable
{
    private readonly Key _key;

    private X25519KeyPair(Key key)
    {
        _key = key;
        PublicKey = new X25519PublicKey(key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>The public half, to be given to sealers.</summary>
    public X25519PublicKey PublicKey { get; }

    ushort IKemKeyPair.Kem => 0x0020;

    ReadOnlySpan<byte> IKemKeyPair.PublicBytes => PublicKey.Bytes;

    /// <summary>A fresh key pair.</summary>
    public static X25519KeyPair Generate()
    {
        using var secret = SecretBytes.Random(X25519PublicKey.SizeInBytes);
        return Import(secret.Span);
    }

    /// <summary>Takes a private key.</summary>
    /// <param name="privateKey">32 bytes.</param>
    /// <exception cref="ArgumentException">It has another length.</exception>
    public static X25519KeyPair Import(ReadOnlySpan<byte> privateKey) => privateKey.Length == X25519PublicKey.SizeInBytes
        ? new X25519KeyPair(Key.Import(KeyAgreementAlgorithm.X25519, privateKey, KeyBlobFormat.RawPrivateKey, new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextArchiving }))
        : throw new ArgumentException($"An X25519 private key has {X25519PublicKey.SizeInBytes} bytes, not {privateKey.Length}.", nameof(privateKey));

    /// <summary>A key pair from keying material (RFC 9180 §7.1.3).</summary>
    internal static X25519KeyPair Derive(ReadOnlySpan<byte> inputKey)
    {
        var suite = HpkeKdf.KemSuite(0x0020);
        return Import(HpkeKdf.Expand(suite, HpkeKdf.Extract(suite, [], "dkp_prk", inputKey), "sk", [], X25519PublicKey.SizeInBytes));
    }

    /// <summary>The private half's 32 bytes, to be kept.</summary>
    public SecretBytes ExportPrivateKey() => SecretBytes.Create(X25519PublicKey.SizeInBytes, default, (_, target) =>
    {
        var bytes = _key.Export(KeyBlobFormat.RawPrivateKey);
        bytes.CopyTo(target);
        CryptographicOperations.ZeroMemory(bytes);
    });

    /// <summary>The shared secret, 32 bytes (RFC 7748 §6.1).</summary>
    /// <param name="other">The other party's key.</param>
    /// <exception cref="ArgumentException">The key has small order: every agreement with it is zero.</exception>
    public SecretBytes Agree(X25519PublicKey other)
    {
        ArgumentNullException.ThrowIfNull(other);
        using var shared = other.Import() is { } key ? KeyAgreementAlgorithm.X25519.Agree(_key, key, new SharedSecretCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextArchiving }) : null;
        if (shared is null)
            throw new ArgumentException("The public key has small order: what it would agree on is known to everyone.", nameof(other));
        var bytes = shared.Export(SharedSecretBlobFormat.RawSharedSecret);
        try
        {
            return SecretBytes.CopyOf(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    byte[] IKemKeyPair.Agree(ReadOnlySpan<byte> publicKey)
    {
        using var shared = Agree(new X25519PublicKey(publicKey));
        return shared.Span.ToArray();
    }

    /// <summary>Wipes the private half.</summary>
    public void Dispose() => _key.Dispose();
}
