using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>What opens a key ring: a passphrase, or a key file beside it.</summary>
public sealed class KeyRingUnlock
{
    private readonly string _secret;

    private KeyRingUnlock(KeyRingUnlockKind kind, string secret, PassphraseKdf? kdf) => (Kind, _secret, Kdf) = (kind, secret, kdf);

    internal KeyRingUnlockKind Kind { get; }

    /// <summary>How a new ring turns the passphrase into its key; null for a key file.</summary>
    internal PassphraseKdf? Kdf { get; }

    /// <summary>A passphrase that a person or a secret store keeps.</summary>
    /// <param name="passphrase">Not empty.</param>
    /// <param name="derivation">How a ring that is made by it gets its key; null is PBKDF2-HMAC-SHA-256. A ring that exists says so itself.</param>
    /// <exception cref="ArgumentException">It is empty.</exception>
    public static KeyRingUnlock Passphrase(string passphrase, PassphraseDerivation? derivation = null) => string.IsNullOrEmpty(passphrase)
        ? throw new ArgumentException("A passphrase must not be empty.", nameof(passphrase))
        : new KeyRingUnlock(KeyRingUnlockKind.Passphrase, passphrase, PassphraseKdf.Of(derivation ?? PassphraseDerivation.Pbkdf2Sha256()));

    /// <summary>A file of 32 random bytes that only its owner may read. For development: whoever copies both files has the keys.</summary>
    /// <param name="path">Made by <see cref="KeyRing.Create"/> when absent.</param>
    public static KeyRingUnlock KeyFile(string path) => new(KeyRingUnlockKind.KeyFile, Path.GetFullPath(path), null);

    /// <summary>Never the secret.</summary>
    public override string ToString() => Kind == KeyRingUnlockKind.KeyFile ? $"key file {_secret}" : "passphrase";

    /// <summary>The 32-byte key that seals the ring's body.</summary>
    internal SecretBytes Key(ReadOnlyMemory<byte> salt, PassphraseKdf? kdf)
    {
        if (Kind == KeyRingUnlockKind.KeyFile)
            return ReadKeyFile();
        if (kdf is null)
            throw new CryptographicException("The key ring does not state how its passphrase becomes a key.");
        if (kdf.Faults().FirstOrDefault() is { } fault)
            throw new CryptographicException($"The key ring is refused: {fault}");
        using var passphrase = SealIdentity.Utf8(_secret);
        return kdf.Derive(passphrase, salt);
    }

    /// <summary>Makes the key file where it is absent.</summary>
    internal void Prepare()
    {
        if (Kind != KeyRingUnlockKind.KeyFile || File.Exists(_secret))
            return;
        using var key = SecretBytes.Random(32);
        AtomicFile.Write(_secret, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(key.Span) + "\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private SecretBytes ReadKeyFile()
    {
        if (!File.Exists(_secret))
            throw new FileNotFoundException($"The key ring's key file {_secret} is missing; without it nothing that the ring sealed can be opened.", _secret);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(_secret) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) is var open and not 0)
            throw new UnauthorizedAccessException($"{_secret} is open to others ({open}): chmod 600 it, and replace the keys if anyone may have read them.");
        var text = File.ReadAllText(_secret).Trim();
        if (text.Length != 64 || !text.All(char.IsAsciiHexDigit))
            throw new InvalidDataException($"{_secret} is no key file: expected 64 hex digits.");
        return SecretBytes.Create(32, default, (_, target) => Convert.FromHexString(text).CopyTo(target));
    }
}

internal enum KeyRingUnlockKind
{
    Passphrase,
    KeyFile,
}
