namespace Bulwark.Cryptography;

/// <summary>One way to a sealed file's data key, as the file's header keeps it. Made by a <see cref="SealRecipient"/>, opened by a <see cref="SealIdentity"/>.</summary>
public abstract record KeySlot
{
    private protected KeySlot()
    {
    }

    /// <summary>Who opens it, for people: no secret.</summary>
    public abstract string Recipient { get; }

    /// <inheritdoc/>
    public sealed override string ToString() => Recipient;
}

/// <summary>A slot for a key in a store: the keyring, a token, a key server.</summary>
/// <param name="Wrapped">The data key under that key.</param>
public sealed record WrappedSlot(WrappedKey Wrapped) : KeySlot
{
    /// <inheritdoc/>
    public override string Recipient => Wrapped.Kek.TryGetKeyId(out var id) ? id.ToString() : Wrapped.Kek.ToString();
}

/// <summary>A slot for the holder of an X25519 private key: HPKE (RFC 9180) to its public half.</summary>
/// <param name="PublicKey">The recipient's.</param>
/// <param name="Encapsulated">32 bytes.</param>
/// <param name="Ciphertext">The data key and its tag: 48 bytes.</param>
public sealed record X25519Slot(X25519PublicKey PublicKey, ReadOnlyMemory<byte> Encapsulated, ReadOnlyMemory<byte> Ciphertext) : KeySlot
{
    /// <inheritdoc/>
    public override string Recipient => PublicKey.ToString();
}

/// <summary>A slot for whoever knows a passphrase.</summary>
/// <param name="Derivation">How the passphrase becomes a key.</param>
/// <param name="Salt">16 bytes.</param>
/// <param name="Wrapped">nonce 12 | AES-256-GCM ciphertext | tag 16.</param>
public sealed record PassphraseSlot(PassphraseDerivation Derivation, ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> Wrapped) : KeySlot
{
    /// <inheritdoc/>
    public override string Recipient => $"passphrase ({Derivation})";
}
