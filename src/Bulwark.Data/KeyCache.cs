using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>A key store that is asked for each wrapped key once, while one piece of work reads many files that share it; the keys are wiped at its end.</summary>
/// <param name="store">The store; not disposed with this.</param>
public sealed class KeyCache(IKeyProvider store) : IKeyProvider
{
    private readonly Dictionary<string, SecretBytes> _known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Scheme => store.Scheme;

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => store.Holds(kek);

    /// <inheritdoc/>
    public ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default) => store.WrapAsync(kek, dataKey, context, cancel);

    /// <inheritdoc/>
    public async ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        var name = $"{wrapped.Kek}\n{Convert.ToHexString(wrapped.Bytes)}\n{Convert.ToHexString(context.Binding.Span)}";
        lock (_known)
        {
            if (_known.TryGetValue(name, out var known))
                return SecretBytes.CopyOf(known.Span);
        }

        var key = await store.UnwrapAsync(wrapped, context, cancel).ConfigureAwait(false);
        lock (_known)
        {
            if (!_known.ContainsKey(name))
                _known.Add(name, SecretBytes.CopyOf(key.Span));
        }

        return key;
    }

    /// <inheritdoc/>
    public ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default) => store.RewrapAsync(wrapped, context, cancel);

    /// <inheritdoc/>
    public ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default) => store.DescribeAsync(kek, cancel);

    /// <inheritdoc/>
    public ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default) => store.RotateAsync(kek, cancel);

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        lock (_known)
        {
            foreach (var key in _known.Values)
                key.Dispose();
            _known.Clear();
        }
    }
}
