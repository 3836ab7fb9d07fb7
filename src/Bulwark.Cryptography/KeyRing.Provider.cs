namespace Bulwark.Cryptography;

/// <summary>The keyring as a key store of the scheme <c>file:</c>.</summary>
public sealed partial class KeyRing : IKeyAdministration
{
    /// <inheritdoc/>
    public string Scheme => KeyUri.FileScheme;

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => kek is { Scheme: KeyUri.FileScheme };

    /// <inheritdoc/>
    public ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(dataKey);
        cancel.ThrowIfCancellationRequested();
        return new(WrapUnder(Wrapping(kek), dataKey.Span, context.Binding.Span));
    }

    /// <inheritdoc/>
    public ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        return new(Unwrap(wrapped, context.Binding.Span));
    }

    /// <inheritdoc/>
    public ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        cancel.ThrowIfCancellationRequested();
        using var dataKey = Unwrap(wrapped, context.Binding.Span);   // also when it is the newest already: a key that does not open is reported
        var newest = Wrapping(wrapped.Kek.Key);
        return new(KeyUri.Of(newest) == wrapped.Kek ? wrapped : WrapUnder(newest, dataKey.Span, context.Binding.Span));
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        cancel.ThrowIfCancellationRequested();
        var versions = List().Where(key => key.Id.Name == kek.Path).ToArray();
        if (!Holds(kek) || versions.Length == 0)
            throw new InvalidOperationException($"The key ring has no key '{kek.Path}'; it has: {Names()}.");
        var symmetric = versions[0].Kind == KeyKind.Symmetric;
        return new(new KeyDescription(
            kek.Key, symmetric ? "AES-256-GCM" : "Ed25519", symmetric ? 256 : 128, $"keyring {System.IO.Path.GetFileName(_path)}", Extractable: true,
            [.. versions.Select(key => new KeyVersion(KeyUri.Of(key.Id), key.State, key.Created))]));
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        cancel.ThrowIfCancellationRequested();
        Change(() => _keys.Find(key => Holds(kek) && key.Id.Name == kek.Path) is { } known
            ? Add(kek.Path, known.Kind)
            : throw new InvalidOperationException($"The key ring has no key '{kek.Path}' to rotate; it has: {Names()}."));
        return DescribeAsync(kek, cancel);
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> CreateAsync(KeyUri kek, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(kek);
        cancel.ThrowIfCancellationRequested();
        Change(() => Holds(kek) && !_keys.Exists(key => key.Id.Name == kek.Path)
            ? Add(kek.Path, KeyKind.Symmetric)
            : throw new InvalidOperationException($"The key ring has a key '{kek.Path}' already: rotate it."));
        return DescribeAsync(kek, cancel);
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> RetireAsync(KeyUri version, CancellationToken cancel = default) => ChangeState(version, Retire, cancel);

    /// <inheritdoc/>
    public ValueTask<KeyDescription> DestroyAsync(KeyUri version, CancellationToken cancel = default) => ChangeState(version, Destroy, cancel);

    private ValueTask<KeyDescription> ChangeState(KeyUri version, Action<KeyId> change, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(version);
        cancel.ThrowIfCancellationRequested();
        change(version.TryGetKeyId(out var id) ? id : throw new InvalidOperationException($"{version} is no version of a keyring's key: expected file:NAME@VERSION."));
        return DescribeAsync(version.Key, cancel);
    }

    /// <summary>The version that wraps for an address: the one it names when that is enabled, otherwise the newest enabled.</summary>
    private KeyId Wrapping(KeyUri kek)
    {
        ArgumentNullException.ThrowIfNull(kek);
        if (!Holds(kek))
            throw new InvalidOperationException($"{kek} is not in a keyring.");
        if (!kek.TryGetKeyId(out var id))
            return Required(kek.Path, KeyKind.Symmetric).Id;
        return Required(id, KeyKind.Symmetric).State == KeyState.Enabled ? id : throw new InvalidOperationException($"The key {id} may only open: it is retired.");
    }
}
