using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>One wrapped key of many, and what it belongs to.</summary>
public readonly record struct WrappedItem(WrappedKey Wrapped, KeyContext Context);

/// <summary>What became of one key of many: its value, or why there is none.</summary>
/// <param name="Value">The answer; null when it was refused.</param>
/// <param name="Refusal">Why there is none; null when there is one.</param>
public readonly record struct KeyAnswer<T>(T? Value, string? Refusal) where T : class;

/// <summary>A store that answers for many keys in one request. Others are asked one by one; see <see cref="KeyBatches"/>.</summary>
public interface IKeyBatches : IKeyProvider
{
    /// <summary>As <see cref="IKeyProvider.WrapAsync"/>, for many keys under one.</summary>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    ValueTask<IReadOnlyList<WrappedKey>> WrapManyAsync(KeyUri kek, IReadOnlyList<(SecretBytes DataKey, KeyContext Context)> keys, CancellationToken cancel = default);

    /// <summary>As <see cref="IKeyProvider.UnwrapAsync"/>, for many keys: each is opened or refused by itself, in their order.</summary>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    ValueTask<IReadOnlyList<KeyAnswer<SecretBytes>>> UnwrapManyAsync(IReadOnlyList<WrappedItem> items, CancellationToken cancel = default);
}

/// <summary>Many keys at once, from any store.</summary>
public static class KeyBatches
{
    /// <summary>Wraps many keys under one.</summary>
    /// <exception cref="KeyProviderException">The store cannot be asked.</exception>
    public static async ValueTask<IReadOnlyList<WrappedKey>> WrapManyAsync(
        this IKeyProvider store, KeyUri kek, IReadOnlyList<(SecretBytes DataKey, KeyContext Context)> keys, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(keys);
        if (store is IKeyBatches batches)
            return await batches.WrapManyAsync(kek, keys, cancel).ConfigureAwait(false);
        var wrapped = new WrappedKey[keys.Count];
        for (var i = 0; i < wrapped.Length; i++)
            wrapped[i] = await store.WrapAsync(kek, keys[i].DataKey, keys[i].Context, cancel).ConfigureAwait(false);
        return wrapped;
    }

    /// <summary>Unwraps many keys, each by itself; the caller disposes what was opened.</summary>
    /// <exception cref="KeyProviderException">The store cannot be asked; nothing is left opened.</exception>
    public static async ValueTask<IReadOnlyList<KeyAnswer<SecretBytes>>> UnwrapManyAsync(this IKeyProvider store, IReadOnlyList<WrappedItem> items, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(items);
        if (store is IKeyBatches batches)
            return await batches.UnwrapManyAsync(items, cancel).ConfigureAwait(false);
        var answers = new KeyAnswer<SecretBytes>[items.Count];
        try
        {
            for (var i = 0; i < answers.Length; i++)
                answers[i] = await UnwrapAsync(store, items[i], cancel).ConfigureAwait(false);
            return answers;
        }
        catch
        {
            foreach (var answer in answers)
                answer.Value?.Dispose();
            throw;
        }
    }

    private static async ValueTask<KeyAnswer<SecretBytes>> UnwrapAsync(IKeyProvider store, WrappedItem item, CancellationToken cancel)
    {
        try
        {
            return new(await store.UnwrapAsync(item.Wrapped, item.Context, cancel).ConfigureAwait(false), null);
        }
        catch (CryptographicException refusal)
        {
            return new(null, refusal.Message);
        }
    }
}
