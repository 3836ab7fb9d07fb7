using System.Security.Cryptography;
using System.Text.Json.Serialization;
using NSec.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>How a passphrase becomes a key.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PassphraseKdfKind>))]
public enum PassphraseKdfKind
{
    /// <summary>PBKDF2-HMAC-SHA-256 (RFC 8018, NIST SP 800-132): the one that FIPS 140 knows.</summary>
    [JsonStringEnumMemberName("pbkdf2-hmac-sha256")]
    Pbkdf2Sha256,

    /// <summary>PBKDF2-HMAC-SHA-512.</summary>
    [JsonStringEnumMemberName("pbkdf2-hmac-sha512")]
    Pbkdf2Sha512,

    /// <summary>Argon2id version 1.3 with one lane (RFC 9106): costs a guesser memory, too.</summary>
    [JsonStringEnumMemberName("argon2id")]
    Argon2id,
}

/// <summary>A passphrase's way to a key, with its costs.</summary>
/// <param name="Kind">Which function.</param>
/// <param name="Passes">PBKDF2's iterations, or Argon2id's passes over its memory.</param>
/// <param name="MemoryKibibytes">Argon2id's memory; 0 for PBKDF2.</param>
public sealed record PassphraseKdf(PassphraseKdfKind Kind, int Passes, int MemoryKibibytes = 0)
{
    /// <summary>Length of the salts that new keyrings get.</summary>
    public const int SaltSizeInBytes = 16;

    /// <summary>PBKDF2-HMAC-SHA-256 with 600,000 iterations (OWASP Password Storage Cheat Sheet).</summary>
    public static PassphraseKdf Pbkdf2 { get; } = new(PassphraseKdfKind.Pbkdf2Sha256, 600_000);

    /// <summary>Argon2id with 64 MiB and 3 passes (RFC 9106 §4, second recommendation, on one lane).</summary>
    public static PassphraseKdf Argon2id { get; } = new(PassphraseKdfKind.Argon2id, 3, 64 * 1024);

    /// <summary>True when it costs a guesser at least what is asked of new keys at present: PBKDF2 600,000 (SHA-512: 210,000), Argon2id 19 MiB and 2 passes (OWASP).</summary>
    public bool IsStrongEnough => Kind switch
    {
        PassphraseKdfKind.Pbkdf2Sha256 => Passes >= 600_000,
        PassphraseKdfKind.Pbkdf2Sha512 => Passes >= 210_000,
        _ => Passes >= 2 && MemoryKibibytes >= 19 * 1024,
    };

    /// <summary>Every fault; empty when a file may state this: neither worthless nor a way to make its reader work for hours.</summary>
    public IEnumerable<string> Faults()
    {
        if (!Enum.IsDefined(Kind))
            yield return "The passphrase function is unknown.";
        if (Kind == PassphraseKdfKind.Argon2id)
        {
            if (MemoryKibibytes is < 8 * 1024 or > 1024 * 1024)
                yield return $"Argon2id states {MemoryKibibytes} KiB of memory; 8,192 to 1,048,576 are accepted.";
            if (Passes is < 1 or > 64 || (long)Passes * MemoryKibibytes > 8L * 1024 * 1024)
                yield return $"Argon2id states {Passes} passes; 1 to 64, over at most 8 GiB in all, are accepted.";
        }
        else if (Passes is < 10_000 or > 20_000_000 || MemoryKibibytes != 0)
        {
            yield return $"PBKDF2 states {Passes} rounds; 10,000 to 20,000,000 are accepted.";
        }
    }

    /// <summary>The key.</summary>
    /// <param name="passphrase">UTF-8.</param>
    /// <param name="salt">For Argon2id exactly 16 bytes.</param>
    /// <param name="length">Bytes of the key, 1 to 1024.</param>
    /// <exception cref="ArgumentException">The parameters have a fault, or the salt another length.</exception>
    public SecretBytes Derive(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, int length)
    {
        if (Faults().FirstOrDefault() is { } fault)
            throw new ArgumentException(fault);
        return Compute(passphrase, salt, length);
    }

    /// <summary>As <see cref="Derive"/>, with whatever costs: for published vectors.</summary>
    internal SecretBytes Compute(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt, int length)
    {
        using var secret = SecretBytes.CopyOf(passphrase);
        if (Kind != PassphraseKdfKind.Argon2id)
            return SecretBytes.Create(length, salt, (source, target) => Rfc2898DeriveBytes.Pbkdf2(
                secret.Span, source, target, Passes, Kind == PassphraseKdfKind.Pbkdf2Sha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256));
        if (salt.Length != SaltSizeInBytes)
            throw new ArgumentException($"Argon2id takes a salt of {SaltSizeInBytes} bytes, not {salt.Length}.", nameof(salt));
        var argon = new NSec.Cryptography.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = MemoryKibibytes, NumberOfPasses = Passes });
        return SecretBytes.Create(length, salt, (source, target) => argon.DeriveBytes(secret.Span, source, target));
    }
}
