using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>An append-only list of entries whose every state is one signed root: nothing in it can change unseen.</summary>
/// <remarks>
/// Files: C2SP tlog-tiles v0.1.0 with a tlog-checkpoint v1.0.0; any static server can publish the folder. docs/formats/log.md says more.
/// Thread-safe. Many processes may append. An append returns when its entry is durable in the log's <see cref="ILogStore"/> and has its place; the tree
/// and the checkpoint follow within a second, at once when someone waits for them. A disk that refuses makes the append throw; nothing is dropped silently.
/// </remarks>
public sealed partial class TransparencyLog : IAsyncDisposable
{
    private readonly ITileSource _tiles;
    private readonly TileStore? _files;
    private readonly ILogStore? _store;
    private readonly Signer? _signer;
    private readonly Lock _gate = new();
    private Checkpoint _checkpoint;

    private TransparencyLog(ITileSource tiles, ILogStore? store, Signer? signer, VerificationKey key, Checkpoint checkpoint)
    {
        (_tiles, _files, _signer, Key, _checkpoint, _durable) = (tiles, tiles as TileStore, signer, key, checkpoint, checkpoint.Size);
        _store = store is null && signer is not null && _files is not null ? new FileLogStore(_files.Directory, checkpoint.Size) : store;
    }

    /// <summary>Longest entry, in bytes.</summary>
    public const int MaximumEntryBytes = TileLayout.MaximumEntry;

    /// <summary>The key that the log's checkpoints are checked with.</summary>
    public VerificationKey Key { get; }

    /// <summary>The key with the log's name, as other tools take it.</summary>
    public NoteKey NoteKey => new(Checkpoint.Origin, Key);

    /// <summary>The latest checkpoint that this object has seen or made; entries that were just appended may be behind it, see <see cref="FlushAsync"/>.</summary>
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
    public static Task<TransparencyLog> CreateAsync(string directory, string origin, Signer signer, CancellationToken cancel = default) =>
        CreateAsync(directory, origin, signer, store: null, cancel);

    /// <summary>As <see cref="CreateAsync(string, string, Signer, CancellationToken)"/>, with a store of its own.</summary>
    /// <param name="directory">Made when absent; must not hold a log.</param>
    /// <param name="origin">The log's unique name: no space, no '+'; a domain and path by custom.</param>
    /// <param name="signer">Signs its checkpoints; stays the caller's.</param>
    /// <param name="store">Where entries become durable, empty so far and from then on the log's; null is a journal in the folder.</param>
    /// <param name="cancel">Ends the wait for the folder's lock.</param>
    /// <exception cref="IOException">The folder or the store holds a log already, or the disk refused.</exception>
    public static async Task<TransparencyLog> CreateAsync(string directory, string origin, Signer signer, ILogStore? store, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(signer);
        var key = new NoteKey(origin, signer.PublicKey);
        var files = new TileStore(directory);
        Directory.CreateDirectory(files.Directory);
        using var held = await FileLock.AcquireAsync(files.RenderLockPath, cancel: cancel).ConfigureAwait(false);
        if (File.Exists(files.CheckpointPath))
            throw new IOException($"{files.Directory} holds a log already: open it.");
        if (store is not null && await store.CountAsync(cancel).ConfigureAwait(false) is > 0 and var there)
            throw new IOException($"{store.Name} holds {there} entries of another log already: give this log a store of its own.");
        var checkpoint = new Checkpoint(origin, 0, MerkleTree.EmptyRoot).Signed(signer);
        AtomicFile.Write(files.KeyPath, System.Text.Encoding.UTF8.GetBytes(key + "\n"));
        if (store is not null)
            AtomicFile.Write(Path.Combine(files.Directory, StoreFile), System.Text.Encoding.UTF8.GetBytes(store.Name + "\n"));
        AtomicFile.Write(files.CheckpointPath, System.Text.Encoding.UTF8.GetBytes(checkpoint.Note!.Note));
        return new TransparencyLog(files, store, signer, signer.PublicKey, checkpoint);
    }

    /// <summary>Opens a log: with a signer to append, without one to read, prove and verify.</summary>
    /// <param name="directory">The log's folder.</param>
    /// <param name="signer">Must be the key that signed the log so far; stays the caller's.</param>
    /// <param name="trustedKey">The key to believe; null is the signer's, else the one in the log's own folder, which proves only that the log is of one piece.</param>
    /// <param name="store">Where the log's entries become durable, from then on the log's; null is the journal in the folder. See <see cref="StoreNameOf"/>.</param>
    /// <exception cref="FileNotFoundException">There is no log.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is malformed or not signed by that key.</exception>
    public static Task<TransparencyLog> OpenAsync(string directory, Signer? signer = null, VerificationKey? trustedKey = null, ILogStore? store = null)
    {
        var files = new TileStore(directory);
        if (!File.Exists(files.CheckpointPath))
            throw new FileNotFoundException($"There is no log in {files.Directory}.", files.CheckpointPath);
        var key = trustedKey ?? signer?.PublicKey ?? ReadOwnKey(files).Key;
        if (signer is not null && !signer.PublicKey.Equals(key))
            throw new ArgumentException("The signer is not the key that this log is trusted by.", nameof(signer));
        if (signer is not null && store is null && StoreNameOf(directory) is { } named)
            throw new ArgumentException($"This log's entries become durable in {named}: open it with that store.", nameof(store));
        return Task.FromResult(new TransparencyLog(files, store, signer, key, ReadCheckpoint(files, key)));
    }

    /// <summary>Opens a log on a web server, to read, prove and verify.</summary>
    /// <param name="prefix">Where its <c>checkpoint</c> and <c>tile</c> are.</param>
    /// <param name="trustedKey">The key to believe.</param>
    /// <param name="http">Reads; stays the caller's.</param>
    /// <exception cref="IOException">It cannot be reached.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is malformed or not signed by that key.</exception>
    public static TransparencyLog OpenRemote(Uri prefix, VerificationKey trustedKey, HttpClient http)
    {
        ArgumentNullException.ThrowIfNull(trustedKey);
        return Over(new HttpTiles(http, prefix), trustedKey);
    }

    /// <summary>A log over files from anywhere, to read, prove and verify.</summary>
    internal static TransparencyLog Over(ITileSource tiles, VerificationKey key) => new(tiles, null, null, key, ReadCheckpoint(tiles, key));

    /// <summary>The <see cref="ILogStore.Name"/> of the store that the log was made with; null for the journal in its own folder.</summary>
    public static string? StoreNameOf(string directory) =>
        Path.Combine(directory, StoreFile) is var file && File.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 0 } name && name != "files" ? name : null;

    private const string StoreFile = "store";

    /// <summary>True when the folder looks like a log.</summary>
    public static bool IsMatch(string directory) => File.Exists(Path.Combine(directory, "checkpoint")) && !File.Exists(Path.Combine(directory, "HEAD"));

    /// <summary>Takes over what other processes appended.</summary>
    /// <returns>The newest checkpoint.</returns>
    /// <exception cref="InvalidDataException">The log was rolled back, forked or damaged since.</exception>
    public Checkpoint Refresh()
    {
        lock (_gate)
        {
            var bytes = _tiles.ReadCheckpoint();
            if (_checkpoint.Note is { } note && bytes.AsSpan().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(note.Note)))
                return _checkpoint;   // most often nothing has moved: then no signature is checked again
            var newest = ReadCheckpoint(bytes, _tiles.Place, Key);
            if (newest.Size != _checkpoint.Size || newest.Root != _checkpoint.Root)
            {
                RequireGrowth(_checkpoint, newest);
                _checkpoint = newest;
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
        var entry = _tiles.ReadBundle(bundle, width)[(int)(index % TileLayout.Width)];
        if (MerkleTree.LeafHash(entry.Span) != _tiles.ReadTile(0, bundle, width)[(int)(index % TileLayout.Width)])
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
            var (entries, hashes) = (_tiles.ReadBundle(bundle, width), _tiles.ReadTile(0, bundle, width));
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

    /// <summary>Entries from the newest back, each checked against the tree; whoever stops early has read no more than a bundle too many.</summary>
    /// <exception cref="InvalidDataException">A file is missing, or an entry's bytes do not give the tree's hash.</exception>
    public IEnumerable<(long Index, ReadOnlyMemory<byte> Entry)> ReadBackwards()
    {
        for (var end = Size; end > 0;)
        {
            var first = (end - 1) / TileLayout.Width * TileLayout.Width;
            foreach (var read in ReadEntries(first, end - first).Reverse())
                yield return read;
            end = first;
        }
    }

    /// <summary>Entries from a place whose root is known up to a checkpoint; the end comes only when they give the root that it signs.</summary>
    /// <exception cref="InvalidDataException">They do not: an entry was changed, dropped or put in, together with its tile or not.</exception>
    internal IEnumerable<(long Index, ReadOnlyMemory<byte> Entry)> ReadProved(long first, Digest root, Checkpoint checkpoint)
    {
        var state = first == 0 ? LogState.Empty() : LogState.Load(_tiles, new Checkpoint(checkpoint.Origin, first, root), withBundle: false);
        for (var bundle = first / TileLayout.Width; bundle * TileLayout.Width < checkpoint.Size; bundle++)
        {
            var entries = _tiles.ReadBundle(bundle, TileLayout.WidthOf(0, bundle, checkpoint.Size));
            for (var i = (int)(state.Size % TileLayout.Width); i < entries.Count; i++)
            {
                yield return (state.Size, entries[i]);
                state.Add(MerkleTree.LeafHash(entries[i].Span), (_, _, _) => { });
            }
        }

        if (state.Root() != checkpoint.Root)
            throw new InvalidDataException($"The log's entries do not give the root that its checkpoint at {checkpoint.Size} signs: run log verify.");
    }

    private static NoteKey ReadOwnKey(TileStore store) => File.Exists(store.KeyPath)
        ? NoteKey.Parse(File.ReadAllText(store.KeyPath).Trim())
        : throw new FileNotFoundException($"The log in {store.Directory} has no log.vkey: say which key it is to be checked with.", store.KeyPath);

    private static Checkpoint ReadCheckpoint(ITileSource tiles, VerificationKey key) => ReadCheckpoint(tiles.ReadCheckpoint(), tiles.Place, key);

    private static Checkpoint ReadCheckpoint(ReadOnlySpan<byte> bytes, string place, VerificationKey key)
    {
        Checkpoint checkpoint;
        try
        {
            checkpoint = Checkpoint.Parse(bytes);
        }
        catch (FormatException failure)
        {
            throw new InvalidDataException($"The checkpoint in {place} is none: {failure.Message}", failure);
        }

        return checkpoint.IsSignedBy(key)
            ? checkpoint
            : throw new InvalidDataException($"The checkpoint in {place} is not signed by {new NoteKey(checkpoint.Origin, key)}.");
    }

    /// <summary>The newest tree must still contain the older one: its files must lead from the older root to the newer.</summary>
    private void RequireGrowth(Checkpoint older, Checkpoint newer)
    {
        if (!Continues(older, newer))
            throw new InvalidDataException($"The log no longer begins with the {older.Size} entries seen before: it was rolled back, forked or replaced.");
    }
}
