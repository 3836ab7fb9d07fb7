using System.Security.Cryptography;
using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>Makes 256-bit data keys and wraps them: one key-encryption key for each master key, however many files and columns it serves.</summary>
internal sealed class DataKeyWriter(IKeyProvider store, bool doubleWrapping) : IDisposable
{
    internal const int KeyBytes = 32;

    private readonly Dictionary<KeyUri, Kek> _keks = [];
    private readonly Dictionary<KeyUri, KeyUri> _versions = [];

    private sealed record Kek(byte[] Id, SecretBytes Key, WrappedKey Wrapped);

    /// <summary>A fresh data key and how it is wrapped.</summary>
    /// <param name="master">The master key.</param>
    /// <param name="footer">True for a footer's key.</param>
    /// <param name="item">What the key protects, for the record of its use.</param>
    internal (SecretBytes Key, KeyMaterial Material) New(KeyUri master, bool footer, string item)
    {
        var key = SecretBytes.Random(KeyBytes);
        var (id, url) = MasterKeyText.Instance(master);
        var material = new KeyMaterial
        {
            IsFooter = footer,
            InstanceId = footer ? id : null,
            InstanceUrl = footer ? url : null,
            MasterKey = MasterKeyText.Name(master),
            WrappedDek = "",
        };
        if (!doubleWrapping)
            return (key, material with { WrappedDek = MasterKeyText.Write(Wrap(master, key, item)) });
        if (!_keks.TryGetValue(master, out var kek))
        {
            var fresh = SecretBytes.Random(KeyBytes);
            _keks.Add(master, kek = new(RandomNumberGenerator.GetBytes(16), fresh, Wrap(master, fresh, item)));
        }

        return (key, material with { WrappedDek = LocalWrap.Seal(key, kek.Key, kek.Id), KekId = kek.Id, WrappedKek = MasterKeyText.Write(kek.Wrapped) });
    }

    /// <summary>The version of <paramref name="master"/> that wrapped, once it did.</summary>
    internal KeyUri? VersionOf(KeyUri master) => _versions.GetValueOrDefault(master);

    public void Dispose()
    {
        foreach (var kek in _keks.Values)
            kek.Key.Dispose();
    }

    private WrappedKey Wrap(KeyUri master, SecretBytes key, string item)
    {
        var wrapped = store.WrapAsync(master, key, new KeyContext(default) { Item = item, MustAuthenticate = true }).AsTask().GetAwaiter().GetResult();
        _versions[master] = wrapped.Kek;
        return wrapped;
    }
}
