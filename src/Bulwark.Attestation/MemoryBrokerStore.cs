namespace Bulwark.Attestation;

/// <summary>A broker's memory that ends with the process: for a broker beside its only worker, and for tests.</summary>
public sealed class MemoryBrokerStore : IBrokerStore
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private Dictionary<(string Bucket, string Key), (byte[] Value, long? Ends)> _values = [];

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public IBrokerTransaction Begin()
    {
        _one.Wait();
        return new Transaction(this);
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private sealed class Transaction(MemoryBrokerStore store) : IBrokerTransaction
    {
        private readonly Dictionary<(string Bucket, string Key), (byte[] Value, long? Ends)> _values = new(store._values);
        private bool _over;

        public byte[]? Get(string bucket, string key) => _values.TryGetValue((bucket, key), out var found) ? found.Value : null;

        public void Put(string bucket, string key, byte[] value, long? ends) => _values[(bucket, key)] = (value, ends);

        public bool Remove(string bucket, string key) => _values.Remove((bucket, key));

        public IReadOnlyList<KeyValuePair<string, byte[]>> List(string bucket, string prefix) =>
            [.. _values.Where(one => one.Key.Bucket == bucket && one.Key.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(one => KeyValuePair.Create(one.Key.Key, one.Value.Value)).OrderBy(one => one.Key, StringComparer.Ordinal)];

        public int Count(string bucket, string prefix) => _values.Keys.Count(key => key.Bucket == bucket && key.Key.StartsWith(prefix, StringComparison.Ordinal));

        public void Expire(string bucket, long now)
        {
            foreach (var key in _values.Where(one => one.Key.Bucket == bucket && one.Value.Ends < now).Select(one => one.Key).ToList())
                _values.Remove(key);
        }

        public void Commit() => store._values = _values;

        public void Dispose()
        {
            if (!_over)
                store._one.Release();
            _over = true;
        }
    }
}
