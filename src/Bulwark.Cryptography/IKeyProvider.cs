using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>A store of key-encryption keys: a keyring, a token, a key server. The keys stay in it; it wraps and unwraps the keys of files.</summary>
/// <remarks>
/// Thread-safe. A wrapped key that does not open is always the same <see cref="CryptographicException"/>; a store that cannot be asked
/// (down, locked, no permission) is a <see cref="KeyProviderException"/>, which says what to do.
/// </remarks>
public interface IKeyProvider : IDisposable
{
    /// <summary>The scheme of its addresses; see <see cref="KeyUri"/>.</summary>
    string Scheme { get; }

    /// <summary>True when the address is in this store; whether the key exists is not asked.</summary>
    bool Holds(KeyUri kek);

    /// <summary>Encrypts a key.</summary>
    /// <param name="kek">Which key wraps; without a version, the newest that may.</param>
    /// <param name="dataKey">The key to wrap, 1 to 512 bytes.</param>
    /// <param name="context">What the key belongs to.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="InvalidOperationException">The store has no such key, or it may not wrap.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default);

    /// <summary>Decrypts a wrapped key.</summary>
    /// <param name="wrapped">What <see cref="WrapAsync"/> returned.</param>
    /// <param name="context">The same binding as then.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default);

    /// <summary>The same key under the newest version of the same key-encryption key; unchanged when it is that already. The key itself stays in the store where the store can do that.</summary>
    /// <exception cref="CryptographicException">Always the same one, whatever is wrong.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default);

    /// <summary>What the store says of a key and its versions.</summary>
    /// <exception cref="InvalidOperationException">The store has no such key.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default);

    /// <summary>Makes the next version of a key: it wraps from now on, older ones still open.</summary>
    /// <exception cref="InvalidOperationException">The store has no such key.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked, or does not let this program rotate.</exception>
    ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default);
}

/// <summary>What a store says of one key.</summary>
/// <param name="Key">Its address, without version.</param>
/// <param name="Algorithm">What it is, for example <c>AES-256-GCM</c>.</param>
/// <param name="StrengthBits">Security strength in bits (NIST SP 800-57 part 1, table 2).</param>
/// <param name="HeldIn">Where the key itself is: a file, a token, a server.</param>
/// <param name="Extractable">True when the store's owner could copy the key out; null when the store does not say.</param>
/// <param name="Versions">Oldest first.</param>
public sealed record KeyDescription(KeyUri Key, string Algorithm, int StrengthBits, string HeldIn, bool? Extractable, IReadOnlyList<KeyVersion> Versions)
{
    /// <summary>The version that wraps; null when none may.</summary>
    public KeyVersion? Current => Versions.LastOrDefault(version => version.State == KeyState.Enabled);
}

/// <summary>One version of a key in a store.</summary>
/// <param name="Id">Its address, with version.</param>
/// <param name="State">What it may still do.</param>
/// <param name="Created">When it was made, UTC; null when the store does not say.</param>
public sealed record KeyVersion(KeyUri Id, KeyState State, DateTimeOffset? Created)
{
    /// <summary>What else the store says of it; null when nothing.</summary>
    public string? Note { get; init; }
}

/// <summary>A key store could not be asked: it is down, locked, unknown, or refuses who we are. Says nothing of the wrapped key.</summary>
public sealed class KeyProviderException : IOException
{
    /// <summary>A fault without a text; prefer the others.</summary>
    public KeyProviderException() : this("The key store cannot be asked.")
    {
    }

    /// <summary>A fault without advice.</summary>
    public KeyProviderException(string message) : base(message)
    {
    }

    /// <summary>A fault with its cause.</summary>
    public KeyProviderException(string message, Exception? cause) : base(message, cause)
    {
    }

    /// <summary>A fault, what to do about it, and its cause.</summary>
    /// <param name="message">What is wrong; no secret.</param>
    /// <param name="advice">What to do about it.</param>
    /// <param name="cause">What was caught, or null.</param>
    public KeyProviderException(string message, string advice, Exception? cause) : base(message, cause) => Advice = advice;

    /// <summary>What to do about it; null when there is nothing to say.</summary>
    public string? Advice { get; }
}
