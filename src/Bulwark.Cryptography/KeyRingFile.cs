using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Bulwark.Cryptography;

/// <summary>The key ring on disk: a readable header, and the keys sealed with AES-256-GCM under the unlocking key.</summary>
/// <remarks>The header is associated data, so that no field of it can be changed; the nonce is fresh at each save.</remarks>
internal sealed record KeyRingFile(string Format, string Unlock, int Iterations, byte[] Salt, byte[] Nonce, byte[] Body)
{
    internal const string FormatName = "bulwark-keyring/v1";
    private const string Refusal = "The key ring cannot be opened: wrong passphrase or key file, or the file was changed.";
    private const int NonceSize = 12, TagSize = 16;

    /// <summary>A new, empty header; the body comes with <see cref="Sealed"/>.</summary>
    internal static KeyRingFile New(KeyRingUnlock unlock) => new(
        FormatName, UnlockName(unlock), unlock.Kind == KeyRingUnlockKind.Passphrase ? KeyRingUnlock.Iterations : 0, RandomNumberGenerator.GetBytes(32), [], []);

    internal static KeyRingFile Read(string path)
    {
        try
        {
            var file = JsonSerializer.Deserialize<KeyRingFile>(File.ReadAllBytes(path), CanonicalJson.Options);
            if (file is not { Format: FormatName, Salt.Length: 32, Nonce.Length: NonceSize, Body.Length: >= TagSize, Unlock: not null })
                throw new InvalidDataException($"{path} is no key ring of the format {FormatName}.");
            return file;
        }
        catch (JsonException failure)
        {
            throw new InvalidDataException($"{path} is no key ring: {failure.Message}", failure);
        }
    }

    internal SecretBytes Unlocked(KeyRingUnlock unlock) => Unlock == UnlockName(unlock)
        ? unlock.Key(Salt, Iterations)
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

    private byte[] AssociatedData() => Encoding.UTF8.GetBytes($"{Format}\n{Unlock}\n{Iterations}\n{Convert.ToBase64String(Salt)}\n");

    private static string UnlockName(KeyRingUnlock unlock) => unlock.Kind == KeyRingUnlockKind.Passphrase ? "passphrase" : "key-file";
}

/// <summary>One key version inside the sealed body.</summary>
internal sealed record KeyEntry(KeyId Id, KeyKind Kind, KeyState State, DateTimeOffset Created, byte[] Secret, string? PublicKey)
{
    internal KeyInfo Info => new(Id, Kind, State, Created, PublicKey);
}
