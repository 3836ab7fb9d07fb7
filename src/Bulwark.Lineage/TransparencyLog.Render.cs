using System.Text;
using Bulwark.Cryptography;

namespace Bulwark.Lineage;

public sealed partial class TransparencyLog
{
    private LogState? _state;
    private Checkpoint? _stateCheckpoint;
    private bool _recovered;

    /// <summary>Takes every entry known to be durable into the tree. One renderer at a time, across processes.</summary>
    private async Task RenderAsync()
    {
        RequireNotClosed();
        using var held = await FileLock.AcquireAsync(_files!.RenderLockPath).ConfigureAwait(false);
        var state = await CurrentStateAsync().ConfigureAwait(false);
        for (var target = Volatile.Read(ref _durable); state.Size < target; Publish(state))
        {
            var files = new List<(string Path, byte[] Bytes)>();
            for (var published = state.Size; state.Size < target && state.Size - published < PublishEntries;)
            {
                await TakeAsync(state, target, files).ConfigureAwait(false);
                foreach (var (path, bytes) in files)
                    _files.WriteNew(path, bytes);   // never over another tree's: see there
                _whole.AddRange(files.Select(file => file.Path));
                files.Clear();
            }
        }

        SettleWhenDue();
    }

    private readonly List<string> _whole = [];

    /// <summary>Adds the next entries: from memory when they are there, else from the store.</summary>
    private async Task TakeAsync(LogState state, long target, List<(string Path, byte[] Bytes)> files)
    {
        if (TakeRecent(state.Size) is { } batch)
        {
            for (var i = (int)(state.Size - batch.First); i < batch.Entries.Length; i++)
                state.Add(batch.Entries[i].Span, batch.Leaves[i], files);
            return;
        }

        var entries = await _store!.ReadAsync(state.Size, (int)Math.Min(target - state.Size, BatchEntries)).ConfigureAwait(false);
        if (entries.Count == 0)
            throw new InvalidDataException($"{_store.Name} lacks entry {state.Size}, which it said is durable.");
        foreach (var entry in entries)
            state.Add(entry.Span, MerkleTree.LeafHash(entry.Span), files);
    }

    private DurableBatch? TakeRecent(long place)
    {
        lock (_treeGate)
        {
            while (_recent.TryPeek(out var batch) && batch.First <= place)
            {
                _recent.Dequeue();
                _recentBytes -= batch.Bytes;
                if (batch.First + batch.Entries.Length > place)
                    return batch;
            }

            return null;
        }
    }

    private void Publish(LogState state)
    {
        foreach (var (path, bytes) in state.PartialFiles())
            _files!.WriteNew(path, bytes);
        var checkpoint = new Checkpoint(Checkpoint.Origin, state.Size, state.Root()).Signed(_signer!);
        AtomicFile.Write(_files!.CheckpointPath, Encoding.UTF8.GetBytes(checkpoint.Note!.Note));
        lock (_gate)
            _checkpoint = checkpoint;
        _stateCheckpoint = checkpoint;
        foreach (var path in _whole)
            _files.DeletePartials(path);
        _whole.Clear();
        Published?.Invoke(checkpoint);
    }

    /// <summary>The state on the disk, which another process may have moved. Called under the render lock.</summary>
    private async Task<LogState> CurrentStateAsync()
    {
        var newest = ReadCheckpoint(_tiles, Key);
        if (_state is not null && _stateCheckpoint is { } known && newest.Size == known.Size && newest.Root == known.Root)
            return _state;
        await RecoverAsync(newest).ConfigureAwait(false);   // first: what went down with the machine must not look like a fork
        RequireGrowth(Checkpoint, newest);
        var state = LogState.Load(_files!, newest);
        state.RemoveUnpublished(_files!);
        _whole.Clear();
        lock (_gate)
            _checkpoint = newest;
        (_state, _stateCheckpoint) = (state, newest);
        return state;
    }

    /// <summary>Told of every checkpoint that this object publishes, after it is in place.</summary>
    internal event Action<Checkpoint>? Published;
}
