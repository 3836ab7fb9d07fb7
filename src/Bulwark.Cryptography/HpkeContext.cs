using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>An exchange that was set up (RFC 9180 §5.1): seals or opens a row of messages in order, and exports secrets. One side uses it one way. Not thread-safe.</summary>
/// <remarks>Modes base and psk; the two modes that authenticate a sender's KEM key are not built: the worker's clients are known by their certificates.</remarks>
internal sealed class HpkeContext : IDisposable
{
    private readonly byte[] _suite;
    private readonly byte[] _baseNonce;
    private readonly HpkeAead _aead;
    private ulong _sequence;

    private HpkeContext(byte[] suite, ushort aead, byte[] key, byte[] baseNonce, byte[] exporter)
    {
        (_suite, Aead, Key, _baseNonce, Exporter) = (suite, aead, key, baseNonce, exporter);
        _aead = new(aead, key);
    }

    internal ushort Aead { get; }

    /// <summary>The message key; wiped by <see cref="Dispose"/>.</summary>
    internal byte[] Key { get; }

    internal ReadOnlySpan<byte> BaseNonce => _baseNonce;

    /// <summary>What <see cref="Export"/> derives from; wiped by <see cref="Dispose"/>.</summary>
    internal byte[] Exporter { get; }

    /// <summary>The sender's side: a key encapsulated to <paramref name="publicKey"/>.</summary>
    /// <param name="aead">RFC 9180 §7.3.</param>
    /// <param name="ephemeral">A key pair used this once.</param>
    /// <param name="publicKey">The recipient's, of the same KEM.</param>
    /// <param name="info">What the exchange is for.</param>
    /// <param name="psk">A pre-shared key of at least 32 random bytes; empty for mode base.</param>
    /// <param name="pskId">Its name; empty exactly when the key is.</param>
    /// <exception cref="ArgumentException">The public key is none, or key and name do not come together.</exception>
    internal static HpkeContext Sender(ushort aead, IKemKeyPair ephemeral, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> info, ReadOnlySpan<byte> psk = default, ReadOnlySpan<byte> pskId = default)
    {
        var shared = SharedSecret(ephemeral.Kem, ephemeral.Agree(publicKey), [.. ephemeral.PublicBytes, .. publicKey]);
        return Schedule(ephemeral.Kem, aead, shared, info, psk, pskId);
    }

    /// <summary>The recipient's side.</summary>
    /// <inheritdoc cref="Sender"/>
    internal static HpkeContext Receiver(ushort aead, IKemKeyPair keyPair, ReadOnlySpan<byte> enc, ReadOnlySpan<byte> info, ReadOnlySpan<byte> psk = default, ReadOnlySpan<byte> pskId = default)
    {
        var shared = SharedSecret(keyPair.Kem, keyPair.Agree(enc), [.. enc, .. keyPair.PublicBytes]);
        return Schedule(keyPair.Kem, aead, shared, info, psk, pskId);
    }

    /// <summary>RFC 9180 §4.1, ExtractAndExpand. Wipes <paramref name="agreed"/>.</summary>
    internal static byte[] SharedSecret(ushort kem, byte[] agreed, ReadOnlySpan<byte> kemContext)
    {
        var suite = HpkeKdf.KemSuite(kem);
        var pseudoRandom = HpkeKdf.Extract(suite, [], "eae_prk", agreed);
        CryptographicOperations.ZeroMemory(agreed);
        try
        {
            return HpkeKdf.Expand(suite, pseudoRandom, "shared_secret", kemContext, HpkeKdf.HashSize);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pseudoRandom);
        }
    }

    /// <summary>RFC 9180 §5.1, KeySchedule. Wipes <paramref name="shared"/>.</summary>
    internal static HpkeContext Schedule(ushort kem, ushort aead, byte[] shared, ReadOnlySpan<byte> info, ReadOnlySpan<byte> psk, ReadOnlySpan<byte> pskId)
    {
        if (psk.IsEmpty != pskId.IsEmpty)
            throw new ArgumentException("A pre-shared key and its name come together or not at all.", nameof(psk));
        var keySize = HpkeAead.KeySize(aead);
        var suite = HpkeKdf.Suite(kem, aead);
        byte[] context = [(byte)(psk.IsEmpty ? 0 : 1), .. HpkeKdf.Extract(suite, [], "psk_id_hash", pskId), .. HpkeKdf.Extract(suite, [], "info_hash", info)];
        var secret = HpkeKdf.Extract(suite, shared, "secret", psk);
        try
        {
            return new(suite, aead, HpkeKdf.Expand(suite, secret, "key", context, keySize),
                HpkeKdf.Expand(suite, secret, "base_nonce", context, HpkeAead.NonceSize), HpkeKdf.Expand(suite, secret, "exp", context, HpkeKdf.HashSize));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
            CryptographicOperations.ZeroMemory(shared);
        }
    }

    /// <summary>Seals the next message.</summary>
    internal byte[] Seal(ReadOnlySpan<byte> aad, ReadOnlySpan<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[HpkeAead.NonceSize];
        HpkeAead.Nonce(_baseNonce, _sequence, nonce);
        var ciphertext = new byte[plaintext.Length + HpkeAead.TagSize];
        _aead.Seal(nonce, plaintext, ciphertext, aad);
        _sequence = checked(_sequence + 1);
        return ciphertext;
    }

    /// <summary>Opens the next message; one that fails does not count.</summary>
    /// <exception cref="CryptographicException">It is not the next message of this exchange with this <paramref name="aad"/>.</exception>
    internal byte[] Open(ReadOnlySpan<byte> aad, ReadOnlySpan<byte> ciphertext)
    {
        Span<byte> nonce = stackalloc byte[HpkeAead.NonceSize];
        HpkeAead.Nonce(_baseNonce, _sequence, nonce);
        var plaintext = new byte[Math.Max(0, ciphertext.Length - HpkeAead.TagSize)];
        _aead.Open(nonce, ciphertext, plaintext, aad);
        _sequence = checked(_sequence + 1);
        return plaintext;
    }

    /// <summary>A secret for another use (RFC 9180 §5.3); thread-safe.</summary>
    internal byte[] Export(ReadOnlySpan<byte> purpose, int length) => HpkeKdf.Expand(_suite, Exporter, "sec", purpose, length);

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(Key);
        CryptographicOperations.ZeroMemory(Exporter);
        _aead.Dispose();
    }
}
