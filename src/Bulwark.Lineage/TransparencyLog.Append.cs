using Bulwark.Cryptography;

namespace Bulwark.Lineage;

public sealed partial class TransparencyLog
{
    private const int BatchEntries = 8192, BatchBytes = 8 << 20;
    private readonly Queue<Pending> _pending = new();
    private bool _committing;
    private string? _closed;

    /// <summary>Appends one entry; returns when it is durable and has its place. Callers at the same time share one flush.</summary>
    /// <param name="entry">At most <see cref="MaximumEntryBytes"/> bytes.</param>
    /// <param name="cancel">Honoured only until the entry is queued: afterwards it will stand in the log.</param>
    /// <exception cref="ArgumentException">The entry is too long.</exception>
    /// <exception cref="InvalidOperationException">The log was opened without a signer.</exception>
    /// <exception cref="IOException">The disk or the store refused: nothing was promised. Where a connection broke while the store answered, the entry may stand in the log yet.</exception>
    public async ValueTask<LogEntryReceipt> AppendAsync(ReadOnlyMemory<byte> entry, CancellationToken cancel = default) =>
        (await AppendManyAsync([entry], cancel).ConfigureAwait(false))[0];

    /// <summary>Appends entries side by side, in their order; returns when all are durable.</summary>
    /// <inheritdoc cref="AppendAsync" path="/exception"/>
    /// <param name="entries">Each at most <see cref="MaximumEntryBytes"/> bytes.</param>
    /// <param name="cancel">Honoured only until the entries are queued.</param>
    public async Task<IReadOnlyList<LogEntryReceipt>> AppendManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (_signer is null || _store is null)
            throw new InvalidOperationException("This log was opened for reading: appending needs its signing key.");
        if (entries.FirstOrDefault(entry => entry.Length > MaximumEntryBytes) is { Length: > 0 } tooLong)
            throw new ArgumentException($"An entry has {tooLong.Length} bytes; {MaximumEntryBytes} is the most. Log its digest instead.", nameof(entries));
        cancel.ThrowIfCancellationRequested();
        if (entries.Count == 0)
            return [];
        var pending = new Pending([.. entries.Select(entry => (ReadOnlyMemory<byte>)entry.ToArray())]);
        if (Enqueue(pending))
        {
            await CommitNextAsync().ConfigureAwait(false);   // on the caller's thread: one that waits alone changes none
            if (Goes())
                _ = Task.Run(CommitAllAsync, CancellationToken.None);
        }

        return await pending.Done.Task.ConfigureAwait(false);
    }

    /// <summary>True for the one who finds nobody committing, and has to.</summary>
    private bool Enqueue(Pending pending)
    {
        lock (_pending)
        {
            _pending.Enqueue(pending);
            var first = !_committing;
            _committing = true;
            return first;
        }
    }

    /// <summary>True while the committer has to go on; otherwise the next caller commits.</summary>
    private bool Goes()
    {
        lock (_pending)
            return _committing = _pending.Count > 0;
    }

    /// <summary>One committer at a time drains the queue; whoever comes while it flushes is in its next batch.</summary>
    private async Task CommitAllAsync()
    {
        do
            await CommitNextAsync().ConfigureAwait(false);
        while (Goes());
    }

    private async Task CommitNextAsync()
    {
        var batch = NextBatch();
        try
        {
            await RequireTreeAsync().ConfigureAwait(false);
            await CommitAsync(batch).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            foreach (var pending in batch)
                pending.Done.TrySetException(failure);
        }
    }

    private List<Pending> NextBatch()
    {
        lock (_pending)
        {
            var batch = new List<Pending>();
            var (entries, bytes) = (0, 0L);
            while (_pending.TryPeek(out var next) && (batch.Count == 0 || (entries + next.Entries.Length <= BatchEntries && bytes + next.Bytes <= BatchBytes)))
            {
                batch.Add(_pending.Dequeue());
                (entries, bytes) = (entries + next.Entries.Length, bytes + next.Bytes);
            }

            return batch;
        }
    }

    private async Task CommitAsync(List<Pending> batch)
    {
        var entries = batch.Count == 1 ? batch[0].Entries : batch.SelectMany(pending => pending.Entries).ToArray();
        var leaves = new Digest[entries.Length];
        for (var i = 0; i < leaves.Length; i++)
            leaves[i] = MerkleTree.LeafHash(entries[i].Span);
        var durable = Volatile.Read(ref _durable);
        var first = await _store!.AppendAsync(entries).ConfigureAwait(false);
        if (first < durable)
            throw Close($"{_store.Name} gave the place {first}, but entries up to {durable} were durable: the store was rolled back. Run log fsck.");
        Durable(first, entries, leaves);
        var given = 0;
        foreach (var pending in batch)
        {
            var begin = given;
            pending.Done.SetResult([.. Enumerable.Range(0, pending.Entries.Length).Select(i => new LogEntryReceipt(first + begin + i, leaves[begin + i]))]);
            given += pending.Entries.Length;
        }
    }

    /// <summary>What was promised is gone: this object takes and signs nothing any more.</summary>
    private InvalidDataException Close(string why)
    {
        Volatile.Write(ref _closed, why);
        return new InvalidDataException(why);
    }

    private void RequireNotClosed()
    {
        if (Volatile.Read(ref _closed) is { } why)
            throw new InvalidDataException(why);
    }

    private sealed record Pending(ReadOnlyMemory<byte>[] Entries)
    {
        internal long Bytes { get; } = Entries.Sum(entry => (long)entry.Length);

        internal TaskCompletionSource<IReadOnlyList<LogEntryReceipt>> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
