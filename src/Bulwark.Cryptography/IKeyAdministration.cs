namespace Bulwark.Cryptography;

/// <summary>What a key store may let its administrator do beyond <see cref="IKeyProvider.RotateAsync"/>.</summary>
public interface IKeyAdministration : IKeyProvider
{
    /// <summary>Makes the first version of a key that encrypts other keys.</summary>
    /// <exception cref="InvalidOperationException">There is a key of this name already.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked, or refuses.</exception>
    ValueTask<KeyDescription> CreateAsync(KeyUri kek, CancellationToken cancel = default);

    /// <summary>From now on the version only opens what it protected.</summary>
    /// <exception cref="InvalidOperationException">The store has no such version.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked, or cannot do this.</exception>
    ValueTask<KeyDescription> RetireAsync(KeyUri version, CancellationToken cancel = default);

    /// <summary>Erases the version: what only it protected can never be opened again by this store. Copies of the store from before are the administrator's to destroy.</summary>
    /// <exception cref="InvalidOperationException">The store has no such version.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked, or cannot do this.</exception>
    ValueTask<KeyDescription> DestroyAsync(KeyUri version, CancellationToken cancel = default);
}
