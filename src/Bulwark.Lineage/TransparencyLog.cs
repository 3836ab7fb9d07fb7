using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>An append-only list of entries in a folder, whose every state is one signed root: nothing in it can change unseen.</summary>
/// <remarks>
/// Files: C2SP tlog-tiles v0.1.0 with a tlog-checkpoint v1.0.0; any static server can publish the folder. docs/formats/log.md says more.
/// Thread-safe. Many processes may append: each batch holds the folder's lock. An append returns when it is durable: entries and tiles are
/// flushed to the disk before the checkpoint that names them is renamed into place, so a crash at any instruction leaves the old state or the new.
/// A disk that refuses makes the append throw; nothing is dropped silently.
/// </remarks>
public sealed partial class TransparencyLog
{
    private readonly TileStore _store;
    private readonly Signer? _signer;
    private readonly Lock _gate = new();
    private Checkpoint _checkpoint;
    private LogState? _state;

    private TransparencyLog(TileStore store, Signer? signer, VerificationKey key, Checkpoint checkpoint) =>
        (_store, _signer, Key, _checkpoint) = (store, signer, key, checkpoint);

    /// <summary>Longest entry, in bytes.</summary>
    public const int MaximumEntryBytes = TileLayout.MaximumEntry;

    /// <summary>The key that the log's checkpoints are checked with.</summary>
    public VerificationKey Key { get; }

    /// <summary>The key with the log's name, as other tools take it.</summary>
    public NoteKey NoteKey => new(Checkpoint.Origin, Key);

    /// <summary>The latest checkpoint that this object has seen or made.</summary>
    public Checkpoint Checkpoint
    {
        get
        {
            lock (_gate)
                return _checkpoint;
        }
    }

    /// <summary>Entries under <see cref="Checkpoint"/>.</summary>
    public long Size => Checkpoint.Size;

    /// <summary>Makes an empty log.</summary>
    /// <param name="directory">Made when absent; must not hold a log.</param>
    /// <param name="origin">The log's unique name: no space, no '+'; a domain and path by custom.</param>
    /// <param name="signer">Signs its checkpoints; stays the caller's.</param>
    /// <param name="cancel">Ends the wait for the folder's lock.</param>
    /// <exception cref="IOException">The folder holds a log already, or the disk refused.</exception>
    public static async Task<TransparencyLog> CreateAsync(string directory, string origin, Signer signer, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(signer);
        var key = new NoteKey(origin, signer.PublicKey);
        var store = new TileStore(directory);
        Directory.CreateDirectory(store.Directory);
        using var held = await FileLock.AcquireAsync(store.LockPath, cancel: cancel).ConfigureAwait(false);
        if (File.Exists(store.CheckpointPath))
            throw new IOException($"{store.Directory} holds a log already: open it.");
        var checkpoint = new Checkpoint(origin, 0, MerkleTree.EmptyRoot).Signed(signer);
        AtomicFile.Write(store.KeyPath, System.Text.Encoding.UTF8.GetBytes(key + "\n"));
        AtomicFile.Write(store.CheckpointPath, System.Text.Encoding.UTF8.GetBytes(checkpoint.Note!.Note));
        return new TransparencyLog(store, signer, signer.PublicKey, checkpoint);
    }

    /// <summary>Opens a log: with a signer to append, without one to read, prove and verify.</summary>
    /// <param name="directory">The log's folder.</param>
    /// <param name="signer">Must be the key that signed the log so far; stays the caller's.</param>
    /// <param name="trustedKey">The key to believe; null is the signer's, else the one in the log's own folder, which proves only that the log is of one piece.</param>
    /// <exception cref="FileNotFoundException">There is no log.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is malformed or not signed by that key.</exception>
    public static Task<TransparencyLog> OpenAsync(string directory, Signer? signer = null, VerificationKey? trustedKey = null)
    {
        var store = new TileStore(directory);
        if (!File.Exists(store.CheckpointPath))
            throw new FileNotFoundException($"There is no log in {store.Directory}.", store.CheckpointPath);
        var key = trustedKey ?? signer?.PublicKey ?? ReadOwnKey(store).Key;
        if (signer is not null && !signer.PublicKey.Equals(key))
            throw new ArgumentException("The signer is not the key that this log is trusted by.", nameof(signer));
        return Task.FromResult(new TransparencyLog(store, signer, key, ReadCheckpoint(store, key)));
    }

    /// <summary>True when the folder looks like a log.</summary>
    public static bool IsMatch(string directory) => File.Exists(Path.Combine(directory, "checkpoint")) && !File.Exists(Path.Combine(directory, "HEAD"));

    /// <summary>Takes over what other processes appended.</summary>
    /// <returns>The newest checkpoint.</returns>
    /// <exception cref="InvalidDataException">The log was rolled back, forked or damaged since.</exception>
    public Checkpoint Refresh()
    {
        lock (_gate)
        {
            var newest = ReadCheckpoint(_store, Key);
            if (newest.Size != _checkpoint.Size || newest.Root != _checkpoint.Root)
            {
                RequireGrowth(_checkpoint, newest);
                _checkpoint = newest;
                _state = null;
            }

            return _checkpoint;
        }
    }

    /// <summary>The bytes of one entry.</summary>
    /// <param name="index">From 0 to below <see cref="Size"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    /// <exception cref="InvalidDataException">The entry's file is missing, or its bytes do not give the tree's hash.</exception>
    public ReadOnlyMemory<byte> ReadEntry(long index)
    {
        var size = RequireIndex(index);
        var bundle = index / TileLayout.Width;
        var width = TileLayout.WidthOf(0, bundle, size);
        var entry = _store.ReadBundle(bundle, width)[(int)(index % TileLayout.Width)];
        if (MerkleTree.LeafHash(entry.Span) != _store.ReadTile(0, bundle, width)[(int)(index % TileLayout.Width)])
            throw new InvalidDataException($"Entry {index} was changed: it does not give the tree's hash.");
        return entry;
    }

    /// <summary>Entries in their order, each checked against the tree; reads a bundle of 256 at a time.</summary>
    /// <param name="first">The first one's place, from 0.</param>
    /// <param name="count">How many, at most; fewer when the log ends before.</param>
    /// <exception cref="InvalidDataException">A file is missing, or an entry's bytes do not give the tree's hash.</exception>
    public IEnumerable<(long Index, ReadOnlyMemory<byte> Entry)> ReadEntries(long first = 0, long count = long.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var size = Size;
        var end = count < size - Math.Min(first, size) ? first + count : size;
        for (var bundle = first / TileLayout.Width; bundle * TileLayout.Width < end; bundle++)
        {
            var width = TileLayout.WidthOf(0, bundle, size);
            var (entries, hashes) = (_store.ReadBundle(bundle, width), _store.ReadTile(0, bundle, width));
            for (var i = 0; i < width; i++)
            {
                var index = bundle * TileLayout.Width + i;
                if (index < first || index >= end)
                    continue;
                if (MerkleTree.LeafHash(entries[i].Span) != hashes[i])
                    throw new InvalidDataException($"Entry {index} was changed: it does not give the tree's hash.");
                yield return (index, entries[i]);
            }
        }
    }

    /// <summary>The hashes that lead from an entry to the current root.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    public InclusionProof ProveInclusion(long index) => ProveInclusion(index, Size);

    /// <summary>The hashes that lead from an entry to the root at <paramref name="size"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry or size.</exception>
    public InclusionProof ProveInclusion(long index, long size)
    {
        RequireSize(size);
        if (index < 0 || index >= size)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The tree has {size} entries.");
        return new InclusionProof(index, size, Prover(Size).Inclusion(index, size));
    }

    /// <summary>The hashes that show that the tree at <paramref name="newSize"/> begins with the tree at <paramref name="oldSize"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of range.</exception>
    public ConsistencyProof ProveConsistency(long oldSize, long newSize)
    {
        RequireSize(newSize);
        if (oldSize < 1 || oldSize > newSize)
            throw new ArgumentOutOfRangeException(nameof(oldSize), oldSize, $"Consistency is proved from 1 to {newSize} entries.");
        return new ConsistencyProof(oldSize, newSize, Prover(Size).Consistency(oldSize, newSize));
    }

    /// <summary>The root that the log had at an earlier size.</summary>
    public Digest RootAt(long size)
    {
        RequireSize(size);
        return Prover(Size).Root(0, size);
    }

    /// <summary>An offline proof of one entry under the current checkpoint.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    public TlogProof ProofFor(long index)
    {
        var checkpoint = Checkpoint;
        if (index < 0 || index >= checkpoint.Size)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The log has {checkpoint.Size} entries.");
        return new TlogProof(index, Prover(checkpoint.Size).Inclusion(index, checkpoint.Size), checkpoint);
    }

    private static NoteKey ReadOwnKey(TileStore store) => File.Exists(store.KeyPath)
        ? NoteKey.Parse(File.ReadAllText(store.KeyPath).Trim())
        : throw new FileNotFoundException($"The log in {store.Directory} has no log.vkey: say which key it is to be checked with.", store.KeyPath);

    private static Checkpoint ReadCheckpoint(TileStore store, VerificationKey key)
    {
        Checkpoint checkpoint;
        try
        {
            checkpoint = Checkpoint.Parse(File.ReadAllBytes(store.CheckpointPath));
        }
        catch (FormatException failure)
        {
            throw new InvalidDataException($"{store.CheckpointPath} is no checkpoint: {failure.Message}", failure);
        }

        return checkpoint.IsSignedBy(key)
            ? checkpoint
            : throw new InvalidDataException($"{store.CheckpointPath} is not signed by {new NoteKey(checkpoint.Origin, key)}.");
    }

    /// <summary>The newest tree must still contain the older one: its files must give the older root.</summary>
    private void RequireGrowth(Checkpoint older, Checkpoint newer)
    {
        if (newer.Origin != older.Origin || newer.Size < older.Size || Prover(newer.Size).Root(0, older.Size) != older.Root)
            throw new InvalidDataException($"The log no longer begins with the {older.Size} entries seen before: it was rolled back, forked or replaced.");
    }

    private MerkleProver Prover(long size)
    {
        var cache = new Dictionary<(int, long), Digest[]>();
        return new MerkleProver((level, index) => LogState.Node(_store, size, level, index, cache));
    }

    private long RequireIndex(long index)
    {
        var size = Size;
        return index >= 0 && index < size ? size : throw new ArgumentOutOfRangeException(nameof(index), index, $"The log has {size} entries.");
    }

    private void RequireSize(long size)
    {
        if (size < 0 || size > Size)
            throw new ArgumentOutOfRangeException(nameof(size), size, $"The log has {Size} entries.");
    }
}
