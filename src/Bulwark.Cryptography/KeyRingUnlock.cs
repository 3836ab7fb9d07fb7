using System.Security.Cryptography;
using System.Text;

namespace Bulwark.Cryptography;

/// <summary>What opens a key ring: a passphrase, or a key file beside it.</summary>
public sealed class KeyRingUnlock
{
    /// <summary>PBKDF2-HMAC-SHA-256 rounds of new key rings, and the fewest that an existing one may state (OWASP Password Storage Cheat Sheet).</summary>
    public const int Iterations = 600_000;

    private const int MaximumIterations = 20_000_000;   // a hostile file must not buy hours of work
    private readonly string _secret;

    private KeyRingUnlock(KeyRingUnlockKind kind, string secret) => (Kind, _secret) = (kind, secret);

    internal KeyRingUnlockKind Kind { get; }

    /// <summary>A passphrase that a person or a secret store keeps.</summary>
    /// <exception cref="ArgumentException">It is empty.</exception>
    public static KeyRingUnlock Passphrase(string passphrase) => string.IsNullOrEmpty(passphrase)
        ? throw new ArgumentException("A passphrase must not be empty.", nameof(passphrase))
        : new KeyRingUnlock(KeyRingUnlockKind.Passphrase, passphrase);

    /// <summary>A file of 32 random bytes that only its owner may read. For development: whoever copies both files has the keys.</summary>
    /// <param name="path">Made by <see cref="KeyRing.Create"/> when absent.</param>
    public static KeyRingUnlock KeyFile(string path) => new(KeyRingUnlockKind.KeyFile, Path.GetFullPath(path));

    /// <summary>Never the secret.</summary>
    public override string ToString() => Kind == KeyRingUnlockKind.KeyFile ? $"key file {_secret}" : "passphrase";

    /// <summary>The 32-byte key that seals the ring's body.</summary>
    internal SecretBytes Key(ReadOnlySpan<byte> salt, int iterations)
    {
        if (Kind == KeyRingUnlockKind.KeyFile)
            return ReadKeyFile();
        if (iterations is < Iterations or > MaximumIterations)
            throw new CryptographicException($"The key ring states {iterations} PBKDF2 rounds; {Iterations} to {MaximumIterations} are accepted.");
        var passphrase = _secret;
        return SecretBytes.Create(32, salt, (source, target) => Rfc2898DeriveBytes.Pbkdf2(passphrase, source, target, iterations, HashAlgorithmName.SHA256));
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
