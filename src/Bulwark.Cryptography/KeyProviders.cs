using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>The key stores that one piece of work may ask, each wrap and unwrap sent to the one that holds the key.</summary>
/// <remarks>
/// A wrapped key names its store, and whoever wrote the file chose that name: only stores that were opened here are ever asked, so that a
/// hostile file cannot make this program send its token to a stranger.
/// </remarks>
public sealed class KeyProviders : IKeyBatches
{
    private const string Refusal = "The wrapped key cannot be opened: it was changed, belongs to another context, or its key is not in an opened store.";
    private readonly IKeyProvider[] _stores;
    private readonly bool _owned;

    /// <summary>Routes to these stores.</summary>
    /// <param name="stores">One or more; the first that holds an address answers.</param>
    /// <param name="owned">True when disposing this disposes them.</param>
    public KeyProviders(IEnumerable<IKeyProvider> stores, bool owned = true) => (_stores, _owned) = ([.. stores], owned);

    /// <summary>Opens each address's store once.</summary>
    /// <param name="keys">The keys that will be used; two of one store open it once.</param>
    /// <param name="open">Opens the store that holds an address; throws <see cref="KeyProviderException"/> when it cannot.</param>
    public static KeyProviders Open(IEnumerable<KeyUri> keys, Func<KeyUri, IKeyProvider> open)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(open);
        var stores = new List<IKeyProvider>();
        try
        {
            foreach (var key in keys)
            {
                if (!stores.Exists(store => store.Holds(key)))
                    stores.Add(open(key));
            }

            return new KeyProviders(stores);
        }
        catch
        {
            stores.ForEach(store => store.Dispose());
            throw;
        }
    }

    /// <summary>The schemes of the stores, for people.</summary>
    public string Scheme => string.Join(", ", _stores.Select(store => store.Scheme).Distinct());

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => Array.Exists(_stores, store => store.Holds(kek));

    /// <inheritdoc/>
    public ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default) => Store(kek).WrapAsync(kek, dataKey, context, cancel);

    /// <inheritdoc/>
    public ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default) => Opener(wrapped).UnwrapAsync(wrapped, context, cancel);

    /// <inheritdoc/>
    public ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default) => Opener(wrapped).RewrapAsync(wrapped, context, cancel);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<WrappedKey>> WrapManyAsync(KeyUri kek, IReadOnlyList<(SecretBytes DataKey, KeyContext Context)> keys, CancellationToken cancel = default) =>
        Store(kek).WrapManyAsync(kek, keys, cancel);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<KeyAnswer<SecretBytes>>> UnwrapManyAsync(IReadOnlyList<WrappedItem> items, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        var answers = new KeyAnswer<SecretBytes>[items.Count];
        Array.Fill(answers, new(null, Refusal));
        try
        {
            foreach (var store in _stores)
            {
                var mine = Enumerable.Range(0, items.Count).Where(i => Array.Find(_stores, candidate => candidate.Holds(items[i].Wrapped.Kek)) == store).ToArray();
                if (mine.Length == 0)
                    continue;
                var opened = await store.UnwrapManyAsync([.. mine.Select(i => items[i])], cancel).ConfigureAwait(false);
                foreach (var (i, answer) in mine.Zip(opened))
                    answers[i] = answer;
            }

            return answers;
        }
        catch
        {
            foreach (var answer in answers)
                answer.Value?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default) => Store(kek).DescribeAsync(kek, cancel);

    /// <inheritdoc/>
    public ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default) => Store(kek).RotateAsync(kek, cancel);

    /// <summary>Closes the stores when this owns them.</summary>
    public void Dispose()
    {
        if (!_owned)
            return;
        foreach (var store in _stores)
            store.Dispose();
    }

    private IKeyProvider Store(KeyUri kek)
    {
        ArgumentNullException.ThrowIfNull(kek);
        return Array.Find(_stores, store => store.Holds(kek)) ?? throw new InvalidOperationException($"No opened key store holds {kek}; opened: {Scheme}.");
    }

    private IKeyProvider Opener(WrappedKey wrapped)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        return Array.Find(_stores, store => store.Holds(wrapped.Kek)) ?? throw new CryptographicException(Refusal);
    }
}
