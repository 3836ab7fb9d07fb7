using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>Named, versioned keys in one file, sealed by a passphrase or a key file. The root of every other key.</summary>
/// <remarks>
/// Thread-safe, and safe among processes: a change takes the ring's lock, reads what others wrote, and replaces the file at once.
/// A key never leaves the ring: it derives (HKDF-SHA-256, RFC 5869), wraps (AES-256-GCM) and signs (Ed25519), each use under its own label.
/// </remarks>
public sealed partial class KeyRing : IDisposable
{
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly TimeProvider _time;
    private KeyRingUnlock _unlock;
    private SecretBytes _unlocked;
    private KeyRingFile _file;
    private byte[] _bytes = [];
    private List<KeyEntry> _keys;

    private KeyRing(string path, KeyRingUnlock unlock, SecretBytes unlocked, KeyRingFile file, IEnumerable<KeyEntry> keys, TimeProvider? time) =>
        (_path, _unlock, _unlocked, _file, _keys, _time) = (path, unlock, unlocked, file, [.. keys], time ?? TimeProvider.System);

    /// <summary>Makes an empty ring.</summary>
    /// <param name="path">Where; must not exist. Its folder must.</param>
    /// <param name="unlock">What will open it.</param>
    /// <param name="time">The clock that dates keys; null is the system's.</param>
    /// <exception cref="IOException">A file is already there.</exception>
    public static KeyRing Create(string path, KeyRingUnlock unlock, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(unlock);
        using var locked = FileLock.Acquire(LockPath(path));
        if (File.Exists(path))
            throw new IOException($"{path} exists already: open it, or choose another path.");
        unlock.Prepare();
        var file = KeyRingFile.New(unlock);
        var key = file.Unlocked(unlock);
        file = file.Sealed(key, []);
        file.Write(path);
        return new KeyRing(path, unlock, key, file, [], time);
    }

    /// <summary>Opens a ring; one whose passphrase function is weaker than what is asked of new ones is sealed anew by a stronger one.</summary>
    /// <exception cref="FileNotFoundException">The ring or its key file is missing.</exception>
    /// <exception cref="CryptographicException">Wrong passphrase or key file, or the ring was changed.</exception>
    /// <exception cref="InvalidDataException">The file is no ring, or no longer one.</exception>
    public static KeyRing Open(string path, KeyRingUnlock unlock, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(unlock);
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no key ring at {path}.", path);
        var file = KeyRingFile.Read(path);
        var key = file.Unlocked(unlock);
        try
        {
            var ring = new KeyRing(path, unlock, key, file, file.Keys(key), time);
            ring.RaiseUnlocking();
            return ring;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Every version of every key, by name and version.</summary>
    public IReadOnlyList<KeyInfo> List()
    {
        lock (_gate)
        {
            Refresh();
            return [.. _keys.Select(key => key.Info).OrderBy(key => key.Id.Name, StringComparer.Ordinal).ThenBy(key => key.Id.Version)];
        }
    }

    /// <summary>Makes the next version of a symmetric key; older versions open what they protected.</summary>
    /// <param name="name">See <see cref="KeyId"/>.</param>
    /// <param name="notes">What is kept beside it; null is what its last version had.</param>
    public KeyId CreateSymmetric(string name, KeyNotes? notes = null) => Change(() => Add(name, KeyKind.Symmetric, notes));

    /// <summary>Makes the next version of an Ed25519 signing key.</summary>
    /// <inheritdoc cref="CreateSymmetric" path="/param"/>
    public KeyId CreateSigning(string name, KeyNotes? notes = null) => Change(() => Add(name, KeyKind.Signing, notes));

    /// <summary>The newest enabled version, made when there is none.</summary>
    public KeyId GetOrCreateSymmetric(string name) => Newest(name, KeyKind.Symmetric)?.Id ?? Change(() => (NewestLoaded(name, KeyKind.Symmetric) is { } raced) ? raced.Id : Add(name, KeyKind.Symmetric));

    /// <summary>The newest enabled version, made when there is none.</summary>
    public KeyId GetOrCreateSigning(string name) => Newest(name, KeyKind.Signing)?.Id ?? Change(() => (NewestLoaded(name, KeyKind.Signing) is { } raced) ? raced.Id : Add(name, KeyKind.Signing));

    /// <summary>From now on the version only opens and verifies.</summary>
    /// <exception cref="InvalidOperationException">The ring has no such version, or its secret is gone.</exception>
    public void Retire(KeyId id) => SetState(id, KeyState.DecryptOnly);

    /// <summary>Erases the version's secret from the ring: nothing opens by it any more. Copies of the ring's file from before still hold it, and open by the same passphrase or key file.</summary>
    /// <exception cref="InvalidOperationException">The ring has no such version.</exception>
    public void Destroy(KeyId id) => SetState(id, KeyState.Destroyed);

    /// <summary>Wipes the unlocking key and every secret in memory.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            Wipe(_keys);
            _keys = [];
            _unlocked.Dispose();
        }
    }

    private void SetState(KeyId id, KeyState state) => Change(() =>
    {
        var index = _keys.FindIndex(key => key.Id == id);
        if (index < 0)
            throw new InvalidOperationException($"The key ring has no key {id}.");
        var old = _keys[index];
        if (old.State == KeyState.Destroyed && state != KeyState.Destroyed)
            throw new InvalidOperationException($"The key {id} is destroyed: its secret is gone.");
        _keys[index] = old with { State = state, Secret = state == KeyState.Destroyed ? [] : old.Secret, Ended = old.State == state ? old.Ended : _time.GetUtcNow() };
        if (state == KeyState.Destroyed)
            CryptographicOperations.ZeroMemory(old.Secret);
        return id;
    });

    private KeyId Add(string name, KeyKind kind, KeyNotes? notes = null, byte[]? imported = null)
    {
        var last = _keys.FindLast(key => key.Id.Name == name);
        if (last is not null && last.Kind != kind)
            throw new InvalidOperationException($"The key {name} is a {last.Kind} key; a {kind} key needs another name.");
        var id = new KeyId(name, _keys.Where(key => key.Id.Name == name).Select(key => key.Id.Version).DefaultIfEmpty().Max() + 1);
        var secret = imported ?? RandomNumberGenerator.GetBytes(32);
        string? publicKey = null;
        if (kind == KeyKind.Signing)
        {
            using var signer = Signer.FromSeed(secret);
            publicKey = signer.PublicKey.ToString();
        }

        _keys.Add(new KeyEntry(id, kind, KeyState.Enabled, _time.GetUtcNow(), secret, publicKey, notes?.Purpose ?? last?.Purpose, notes?.UseDays ?? last?.UseDays, imported is not null));
        return id;
    }

    private KeyId Change(Func<KeyId> change)
    {
        lock (_gate)
        {
            using var locked = FileLock.Acquire(LockPath(_path));
            Refresh();
            var id = change();
            var file = _file.Sealed(_unlocked, _keys);
            try
            {
                file.Write(_path);
            }
            catch
            {
                (_file, _bytes) = (_file with { Nonce = [] }, []);   // memory is ahead of the disk: read the disk again before the next use
                throw;
            }

            _file = file;
            return id;
        }
    }

    /// <summary>Takes over what another process wrote. The nonce is fresh at each save, so it tells versions apart.</summary>
    private void Refresh()
    {
        ObjectDisposedException.ThrowIf(_unlocked.IsDisposed, this);
        var bytes = File.ReadAllBytes(_path);
        if (bytes.AsSpan().SequenceEqual(_bytes))
            return;
        var file = KeyRingFile.Parse(_path, bytes);
        if (file.IsUnlockedOtherwise(_file))
            Unlock(file.Unlocked(_unlock));
        if (!file.Nonce.AsSpan().SequenceEqual(_file.Nonce) || !file.Body.AsSpan().SequenceEqual(_file.Body))
        {
            var keys = file.Keys(_unlocked).ToList();
            Wipe(_keys);
            _keys = keys;
        }

        (_file, _bytes) = (file, bytes);
    }

    private KeyEntry? Newest(string name, KeyKind kind)
    {
        lock (_gate)
        {
            Refresh();   // another process may have retired or destroyed it
            return NewestLoaded(name, kind);
        }
    }

    private KeyEntry? NewestLoaded(string name, KeyKind kind) =>
        _keys.Where(key => key.Id.Name == name && key.Kind == kind && key.State == KeyState.Enabled).MaxBy(key => key.Id.Version);

    private KeyEntry Required(string name, KeyKind kind) => Newest(name, kind)
        ?? throw new InvalidOperationException($"The key ring has no enabled {kind.ToString().ToLowerInvariant()} key '{name}'; it has: {Names()}.");

    private KeyEntry Required(KeyId id, KeyKind kind)
    {
        lock (_gate)
        {
            Refresh();
            return Find(id, kind) ?? throw new InvalidOperationException($"The key ring cannot use {id}: it is absent, destroyed or of another kind; it has: {Names()}.");
        }
    }

    private KeyEntry? Find(KeyId id, KeyKind kind) => _keys.Find(key => key.Id == id && key.Kind == kind && key.State != KeyState.Destroyed);

    private string Names() => _keys.Count == 0 ? "none" : string.Join(", ", _keys.Select(key => key.Id.ToString()).Order(StringComparer.Ordinal));

    private static string LockPath(string path) => path + ".lock";

    private static void Wipe(IEnumerable<KeyEntry> keys)
    {
        foreach (var key in keys)
            CryptographicOperations.ZeroMemory(key.Secret);
    }
}
