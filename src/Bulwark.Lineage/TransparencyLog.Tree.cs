using Bulwark.Cryptography;

namespace Bulwark.Lineage;

// The tree follows the store: entries that are durable are hashed into tiles, and a new checkpoint is signed and put in place.
public sealed partial class TransparencyLog
{
    private const int PublishEntries = 1 << 16;
    private const long RecentBytes = 32 << 20;
    private const long MaximumLag = 1 << 18;
    private readonly Lock _treeGate = new();
    private readonly Queue<DurableBatch> _recent = new();   // what the renderer need not read from the store again
    private readonly List<(long Index, TaskCompletionSource<Checkpoint> Done)> _waiting = [];
    private long _recentBytes;
    private long _durable;
    private bool _rendering;
    private TaskCompletionSource _hurry = NewSignal();
    private Exception? _treeFault;
    private bool _disposed;

    /// <summary>How long entries that nobody waits for may lie before the tree takes them in; half a second.</summary>
    internal TimeSpan Leisure { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits until an appended entry stands in the tree; the checkpoint that covers it. Hurries the tree on.</summary>
    /// <param name="index">The entry's place.</param>
    /// <param name="cancel">Ends the wait, not the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    /// <exception cref="IOException">The entry is durable, but the tree cannot follow: the disk refuses.</exception>
    public Task<Checkpoint> IntegratedAsync(long index, CancellationToken cancel = default)
    {
        lock (_treeGate)
        {
            var checkpoint = Checkpoint;
            if (index >= 0 && index < checkpoint.Size)
                return Task.FromResult(checkpoint);
            if (index < 0 || index >= _durable)
                throw new ArgumentOutOfRangeException(nameof(index), index, $"The log has {Math.Max(checkpoint.Size, _durable)} entries.");
            var waiting = new TaskCompletionSource<Checkpoint>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((index, waiting));
            _hurry.TrySetResult();
            StartRendering();
            return waiting.Task.WaitAsync(cancel);
        }
    }

    /// <summary>Waits until everything appended stands in the tree, and the checkpoint that says so is in place.</summary>
    /// <inheritdoc cref="IntegratedAsync" path="/exception"/>
    public async Task<Checkpoint> FlushAsync(CancellationToken cancel = default)
    {
        if (_store is not null && _signer is not null)
        {
            var count = await _store.CountAsync(cancel).ConfigureAwait(false);
            lock (_treeGate)
                _durable = Math.Max(_durable, count);
        }

        var durable = Volatile.Read(ref _durable);
        return durable > Size ? await IntegratedAsync(durable - 1, cancel).ConfigureAwait(false) : Checkpoint;
    }

    /// <summary>Lets the tree catch up, settles it on the disk and closes the store.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_store is null || Interlocked.Exchange(ref _disposed, true))
            return;
        try
        {
            if (_signer is not null)
                await FlushAsync().ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // Entries are durable; the next writer takes them into the tree.
        }

        await _store.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Notes a batch that the store made durable.</summary>
    private void Durable(long first, ReadOnlyMemory<byte>[] entries, Digest[] leaves)
    {
        lock (_treeGate)
        {
            _durable = Math.Max(_durable, first + entries.Length);
            if (_recentBytes < RecentBytes)
            {
                var bytes = entries.Sum(entry => (long)entry.Length);
                _recent.Enqueue(new DurableBatch(first, entries, leaves, bytes));
                _recentBytes += bytes;
            }

            if (_recentBytes >= RecentBytes / 2)
                _hurry.TrySetResult();
            StartRendering();
        }
    }

    /// <summary>
    /// Before entries are promised: the log must be the one that was seen, of one piece, and the tree able to follow. One that lags or failed is asked once
    /// more, and its failure is the append's.
    /// </summary>
    private async Task RequireTreeAsync()
    {
        RequireNotClosed();
        if (_state is null && !_recovered)
        {
            using var held = await FileLock.AcquireAsync(_files!.RenderLockPath).ConfigureAwait(false);
            await CurrentStateAsync().ConfigureAwait(false);
        }
        else
        {
            Refresh();
        }

        var (durable, size) = (Volatile.Read(ref _durable), Size);
        if (durable > size && (Volatile.Read(ref _treeFault) is not null || durable - size > MaximumLag))
            await IntegratedAsync(Volatile.Read(ref _treeFault) is null ? durable - MaximumLag : durable - 1).ConfigureAwait(false);
    }

    private void StartRendering()
    {
        if (_rendering)
            return;
        _rendering = true;
        _ = Task.Run(RenderAllAsync, CancellationToken.None);
    }

    private async Task RenderAllAsync()
    {
        while (true)
        {
            if (Rest() is not { } hurry)
                return;

            await Task.WhenAny(hurry, Task.Delay(Leisure)).ConfigureAwait(false);
            Exception? fault = null;
            try
            {
                await RenderAsync().ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                fault = failure;
            }

            if (!Rendered(fault))
                return;
        }
    }

    /// <summary>Ends the rendering when the tree has everything, whoever took it in; else what hurries it.</summary>
    private Task? Rest()
    {
        (long Index, TaskCompletionSource<Checkpoint> Done)[] answered;
        Checkpoint checkpoint;
        lock (_treeGate)
        {
            checkpoint = Checkpoint;
            if (_durable > checkpoint.Size)
                return _hurry.Task;
            _rendering = false;
            answered = [.. _waiting];
            _waiting.Clear();
            if (_hurry.Task.IsCompleted)
                _hurry = NewSignal();
        }

        foreach (var (_, done) in answered)
            done.TrySetResult(checkpoint);
        return null;
    }

    /// <summary>Answers who waited; false when the tree could not follow and the renderer rests until it is asked again.</summary>
    private bool Rendered(Exception? fault)
    {
        List<(long Index, TaskCompletionSource<Checkpoint> Done)> answered;
        Checkpoint checkpoint;
        lock (_treeGate)
        {
            checkpoint = Checkpoint;
            Volatile.Write(ref _treeFault, fault);
            answered = [.. _waiting.Where(one => fault is not null || one.Index < checkpoint.Size)];
            _waiting.RemoveAll(answered.Contains);
            if (_hurry.Task.IsCompleted && _waiting.Count == 0)
                _hurry = NewSignal();
            if (fault is not null)
            {
                _state = null;   // memory may be ahead of the disk: the next time reads the disk again
                _recent.Clear();
                _recentBytes = 0;
                _rendering = false;
            }
        }

        foreach (var (index, done) in answered)
        {
            if (index < checkpoint.Size)
                done.TrySetResult(checkpoint);
            else
                done.TrySetException(fault!);
        }

        return fault is null;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record DurableBatch(long First, ReadOnlyMemory<byte>[] Entries, Digest[] Leaves, long Bytes);
}
