namespace Bulwark.Attestation;

/// <summary>Where brokers keep what they must not forget: open challenges, leases, approvals, revocations, floors. Brokers behind one store decide one after the other.</summary>
public interface IBrokerStore : IDisposable
{
    /// <summary>The store's name, without secrets.</summary>
    string Name { get; }

    /// <summary>Begins a transaction that excludes every other, also of other processes.</summary>
    /// <exception cref="IOException">The store cannot be used.</exception>
    IBrokerTransaction Begin();
}

/// <summary>One transaction; what is not committed never was.</summary>
public interface IBrokerTransaction : IDisposable
{
    /// <summary>A value; null when there is none.</summary>
    byte[]? Get(string bucket, string key);

    /// <summary>Sets a value.</summary>
    /// <param name="bucket">Which kind of value.</param>
    /// <param name="key">Its name within the bucket.</param>
    /// <param name="value">The value.</param>
    /// <param name="ends">When it may be forgotten, Unix milliseconds; null for never.</param>
    void Put(string bucket, string key, byte[] value, long? ends);

    /// <summary>Removes a value.</summary>
    /// <returns>True when there was one.</returns>
    bool Remove(string bucket, string key);

    /// <summary>Everything in a bucket whose key begins with <paramref name="prefix"/>, by key.</summary>
    IReadOnlyList<KeyValuePair<string, byte[]>> List(string bucket, string prefix);

    /// <summary>How many values <see cref="List"/> would give.</summary>
    int Count(string bucket, string prefix);

    /// <summary>Forgets what ended before <paramref name="now"/>, Unix milliseconds.</summary>
    void Expire(string bucket, long now);

    /// <summary>Makes all of it durable, at once.</summary>
    /// <exception cref="IOException">It did not become durable.</exception>
    void Commit();
}
