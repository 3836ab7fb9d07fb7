using Bulwark.Cryptography;
using ParquetSharp.Encryption;

namespace Bulwark.Data;

/// <summary>Any key store as the KMS client of Parquet's own key tools, for programs that use ParquetSharp's <c>CryptoFactory</c> with our keys.</summary>
/// <remarks>Keep the <c>CryptoFactory</c> alive while a file that it opened is read: the native reader asks it for keys.</remarks>
/// <param name="keys">The key store.</param>
/// <param name="vault">For Vault transit: the address of the mount (<c>vault:https://host:8200/transit</c>), as master keys are then plain names; null for addresses as names.</param>
public sealed class ParquetKmsClient(IKeyProvider keys, string? vault = null) : IKmsClient
{
    /// <inheritdoc/>
    public string WrapKey(byte[] keyBytes, string masterKeyIdentifier)
    {
        using var key = SecretBytes.CopyOf(keyBytes);
        var master = KeyUri.Parse(vault is null ? masterKeyIdentifier : $"{vault}/{masterKeyIdentifier}");
        return MasterKeyText.Write(keys.WrapAsync(master, key, new KeyContext(default).For("Parquet keys")).AsTask().GetAwaiter().GetResult());
    }

    /// <inheritdoc/>
    public byte[] UnwrapKey(string wrappedKey, string masterKeyIdentifier)
    {
        var (id, url) = vault is null ? (KeyMaterial.NoInstance, KeyMaterial.NoInstance) : MasterKeyText.Instance(KeyUri.Parse($"{vault}/{masterKeyIdentifier}"));
        using var key = keys.UnwrapAsync(MasterKeyText.Read(masterKeyIdentifier, wrappedKey, id, url), new KeyContext(default).For("Parquet keys")).AsTask().GetAwaiter().GetResult();
        return key.Span.ToArray();
    }
}
