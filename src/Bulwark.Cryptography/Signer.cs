using NSec.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Signs with one Ed25519 key (RFC 8032), which it holds outside managed memory and wipes when disposed.</summary>
/// <remarks>Thread-safe. Deterministic: the same bytes get the same signature.</remarks>
public sealed class Signer : IDisposable
{
    /// <summary>Length of a seed (RFC 8032 §5.1.5), in bytes.</summary>
    public const int SeedSizeInBytes = 32;

    private readonly Key _key;

    private Signer(Key key)
    {
        _key = key;
        PublicKey = new VerificationKey(key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>What others verify with.</summary>
    public VerificationKey PublicKey { get; }

    /// <summary>A fresh key that lives only in memory.</summary>
    public static Signer Generate() => new(Key.Create(SignatureAlgorithm.Ed25519));

    /// <summary>The key that belongs to <paramref name="seed"/>.</summary>
    /// <param name="seed">Exactly 32 bytes.</param>
    /// <exception cref="ArgumentException"><paramref name="seed"/> has another length.</exception>
    public static Signer FromSeed(ReadOnlySpan<byte> seed) => seed.Length == SeedSizeInBytes
        ? new Signer(Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey))
        : throw new ArgumentException($"An Ed25519 seed has {SeedSizeInBytes} bytes, not {seed.Length}.", nameof(seed));

    /// <summary>The 64-byte signature of <paramref name="data"/>.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => SignatureAlgorithm.Ed25519.Sign(_key, data);

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _key.Dispose();
}
