using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Bulwark.Cryptography;

/// <summary>The key ring on disk: a readable header, and the keys sealed with AES-256-GCM under the unlocking key.</summary>
/// <remarks>
/// The header is associated data, so that no field of it can be changed; the nonce is fresh at each save. Version 1 knew PBKDF2-HMAC-SHA-256
/// only and stated its <c>iterations</c>; version 2 states a <c>kdf</c>. Both are read; a ring keeps its version until its unlocking changes.
/// </remarks>
internal sealed record KeyRingFile(string Format, string Unlock, int Iterations, PassphraseKdf? Kdf, byte[] Salt, byte[] Nonce, byte[] Body)
{
    internal const string FormatName = "bulwark-keyring/v2";
    private const string FormatName1 = "bulwark-keyring/v1";
    private const string Refusal = "The key ring cannot be opened: wrong passphrase or key file, or the file was changed.";
    private const int NonceSize = 12, TagSize = 16;

    /// <summary>How the passphrase becomes the key, in either version; null for a key file.</summary>
    internal PassphraseKdf? PassphraseKdf => Unlock != "passphrase" ? null : Format == FormatName1 ? new(PassphraseKdfKind.Pbkdf2Sha256, Iterations) : Kdf;

    /// <summary>A new, empty header; the body comes with <see cref="Sealed"/>.</summary>
    internal static KeyRingFile New(KeyRingUnlock unlock) => new(
        FormatName, UnlockName(unlock), 0, unlock.Kdf, RandomNumberGenerator.GetBytes(Bulwark.Cryptography.PassphraseKdf.SaltSizeInBytes), [], []);

    internal static KeyRingFile Read(string path) => Parse(path, File.ReadAllBytes(path));

    internal static KeyRingFile Parse(string path, byte[] bytes)
    {
        try
        {
            var file = JsonSerializer.Deserialize<KeyRingFile>(bytes, CanonicalJson.Options);
            var sound = file is { Nonce.Length: NonceSize, Body.Length: >= TagSize, Unlock: not null } and
                ({ Format: FormatName, Salt.Length: Bulwark.Cryptography.PassphraseKdf.SaltSizeInBytes, Iterations: 0 } or { Format: FormatName1, Salt.Length: 32, Kdf: null });
            return sound ? file! : throw new InvalidDataException($"{path} is no key ring of the format {FormatName}.");
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{path} is no key ring: {failure.Message}", failure);
        }
    }

    internal SecretBytes Unlocked(KeyRingUnlock unlock) => Unlock == UnlockName(unlock)
        ? unlock.Key(Salt, PassphraseKdf)
        : throw new CryptographicException($"The key ring is opened by a {Unlock}, not by a {UnlockName(unlock)}.");

    internal IReadOnlyList<KeyEntry> Keys(SecretBytes key)
    {
        var body = GC.AllocateArray<byte>(Body.Length - TagSize, pinned: true);
        try
        {
            using var aes = new AesGcm(key.Span, TagSize);
            aes.Decrypt(Nonce, Body.AsSpan(0, body.Length), Body.AsSpan(body.Length), body, AssociatedData());
            return JsonSerializer.Deserialize<KeyEntry[]>(body, CanonicalJson.Options) ?? [];
        }
        catch (Exception failure) when (failure is CryptographicException or JsonException)
        {
            throw new CryptographicException(Refusal);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(body);
        }
    }

    internal KeyRingFile Sealed(SecretBytes key, IReadOnlyList<KeyEntry> keys)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(keys, CanonicalJson.Options);
        try
        {
            var sealing = this with { Nonce = RandomNumberGenerator.GetBytes(NonceSize), Body = new byte[plain.Length + TagSize] };
            using var aes = new AesGcm(key.Span, TagSize);
            aes.Encrypt(sealing.Nonce, plain, sealing.Body.AsSpan(0, plain.Length), sealing.Body.AsSpan(plain.Length), sealing.AssociatedData());
            return sealing;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    internal void Write(string path) =>
        AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, CanonicalJson.Options), UnixFileMode.UserRead | UnixFileMode.UserWrite);

    /// <summary>True when the unlocking key is another than that of <paramref name="other"/>.</summary>
    internal bool IsUnlockedOtherwise(KeyRingFile other) => Unlock != other.Unlock || PassphraseKdf != other.PassphraseKdf || !Salt.AsSpan().SequenceEqual(other.Salt);

    private byte[] AssociatedData() => Encoding.UTF8.GetBytes(Format == FormatName1
        ? $"{Format}\n{Unlock}\n{Iterations}\n{Convert.ToBase64String(Salt)}\n"
        : $"{Format}\n{Unlock}\n{Kdf?.Kind}\n{Kdf?.Passes}\n{Kdf?.MemoryKibibytes}\n{Convert.ToBase64String(Salt)}\n");

    private static string UnlockName(KeyRingUnlock unlock) => unlock.Kind == KeyRingUnlockKind.Passphrase ? "passphrase" : "key-file";
}

/// <summary>One key version inside the sealed body. The last four members are absent in rings of before they were kept.</summary>
internal sealed record KeyEntry(
    KeyId Id, KeyKind Kind, KeyState State, DateTimeOffset Created, byte[] Secret, string? PublicKey, string? Purpose = null, int? UseDays = null, bool Imported = false, DateTimeOffset? Ended = null)
{
    internal KeyInfo Info => new(Id, Kind, State, Created, PublicKey) { Purpose = Purpose, UseDays = UseDays, IsImported = Imported, Ended = Ended };
}
