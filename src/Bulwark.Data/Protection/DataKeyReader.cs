using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Unwraps data keys; a key-encryption key is unwrapped once, however many data keys it serves.</summary>
/// <param name="unwrap">Asks the key store: a material, the footer's material, which names the store, and what needs the key, to begin a sentence.</param>
internal sealed class DataKeyReader(Func<KeyMaterial, KeyMaterial, string, SecretBytes> unwrap) : IDisposable
{
    private readonly Dictionary<string, SecretBytes> _keks = new(StringComparer.Ordinal);

    /// <param name="store">The store of the master keys.</param>
    /// <param name="file">Which file of which dataset, for the record of the uses; null when it does not say.</param>
    internal DataKeyReader(IKeyProvider store, string? file)
        : this((material, footer, what) => Unwrap(store, Wrapped(material, footer), what, file is null ? what : $"{file} {char.ToLowerInvariant(what[0])}{what[1..]}"))
    {
    }

    /// <summary>The data key.</summary>
    /// <exception cref="CryptographicException">It was changed, or wrapped by another key of that name.</exception>
    /// <exception cref="InvalidOperationException">The store does not have the master key, or has destroyed it.</exception>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    internal SecretBytes Open(KeyMaterial material, KeyMaterial footer, string what)
    {
        if (material.WrappedKek is null)
            return unwrap(material, footer, what);
        if (!_keks.TryGetValue(material.WrappedKek, out var kek))
            _keks.Add(material.WrappedKek, kek = unwrap(material, footer, what));
        return LocalWrap.Open(material.WrappedDek, kek, material.KekId!);
    }

    internal static WrappedKey Wrapped(KeyMaterial material, KeyMaterial footer) =>
        MasterKeyText.Read(material.MasterKey, material.Wrapped, footer.InstanceId ?? KeyMaterial.NoInstance, footer.InstanceUrl ?? KeyMaterial.NoInstance);

    public void Dispose()
    {
        foreach (var kek in _keks.Values)
            kek.Dispose();
        _keks.Clear();
    }

    private static SecretBytes Unwrap(IKeyProvider store, WrappedKey wrapped, string what, string item)
    {
        Require(store, wrapped.Kek, what);
        return store.UnwrapAsync(wrapped, new KeyContext(default) { Item = item, MustAuthenticate = true }).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Says which key is missing, where the store would only say that nothing opens.</summary>
    private static void Require(IKeyProvider store, KeyUri kek, string what)
    {
        var missing = !store.Holds(kek);
        if (!missing && kek.TryGetKeyId(out _))
        {
            try
            {
                missing = !store.DescribeAsync(kek).AsTask().GetAwaiter().GetResult().Versions.Any(version => version.Id == kek && version.State != KeyState.Destroyed);
            }
            catch (InvalidOperationException)
            {
                missing = true;
            }
        }

        if (missing)
            throw new InvalidOperationException($"{what} needs key {Named(kek)}, which the key ring does not have or has destroyed.");
    }

    private static string Named(KeyUri kek) => kek.TryGetKeyId(out var id) ? id.ToString() : kek.ToString();
}
