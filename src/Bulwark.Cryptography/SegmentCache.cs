namespace Bulwark.Cryptography;

/// <summary>The decrypted segments that are in memory: a few, the least recently used go first, none while someone reads it.</summary>
/// <param name="capacity">Segments kept, at least 1; more are held only while several threads read at once.</param>
/// <param name="segmentSize">Of the longest segment, in bytes.</param>
/// <param name="decrypt">Fills a buffer and says where in it the plaintext is; called from several threads.</param>
internal sealed class SegmentCache(int capacity, int segmentSize, Func<long, SegmentBuffer, Memory<byte>> decrypt) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Entry> _entries = [];   // the most recently used first
    private bool _disposed;

    /// <summary>A segment, decrypted now or before. Dispose it after use.</summary>
    internal Lease Get(long index)
    {
        var entry = Enter(index);
        try
        {
            return new Lease(this, entry, entry.Plaintext.Value);
        }
        catch
        {
            Leave(entry, failed: true);
            throw;
        }
    }

    /// <summary>Decrypts segments on other threads; a failure shows when the segment is asked for.</summary>
    internal void Prepare(IEnumerable<long> indices)
    {
        foreach (var index in indices)
        {
            lock (_gate)
            {
                if (_disposed || _entries.Any(entry => entry.Index == index))
                    continue;
            }

            var entry = Enter(index);
            ThreadPool.UnsafeQueueUserWorkItem(_ => Load(entry), null);
        }
    }

    public void Dispose()
    {
        SpinWait.SpinUntil(() =>
        {
            lock (_gate)
            {
                _disposed = true;
                return _entries.All(entry => entry.Users == 0);   // what is being decrypted ends soon
            }
        });
        foreach (var entry in _entries)
            entry.Buffer.Dispose();
        _entries.Clear();
    }

    private void Load(Entry entry)
    {
        var failed = false;
        try
        {
            _ = entry.Plaintext.Value;
        }
        catch (Exception)
        {
            failed = true;   // the reader of this segment will meet the same failure
        }

        Leave(entry, failed);
    }

    private Entry Enter(long index)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_entries.FirstOrDefault(entry => entry.Index == index) is { } known)
            {
                known.Users++;
                _entries.Remove(known);
                _entries.AddFirst(known);
                return known;
            }

            var buffer = SegmentBuffer.Rent(segmentSize);
            var made = new Entry(index, buffer, new Lazy<Memory<byte>>(() => decrypt(index, buffer), LazyThreadSafetyMode.ExecutionAndPublication)) { Users = 1 };
            _entries.AddFirst(made);
            return made;
        }
    }

    private void Leave(Entry entry, bool failed)
    {
        lock (_gate)
        {
            entry.Users--;
            entry.Failed |= failed;
            for (var node = _entries.Last; node is not null;)
            {
                var previous = node.Previous;
                if (node.Value.Users == 0 && (node.Value.Failed || _entries.Count > capacity))
                {
                    _entries.Remove(node);
                    node.Value.Buffer.Dispose();
                }

                node = previous;
            }
        }
    }

    /// <summary>A segment in use.</summary>
    internal readonly struct Lease(SegmentCache cache, Entry entry, ReadOnlyMemory<byte> plaintext) : IDisposable
    {
        internal ReadOnlyMemory<byte> Plaintext => plaintext;

        public void Dispose() => cache.Leave(entry, failed: false);
    }

    internal sealed class Entry(long index, SegmentBuffer buffer, Lazy<Memory<byte>> plaintext)
    {
        internal long Index => index;
        internal SegmentBuffer Buffer => buffer;
        internal Lazy<Memory<byte>> Plaintext => plaintext;
        internal int Users { get; set; }
        internal bool Failed { get; set; }
    }
}
