using System.Text.Json.Serialization;

namespace Bulwark.Cryptography;

/// <summary>How a passphrase becomes a keyring's key.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PassphraseKdfKind>))]
internal enum PassphraseKdfKind
{
    [JsonStringEnumMemberName("pbkdf2-hmac-sha256")]
    Pbkdf2Sha256,

    [JsonStringEnumMemberName("argon2id")]
    Argon2id,
}

/// <summary>How a keyring's file states its passphrase's way to a key; wider than <see cref="PassphraseDerivation"/>, because rings of before are read and raised.</summary>
/// <param name="Kind">Which function.</param>
/// <param name="Passes">PBKDF2's iterations, or Argon2id's passes over its memory.</param>
/// <param name="MemoryKibibytes">Argon2id's memory; 0 for PBKDF2.</param>
internal sealed record PassphraseKdf(PassphraseKdfKind Kind, int Passes, int MemoryKibibytes = 0)
{
    internal const int SaltSizeInBytes = PassphraseDerivation.SaltSize;

    /// <summary>What new rings may state; null when it is below today's floor.</summary>
    internal PassphraseDerivation? Derivation => Kind == PassphraseKdfKind.Pbkdf2Sha256
        ? PassphraseDerivation.Of(PassphraseDerivation.PbkdfKind, Passes, 0)
        : PassphraseDerivation.Of(PassphraseDerivation.ArgonKind, MemoryKibibytes, Passes);

    [JsonIgnore]
    internal bool IsStrongEnough => Derivation is not null;

    internal static PassphraseKdf Of(PassphraseDerivation derivation) => derivation.Kind == PassphraseDerivation.PbkdfKind
        ? new(PassphraseKdfKind.Pbkdf2Sha256, derivation.Cost)
        : new(PassphraseKdfKind.Argon2id, derivation.Passes, derivation.Cost);

    /// <summary>Every fault; empty when a file may state this: neither worthless nor a way to make its reader work for hours.</summary>
    internal IEnumerable<string> Faults()
    {
        if (!Enum.IsDefined(Kind))
            yield return "The passphrase function is unknown.";
        if (Kind == PassphraseKdfKind.Argon2id)
        {
            if (MemoryKibibytes is < 8 * 1024 or > 1024 * 1024)
                yield return $"Argon2id states {MemoryKibibytes} KiB of memory; 8,192 to 1,048,576 are accepted.";
            if (Passes is < 1 or > 16)
                yield return $"Argon2id states {Passes} passes; 1 to 16 are accepted.";
        }
        else if (Passes is < 10_000 or > 20_000_000 || MemoryKibibytes != 0)
        {
            yield return $"PBKDF2 states {Passes} rounds; 10,000 to 20,000,000 are accepted.";
        }
    }

    internal SecretBytes Derive(SecretBytes passphrase, ReadOnlyMemory<byte> salt) => Kind == PassphraseKdfKind.Pbkdf2Sha256
        ? PassphraseDerivation.Pbkdf2(passphrase, salt, Passes)
        : PassphraseDerivation.Argon2(passphrase, salt, MemoryKibibytes, Passes);
}
