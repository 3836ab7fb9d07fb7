using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

public sealed partial class TransparencyLog
{
    private const int BatchEntries = 8192;
    private readonly Queue<Pending> _pending = new();
    private bool _committing;

    /// <summary>Appends one entry; returns when it is durable. Callers at the same time share one flush.</summary>
    /// <param name="entry">At most <see cref="MaximumEntryBytes"/> bytes.</param>
    /// <param name="cancel">Honoured only until the entry is queued: afterwards it will stand in the log.</param>
    /// <exception cref="ArgumentException">The entry is too long.</exception>
    /// <exception cref="InvalidOperationException">The log was opened without a signer.</exception>
    /// <exception cref="IOException">The disk refused; the entry is not in the log.</exception>
    public async ValueTask<LogEntryReceipt> AppendAsync(ReadOnlyMemory<byte> entry, CancellationToken cancel = default) =>
        (await AppendManyAsync([entry], cancel).ConfigureAwait(false))[0];

    /// <summary>Appends entries side by side, in their order; returns when all are durable.</summary>
    /// <inheritdoc cref="AppendAsync" path="/exception"/>
    /// <param name="entries">Each at most <see cref="MaximumEntryBytes"/> bytes.</param>
    /// <param name="cancel">Honoured only until the entries are queued.</param>
    public async Task<IReadOnlyList<LogEntryReceipt>> AppendManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> entries, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (_signer is null)
            throw new InvalidOperationException("This log was opened for reading: appending needs its signing key.");
        if (entries.FirstOrDefault(entry => entry.Length > MaximumEntryBytes) is { Length: > 0 } tooLong)
            throw new ArgumentException($"An entry has {tooLong.Length} bytes; {MaximumEntryBytes} is the most. Log its digest instead.", nameof(entries));
        cancel.ThrowIfCancellationRequested();
        if (entries.Count == 0)
            return [];
        var pending = new Pending([.. entries.Select(entry => (ReadOnlyMemory<byte>)entry.ToArray())]);
        lock (_pending)
        {
            _pending.Enqueue(pending);
            if (!_committing)
            {
                _committing = true;
                _ = Task.Run(CommitAllAsync, CancellationToken.None);
            }
        }

        return await pending.Done.Task.ConfigureAwait(false);
    }

    /// <summary>One committer at a time drains the queue; whoever comes while it flushes is in its next batch.</summary>
    private async Task CommitAllAsync()
    {
        while (NextBatch() is { Count: > 0 } batch)
        {
            try
            {
                using var held = await FileLock.AcquireAsync(_store.LockPath).ConfigureAwait(false);
                var receipts = await CommitAsync(batch).ConfigureAwait(false);
                foreach (var (pending, given) in batch.Zip(receipts))
                    pending.Done.SetResult(given);
            }
            catch (Exception failure)
            {
                lock (_gate)
                    _state = null;   // memory may be ahead of the disk: the next batch reads the disk again
                foreach (var pending in batch)
                    pending.Done.TrySetException(failure);
            }
        }
    }

    private List<Pending> NextBatch()
    {
        lock (_pending)
        {
            var batch = new List<Pending>();
            for (var count = 0; _pending.TryPeek(out var next) && (count == 0 || count + next.Entries.Length <= BatchEntries); count += next.Entries.Length)
                batch.Add(_pending.Dequeue());
            _committing = batch.Count > 0;
            return batch;
        }
    }

    private async Task<List<IReadOnlyList<LogEntryReceipt>>> CommitAsync(List<Pending> batch)
    {
        LogState state;
        HashSet<string> replaced;
        var files = new List<(string Path, byte[] Bytes)>();
        var receipts = new List<IReadOnlyList<LogEntryReceipt>>();
        lock (_gate)
        {
            state = CurrentState();
            replaced = [.. state.PartialFiles().Select(file => file.Path)];
            foreach (var pending in batch)
                receipts.Add([.. pending.Entries.Select(entry => new LogEntryReceipt(state.Size, state.Add(entry.Span, files)))]);
            files.AddRange(state.PartialFiles());
        }

        await _store.WriteAsync([.. files.Where(file => !replaced.Contains(file.Path))]).ConfigureAwait(false);
        lock (_gate)
            Publish(state);
        DeleteReplaced(replaced.Except(files.Select(file => file.Path)));
        return receipts;
    }

    private void Publish(LogState state)
    {
        var checkpoint = new Checkpoint(_checkpoint.Origin, state.Size, state.Root()).Signed(_signer!);
        AtomicFile.Write(_store.CheckpointPath, Encoding.UTF8.GetBytes(checkpoint.Note!.Note));
        state.Published(checkpoint);
        _checkpoint = checkpoint;
    }

    /// <summary>The state on the disk, which another process may have moved. Called under both locks.</summary>
    private LogState CurrentState()
    {
        var newest = ReadCheckpoint(_store, Key);
        if (_state is not null && newest.Size == _state.Checkpoint.Size && newest.Root == _state.Checkpoint.Root)
            return _state;
        RequireGrowth(_checkpoint, newest);
        _state = LogState.Load(_store, newest);
        _state.RemoveUnpublished();
        _checkpoint = newest;
        return _state;
    }

    /// <summary>Partial files of the previous size. Removing them is thrift, not truth: a failure costs space only, and the entries are published.</summary>
    private void DeleteReplaced(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            try
            {
                _store.Delete(path);
            }
            catch (IOException)
            {
                return;
            }
        }
    }

    private sealed record Pending(ReadOnlyMemory<byte>[] Entries)
    {
        internal TaskCompletionSource<IReadOnlyList<LogEntryReceipt>> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
