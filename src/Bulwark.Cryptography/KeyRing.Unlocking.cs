using System.Security.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>What is kept beside a key.</summary>
/// <param name="Purpose">What it is for; for people and auditors.</param>
/// <param name="UseDays">For how many days it may protect new things; null is <see cref="Cryptoperiod"/>'s recommendation.</param>
public sealed record KeyNotes(string? Purpose = null, int? UseDays = null);

public sealed partial class KeyRing
{
    /// <summary>What opens the ring, for people: the passphrase's function with its cost, or a key file.</summary>
    public string UnlockedBy
    {
        get
        {
            lock (_gate)
            {
                Refresh();
                return _file.PassphraseKdf is { } kdf ? $"passphrase ({kdf.Derivation?.ToString() ?? "weaker than asked of new keyrings"})" : "key file";
            }
        }
    }

    /// <summary>Takes a key from outside as the next version of a symmetric key. Whoever else has a copy can open what it protects.</summary>
    /// <param name="name">See <see cref="KeyId"/>.</param>
    /// <param name="key">Exactly 32 bytes; the caller wipes its own.</param>
    /// <param name="notes">What is kept beside it.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public KeyId ImportSymmetric(string name, ReadOnlySpan<byte> key, KeyNotes? notes = null) => Import(name, KeyKind.Symmetric, key, notes);

    /// <summary>Takes an Ed25519 seed (RFC 8032 §5.1.5) from outside as the next version of a signing key.</summary>
    /// <inheritdoc cref="ImportSymmetric" path="/param"/>
    /// <exception cref="ArgumentException">The seed has another length.</exception>
    public KeyId ImportSigning(string name, ReadOnlySpan<byte> key, KeyNotes? notes = null) => Import(name, KeyKind.Signing, key, notes);

    /// <summary>Seals the ring anew under another passphrase, function or key file: at once, or not at all.</summary>
    /// <param name="unlock">What opens it from now on. Copies from before still open as they did.</param>
    public void ChangeUnlocking(KeyRingUnlock unlock)
    {
        ArgumentNullException.ThrowIfNull(unlock);
        lock (_gate)
        {
            using var locked = FileLock.Acquire(LockPath(_path));
            Refresh();
            SealAnew(unlock);
        }
    }

    /// <summary>A ring that was made when less was asked is sealed anew; where it may not be written, it opens all the same.</summary>
    private void RaiseUnlocking()
    {
        if (_file.PassphraseKdf is not { IsStrongEnough: false })
            return;
        lock (_gate)
        {
            try
            {
                using var locked = FileLock.Acquire(LockPath(_path));
                Refresh();
                if (_file.PassphraseKdf is { IsStrongEnough: false })
                    SealAnew(_unlock);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // a read-only medium: the next opener that may write raises it
            }
        }
    }

    private void SealAnew(KeyRingUnlock unlock)
    {
        unlock.Prepare();
        var header = KeyRingFile.New(unlock);
        var key = header.Unlocked(unlock);
        try
        {
            var file = header.Sealed(key, _keys);
            file.Write(_path);
            (_file, _bytes, _unlock) = (file, [], unlock);
            Unlock(key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private void Unlock(SecretBytes key)
    {
        _unlocked.Dispose();
        _unlocked = key;
    }

    private KeyId Import(string name, KeyKind kind, ReadOnlySpan<byte> key, KeyNotes? notes)
    {
        if (key.Length != 32)
            throw new ArgumentException($"A {(kind == KeyKind.Symmetric ? "symmetric key" : "signing key's seed")} has 32 bytes, not {key.Length}.", nameof(key));
        var copy = key.ToArray();   // kept by the ring, which wipes it
        if (copy.AsSpan().Count(copy[0]) == copy.Length)
            throw new ArgumentException("All bytes of the key are the same: that is no random key.", nameof(key));
        return Change(() => _keys.Exists(known => known.State != KeyState.Destroyed && CryptographicOperations.FixedTimeEquals(known.Secret, copy))
            ? throw new InvalidOperationException("The ring has this very key already.")
            : Add(name, kind, notes, copy));
    }
}
