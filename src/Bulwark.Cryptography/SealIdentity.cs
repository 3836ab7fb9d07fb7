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

    /// <summary>How often the usual cost of a passphrase a file may ask for when nothing else is said: four slots, twice over.</summary>
    public const int UsualMostWork = 8;

    /// <summary>A passphrase.</summary>
    /// <param name="passphrase">The passphrase.</param>
    /// <param name="mostWork">The cost of all of a file's passphrase slots together, in multiples of <see cref="PassphraseDerivation.Default"/>'s; a file that asks
    /// for more is refused before the first derivation, because anybody can write such a file.</param>
    public static SealIdentity Passphrase(string passphrase, int mostWork = UsualMostWork) =>
        new PassphraseIdentity(passphrase ?? throw new ArgumentNullException(nameof(passphrase)), mostWork);

    /// <summary>Refuses slots that cost more to try than this identity may work.</summary>
    /// <exception cref="KeyProviderException">They do.</exception>
    internal virtual void RequireAffordable(IEnumerable<KeySlot> slots)
    {
    }

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

    private sealed class PassphraseIdentity(string passphrase, int mostWork) : SealIdentity
    {
        internal override void RequireAffordable(IEnumerable<KeySlot> slots)
        {
            var work = slots.OfType<PassphraseSlot>().Sum(slot => slot.Derivation.Work);
            if (work > mostWork + 1e-6)
                throw new KeyProviderException($"The file asks for {work:0} times the usual work to try a passphrase; {mostWork} times is allowed.", "if you trust whoever made it, allow more: --accept-cost N", null);
        }

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
