using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

public sealed partial class KeyRing
{
    private const string UnwrapRefusal = "The wrapped key cannot be opened: it was changed, belongs to another context, or its key is not in this ring.";
    private const int NonceSize = 12, TagSize = 16;

    /// <summary>A key of its own for each purpose, from the newest enabled version of <paramref name="keyName"/>.</summary>
    /// <param name="keyName">A symmetric key.</param>
    /// <param name="purpose">Any text; different texts give independent keys.</param>
    /// <param name="length">1 to 8160 bytes.</param>
    /// <exception cref="InvalidOperationException">The ring has no such key.</exception>
    /// <remarks>HKDF-SHA-256 (RFC 5869), no salt, info = "bulwark.dev/derive/v1" 0A purpose.</remarks>
    public SecretBytes Derive(string keyName, string purpose, int length = 32) => Derive(Required(keyName, KeyKind.Symmetric).Id, purpose, length);

    /// <summary>As <see cref="Derive(string, string, int)"/>, from one version.</summary>
    public SecretBytes Derive(KeyId id, string purpose, int length = 32) => Expand(id, "derive", purpose, length);

    /// <summary>Encrypts a key under the newest enabled version of <paramref name="kekName"/>.</summary>
    /// <param name="kekName">A symmetric key.</param>
    /// <param name="key">The key to wrap.</param>
    /// <param name="aad">What the wrapped key belongs to; <see cref="Unwrap"/> needs the same.</param>
    /// <exception cref="InvalidOperationException">The ring has no such key.</exception>
    public WrappedKey Wrap(string kekName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> aad) => WrapUnder(Required(kekName, KeyKind.Symmetric).Id, key, aad);

    private WrappedKey WrapUnder(KeyId id, ReadOnlySpan<byte> key, ReadOnlySpan<byte> aad)
    {
        var bytes = new byte[NonceSize + key.Length + TagSize];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, NonceSize));
        using var wrapping = Expand(id, "wrap", "", 32);
        using var aes = new AesGcm(wrapping.Span, TagSize);
        aes.Encrypt(bytes.AsSpan(0, NonceSize), key, bytes.AsSpan(NonceSize, key.Length), bytes.AsSpan(NonceSize + key.Length), WrapContext(id, aad));
        return new WrappedKey(id, bytes);
    }

    /// <summary>Decrypts a wrapped key.</summary>
    /// <param name="wrapped">What <see cref="Wrap"/> returned.</param>
    /// <param name="aad">What it was wrapped for.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    public SecretBytes Unwrap(WrappedKey wrapped, ReadOnlySpan<byte> aad)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        if (!wrapped.Kek.TryGetKeyId(out var id))
            throw new CryptographicException(UnwrapRefusal);
        var context = WrapContext(id, aad);
        try
        {
            if (wrapped.Bytes.Length < NonceSize + TagSize)
                throw new CryptographicException();
            using var wrapping = Expand(id, "wrap", "", 32);
            using var aes = new AesGcm(wrapping.Span, TagSize);
            return SecretBytes.Create(wrapped.Bytes.Length - NonceSize - TagSize, wrapped.Bytes, (source, target) =>
                aes.Decrypt(source[..NonceSize], source[NonceSize..^TagSize], source[^TagSize..], target, context));
        }
        catch (Exception failure) when (failure is CryptographicException or InvalidOperationException and not ObjectDisposedException)
        {
            throw new CryptographicException(UnwrapRefusal);
        }
    }

    /// <summary>Opens the newest enabled version of a signing key.</summary>
    /// <exception cref="InvalidOperationException">The ring has no such key.</exception>
    public Signer OpenSigner(string name) => OpenSigner(Required(name, KeyKind.Signing).Id);

    /// <summary>Opens one version of a signing key; it must be enabled, because signing is making something new.</summary>
    /// <exception cref="InvalidOperationException">The ring has no such version, or it may no longer sign.</exception>
    public Signer OpenSigner(KeyId id)
    {
        lock (_gate)
        {
            var key = Required(id, KeyKind.Signing);
            return key.State == KeyState.Enabled
                ? Signer.FromSeed(key.Secret)
                : throw new InvalidOperationException($"The key {id} may only verify: it is retired.");
        }
    }

    /// <summary>The public key of the newest enabled version.</summary>
    /// <exception cref="InvalidOperationException">The ring has no such key.</exception>
    public VerificationKey PublicKey(string name) => VerificationKey.Parse(Required(name, KeyKind.Signing).PublicKey!);

    /// <summary>The public key of one version; also when it is retired or destroyed, because what it signed stays signed.</summary>
    /// <exception cref="InvalidOperationException">The ring has no such signing key.</exception>
    public VerificationKey PublicKey(KeyId id) => List().FirstOrDefault(key => key.Id == id)?.PublicKey is { } text
        ? VerificationKey.Parse(text)
        : throw new InvalidOperationException($"The key ring has no signing key {id}.");

    private SecretBytes Expand(KeyId id, string use, string purpose, int length)
    {
        lock (_gate)
        {
            var info = Encoding.UTF8.GetBytes($"bulwark.dev/{use}/v1\n{purpose}");
            return SecretBytes.Create(length, Required(id, KeyKind.Symmetric).Secret, (source, target) =>
                Hkdf.DeriveKey(HashAlgorithmName.SHA256, source, salt: default, info, target));
        }
    }

    private static byte[] WrapContext(KeyId kek, ReadOnlySpan<byte> aad) => [.. Encoding.UTF8.GetBytes($"bulwark.dev/wrap/v1\n{kek}\n"), .. aad];
}
