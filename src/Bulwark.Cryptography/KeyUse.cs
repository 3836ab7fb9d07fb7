namespace Bulwark.Cryptography;

/// <summary>What was done with a key-encryption key.</summary>
public enum KeyOperation
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It encrypted a key.</summary>
    Wrap,

    /// <summary>It decrypted a key.</summary>
    Unwrap,

    /// <summary>An older version's wrapped key was put under it.</summary>
    Rewrap,
}

/// <summary>One use of a key, for the record.</summary>
/// <param name="Key">The version used.</param>
/// <param name="Operation">What was done.</param>
/// <param name="Who">The account that asked.</param>
/// <param name="Purpose">What for: <c>seal</c>, <c>open</c>, <c>train</c>.</param>
/// <param name="Item">What the wrapped key protects, a file's id for example; null when the caller named nothing.</param>
/// <param name="Binding">SHA-256 of what the wrapped key is bound to: tells uses of the same file without naming it.</param>
/// <param name="Time">When, UTC.</param>
public sealed record KeyUse(KeyUri Key, KeyOperation Operation, string Who, string Purpose, string? Item, Digest Binding, DateTimeOffset Time);

/// <summary>A key store whose every wrap and unwrap is recorded before its result is given out: no record, no key.</summary>
/// <param name="store">The store that does the work.</param>
/// <param name="who">The account that asks.</param>
/// <param name="purpose">What for.</param>
/// <param name="record">Keeps the uses durably, or throws; the key is then not given out.</param>
/// <param name="owned">True when disposing this disposes <paramref name="store"/>.</param>
/// <param name="time">The clock; null is the system's.</param>
/// <remarks>Attempts that the store itself refuses give nothing out and are not recorded.</remarks>
public sealed class KeyUseLog(
    IKeyProvider store, string who, string purpose, Func<IReadOnlyList<KeyUse>, CancellationToken, ValueTask> record, bool owned = true, TimeProvider? time = null) : IKeyBatches
{
    /// <inheritdoc/>
    public string Scheme => store.Scheme;

    /// <inheritdoc/>
    public bool Holds(KeyUri kek) => store.Holds(kek);

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> WrapAsync(KeyUri kek, SecretBytes dataKey, KeyContext context, CancellationToken cancel = default)
    {
        var wrapped = await store.WrapAsync(kek, dataKey, context, cancel).ConfigureAwait(false);
        await record([Use(wrapped.Kek, KeyOperation.Wrap, context)], cancel).ConfigureAwait(false);
        return wrapped;
    }

    /// <inheritdoc/>
    public async ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        var dataKey = await store.UnwrapAsync(wrapped, context, cancel).ConfigureAwait(false);
        try
        {
            await record([Use(wrapped.Kek, KeyOperation.Unwrap, context)], cancel).ConfigureAwait(false);
            return dataKey;
        }
        catch
        {
            dataKey.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<WrappedKey> RewrapAsync(WrappedKey wrapped, KeyContext context, CancellationToken cancel = default)
    {
        var rewrapped = await store.RewrapAsync(wrapped, context, cancel).ConfigureAwait(false);
        await record([Use(rewrapped.Kek, KeyOperation.Rewrap, context)], cancel).ConfigureAwait(false);
        return rewrapped;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<WrappedKey>> WrapManyAsync(KeyUri kek, IReadOnlyList<(SecretBytes DataKey, KeyContext Context)> keys, CancellationToken cancel = default)
    {
        var wrapped = await store.WrapManyAsync(kek, keys, cancel).ConfigureAwait(false);
        await record([.. wrapped.Zip(keys, (answer, key) => Use(answer.Kek, KeyOperation.Wrap, key.Context))], cancel).ConfigureAwait(false);
        return wrapped;
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<KeyAnswer<SecretBytes>>> UnwrapManyAsync(IReadOnlyList<WrappedItem> items, CancellationToken cancel = default)
    {
        var answers = await store.UnwrapManyAsync(items, cancel).ConfigureAwait(false);
        try
        {
            var uses = items.Zip(answers).Where(pair => pair.Second.Value is not null).Select(pair => Use(pair.First.Wrapped.Kek, KeyOperation.Unwrap, pair.First.Context)).ToArray();
            if (uses.Length > 0)
                await record(uses, cancel).ConfigureAwait(false);
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
    public ValueTask<KeyDescription> DescribeAsync(KeyUri kek, CancellationToken cancel = default) => store.DescribeAsync(kek, cancel);

    /// <inheritdoc/>
    public ValueTask<KeyDescription> RotateAsync(KeyUri kek, CancellationToken cancel = default) => store.RotateAsync(kek, cancel);

    /// <summary>Closes the store when this owns it.</summary>
    public void Dispose()
    {
        if (owned)
            store.Dispose();
    }

    private KeyUse Use(KeyUri key, KeyOperation operation, KeyContext context) =>
        new(key, operation, who, purpose, context.Item, Digest.Of(context.Binding.Span), (time ?? TimeProvider.System).GetUtcNow());
}
