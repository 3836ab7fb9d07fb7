using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>What opens some of a sealed file's slots.</summary>
public abstract class SealIdentity
{
    private protected SealIdentity()
    {
    }

    /// <summary>The keys of an opened store.</summary>
    public static SealIdentity Keys(IKeyProvider keys) => new KeyIdentity(keys ?? throw new ArgumentNullException(nameof(keys)));

    /// <summary>An X25519 private key.</summary>
    public static SealIdentity X25519(X25519KeyPair keyPair) => new X25519Identity(keyPair ?? throw new ArgumentNullException(nameof(keyPair)));

    /// <summary>A passphrase.</summary>
    public static SealIdentity Passphrase(string passphrase) => new PassphraseIdentity(passphrase ?? throw new ArgumentNullException(nameof(passphrase)));

    /// <summary>The data key in a slot, or null when the slot is for someone else.</summary>
    /// <exception cref="CryptographicException">It does not open.</exception>
    internal abstract ValueTask<SecretBytes?> UnwrapAsync(KeySlot slot, KeyContext binding, CancellationToken cancel);

    internal static SecretBytes Utf8(string passphrase) => SecretBytes.Create(Encoding.UTF8.GetByteCount(passphrase), default, (_, target) => Encoding.UTF8.GetBytes(passphrase, target));

    private sealed class KeyIdentity(IKeyProvider keys) : SealIdentity
    {
        internal override async ValueTask<SecretBytes?> UnwrapAsync(KeySlot slot, KeyContext binding, CancellationToken cancel) =>
            slot is WrappedSlot { Wrapped: var wrapped } && keys.Holds(wrapped.Kek) ? await keys.UnwrapAsync(wrapped, binding, cancel).ConfigureAwait(false) : null;
    }

    private sealed class X25519Identity(X25519KeyPair keyPair) : SealIdentity
    {
        internal override ValueTask<SecretBytes?> UnwrapAsync(KeySlot slot, KeyContext binding, CancellationToken cancel)
        {
            if (slot is not X25519Slot mine || !mine.PublicKey.Equals(keyPair.PublicKey))
                return default;
            var opened = Hpke.Open(keyPair, mine.Encapsulated.Span, SealRecipient.X25519Info, binding.Binding.Span, mine.Ciphertext.Span);
            try
            {
                return new(SecretBytes.CopyOf(opened));
            }
            finally
            {
                CryptographicOperations.ZeroMemory(opened);
            }
        }
    }

    private sealed class PassphraseIdentity(string passphrase) : SealIdentity
    {
        internal override ValueTask<SecretBytes?> UnwrapAsync(KeySlot slot, KeyContext binding, CancellationToken cancel)
        {
            if (slot is not PassphraseSlot { Derivation: var derivation, Salt: var salt, Wrapped: var wrapped })
                return default;
            cancel.ThrowIfCancellationRequested();
            using var secret = Utf8(passphrase);
            using var key = derivation.Key(secret, salt);
            using var aes = new AesGcm(key.Span, SealRecipient.TagSize);
            return new(SecretBytes.Create(wrapped.Length - SealRecipient.NonceSize - SealRecipient.TagSize, wrapped.Span, (source, target) => aes.Decrypt(
                source[..SealRecipient.NonceSize], source[SealRecipient.NonceSize..^SealRecipient.TagSize], source[^SealRecipient.TagSize..], target,
                SealRecipient.PassphraseContext(derivation, salt.Span, binding.Binding.Span))));
        }
    }
}
