using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>Someone who will be able to open a sealed file; any one of its recipients is enough.</summary>
public abstract class SealRecipient
{
    internal const int NonceSize = 12, TagSize = 16;

    private protected SealRecipient()
    {
    }

    internal static ReadOnlySpan<byte> X25519Info => "bulwark.dev/sealed-file/x25519/v1"u8;

    /// <summary>A key in a store, the keyring for example.</summary>
    /// <param name="keys">The opened store.</param>
    /// <param name="kek">Its key; without a version, the newest that may wrap. A bare name is a keyring's key.</param>
    /// <exception cref="FormatException"><paramref name="kek"/> is no address.</exception>
    public static SealRecipient Key(IKeyProvider keys, string kek) => Key(keys, KeyUri.Parse(kek));

    /// <inheritdoc cref="Key(IKeyProvider, string)"/>
    public static SealRecipient Key(IKeyProvider keys, KeyUri kek) => new KeyRecipient(keys ?? throw new ArgumentNullException(nameof(keys)), kek ?? throw new ArgumentNullException(nameof(kek)));

    /// <summary>The holder of an X25519 private key.</summary>
    public static SealRecipient X25519(X25519PublicKey publicKey) => new X25519Recipient(publicKey ?? throw new ArgumentNullException(nameof(publicKey)));

    /// <summary>Whoever knows a passphrase.</summary>
    /// <param name="passphrase">Not empty.</param>
    /// <param name="derivation">Its cost; null for <see cref="PassphraseDerivation.Default"/>.</param>
    public static SealRecipient Passphrase(string passphrase, PassphraseDerivation? derivation = null) => string.IsNullOrEmpty(passphrase)
        ? throw new ArgumentException("A passphrase must not be empty.", nameof(passphrase))
        : new PassphraseRecipient(passphrase, derivation ?? PassphraseDerivation.Default);

    /// <summary>Wraps a file's data key.</summary>
    internal abstract ValueTask<KeySlot> WrapAsync(SecretBytes dataKey, KeyContext binding, CancellationToken cancel);

    internal static byte[] PassphraseContext(PassphraseDerivation derivation, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> binding) =>
        [.. Encoding.ASCII.GetBytes($"bulwark.dev/sealed-file/passphrase/v1\n{derivation.Kind}\n{derivation.Cost}\n{derivation.Passes}\n"), .. salt, .. binding];

    private sealed class KeyRecipient(IKeyProvider keys, KeyUri kek) : SealRecipient
    {
        internal override async ValueTask<KeySlot> WrapAsync(SecretBytes dataKey, KeyContext binding, CancellationToken cancel) =>
            new WrappedSlot(await keys.WrapAsync(kek, dataKey, binding, cancel).ConfigureAwait(false));
    }

    private sealed class X25519Recipient(X25519PublicKey publicKey) : SealRecipient
    {
        internal override ValueTask<KeySlot> WrapAsync(SecretBytes dataKey, KeyContext binding, CancellationToken cancel)
        {
            var (enc, ciphertext) = Hpke.Seal(publicKey, X25519Info, binding.Binding.Span, dataKey.Span);
            return new(new X25519Slot(publicKey, enc, ciphertext));
        }
    }

    private sealed class PassphraseRecipient(string passphrase, PassphraseDerivation derivation) : SealRecipient
    {
        internal override ValueTask<KeySlot> WrapAsync(SecretBytes dataKey, KeyContext binding, CancellationToken cancel)
        {
            var salt = RandomNumberGenerator.GetBytes(PassphraseDerivation.SaltSize);
            using var secret = SealIdentity.Utf8(passphrase);
            using var key = derivation.Key(secret, salt);
            var wrapped = new byte[NonceSize + dataKey.Length + TagSize];
            RandomNumberGenerator.Fill(wrapped.AsSpan(0, NonceSize));
            using var aes = new AesGcm(key.Span, TagSize);
            aes.Encrypt(
                wrapped.AsSpan(0, NonceSize), dataKey.Span, wrapped.AsSpan(NonceSize, dataKey.Length), wrapped.AsSpan(NonceSize + dataKey.Length),
                PassphraseContext(derivation, salt, binding.Binding.Span));
            return new(new PassphraseSlot(derivation, salt, wrapped));
        }
    }
}
