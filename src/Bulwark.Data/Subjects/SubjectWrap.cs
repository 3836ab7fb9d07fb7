using System.Security.Cryptography;
using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Wraps subjects' keys under one epoch's: nonce 12 | AES-256-GCM of the key | tag 16, bound to lookup and token.</summary>
internal sealed class SubjectWrap : IDisposable
{
    private const int NonceSize = 12, KeySize = 32, TagSize = 16;
    private readonly AesGcm _aes;

    private SubjectWrap(KeyId id, SecretBytes key) => (Id, _aes) = (id, new AesGcm(key.Span, TagSize));

    internal KeyId Id { get; }

    /// <exception cref="CryptographicException">The epoch ended: its key is destroyed.</exception>
    internal static SubjectWrap Of(KeyRing keys, KeyId id)
    {
        try
        {
            using var key = keys.Derive(id, "subject-epoch/v1");
            return new(id, key);
        }
        catch (InvalidOperationException gone)
        {
            throw new CryptographicException($"The subjects' keys were wrapped under {id}, which the key ring does not have: this is a copy from an epoch that ended, or another ring's store.", gone);
        }
    }

    internal byte[] NewKey(byte[] lookup, byte[] token)
    {
        using var key = SecretBytes.Random(KeySize);
        return Seal(key, lookup, token);
    }

    internal byte[] Seal(SecretBytes key, byte[] lookup, byte[] token)
    {
        var wrapped = new byte[NonceSize + KeySize + TagSize];
        RandomNumberGenerator.Fill(wrapped.AsSpan(0, NonceSize));
        _aes.Encrypt(wrapped.AsSpan(0, NonceSize), key.Span, wrapped.AsSpan(NonceSize, KeySize), wrapped.AsSpan(NonceSize + KeySize), Context(lookup, token));
        return wrapped;
    }

    /// <exception cref="CryptographicException">The row was changed.</exception>
    internal SecretBytes Open(byte[] lookup, byte[] token, byte[] wrapped)
    {
        if (wrapped.Length != NonceSize + KeySize + TagSize)
            throw new CryptographicException("A subject's key does not open: the store was changed.");
        return SecretBytes.Create(KeySize, wrapped, (source, target) =>
            _aes.Decrypt(source[..NonceSize], source.Slice(NonceSize, KeySize), source[^TagSize..], target, Context(lookup, token)));
    }

    public void Dispose() => _aes.Dispose();

    private byte[] Context(byte[] lookup, byte[] token) => [.. Encoding.UTF8.GetBytes($"bulwark.dev/subject-key/v1\n{Id}\n"), .. lookup, .. token];
}
