using Bulwark.Cryptography;

namespace Bulwark.Keys;

/// <summary>Opens the store that an address leads to: a token, a key server, a cloud. A keyring file is opened by its own passphrase: <see cref="KeyRing"/>.</summary>
public static class KeyStores
{
    /// <summary>Opens a store.</summary>
    /// <param name="key">Any key of it.</param>
    /// <param name="options">Where credentials come from, whom to trust.</param>
    /// <exception cref="ArgumentException">The address is a keyring's.</exception>
    /// <exception cref="KeyProviderException">The store cannot be reached, or credentials are missing.</exception>
    public static IKeyAdministration Open(KeyUri key, KeyStoreOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Scheme switch
        {
            "pkcs11" => Pkcs11Provider.Open(key, options),
            "vault" => VaultProvider.Open(key, options),
            "aws-kms" => AwsKmsProvider.Open(key, options),
            "gcp-kms" => GcpKmsProvider.Open(key, options),
            "azure-kv" => AzureKeyVaultProvider.Open(key, options),
            _ => throw new ArgumentException($"{key} is not in a key store of this room.", nameof(key)),
        };
    }
}
