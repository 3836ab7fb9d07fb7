using System.Security.Cryptography;
using NSec.Cryptography;

namespace Bulwark.Cryptography;

/// <summary>How a passphrase becomes a 32-byte key, with its cost. The same bounds hold for what is written and for what is read.</summary>
/// <remarks>PBKDF2-HMAC-SHA-256 (RFC 8018) is the base library's; Argon2id (RFC 9106, one lane) is libsodium's.</remarks>
public sealed record PassphraseDerivation
{
    internal const int PbkdfKind = 1, ArgonKind = 2, SaltSize = 16;
    private const int FewestRounds = 600_000, MostRounds = 20_000_000, LeastMemory = 19 * 1024, MostMemory = 1024 * 1024, MostPasses = 16;

    private PassphraseDerivation(int kind, int cost, int passes) => (Kind, Cost, Passes) = (kind, cost, passes);

    /// <summary>Argon2id with 64 MiB and 3 passes (RFC 9106 §4, second choice, with one lane).</summary>
    public static PassphraseDerivation Default { get; } = new(ArgonKind, 64 * 1024, 3);

    internal int Kind { get; }

    /// <summary>PBKDF2: rounds. Argon2id: memory in KiB.</summary>
    internal int Cost { get; }

    /// <summary>Argon2id: passes over the memory; PBKDF2: 0.</summary>
    internal int Passes { get; }

    /// <summary>The cost, 1 being about that of <see cref="Default"/> or of 600,000 rounds: what a file may make its reader work for is bounded by it.</summary>
    internal double Work => Kind == PbkdfKind ? (double)Cost / FewestRounds : (double)Cost * Passes / (Default.Cost * Default.Passes);

    /// <summary>PBKDF2-HMAC-SHA-256, for where only approved algorithms may run.</summary>
    /// <param name="rounds">600,000 (OWASP Password Storage Cheat Sheet) to 20,000,000.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is outside of that range.</exception>
    public static PassphraseDerivation Pbkdf2Sha256(int rounds = FewestRounds) => Of(PbkdfKind, rounds, 0)
        ?? throw new ArgumentOutOfRangeException(nameof(rounds), rounds, $"PBKDF2 takes {FewestRounds} to {MostRounds} rounds.");

    /// <summary>Argon2id with one lane.</summary>
    /// <param name="memoryKiB">19,456 (OWASP) to 1,048,576.</param>
    /// <param name="passes">2 to 16.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are outside of that range.</exception>
    public static PassphraseDerivation Argon2id(int memoryKiB, int passes) => Of(ArgonKind, memoryKiB, passes)
        ?? throw new ArgumentOutOfRangeException(nameof(memoryKiB), $"Argon2id takes {LeastMemory} to {MostMemory} KiB and 2 to {MostPasses} passes.");

    /// <inheritdoc/>
    public override string ToString() => Kind == PbkdfKind ? $"PBKDF2-HMAC-SHA-256, {Cost} rounds" : $"Argon2id, {Cost / 1024} MiB, {Passes} passes";

    /// <summary>Null when the numbers are out of bounds: a hostile file must buy neither a weak key nor hours of work.</summary>
    internal static PassphraseDerivation? Of(int kind, int cost, int passes) => kind switch
    {
        PbkdfKind when cost is >= FewestRounds and <= MostRounds && passes == 0 => new(kind, cost, passes),
        ArgonKind when cost is >= LeastMemory and <= MostMemory && passes is >= 2 and <= MostPasses => new(kind, cost, passes),
        _ => null,
    };

    internal SecretBytes Key(SecretBytes passphrase, ReadOnlyMemory<byte> salt) => Kind == PbkdfKind ? Pbkdf2(passphrase, salt, Cost) : Argon2(passphrase, salt, Cost, Passes);

    internal static SecretBytes Pbkdf2(SecretBytes passphrase, ReadOnlyMemory<byte> salt, int rounds, int length = 32) => SecretBytes.Create(length, salt.Span, (source, target) =>
        Rfc2898DeriveBytes.Pbkdf2(passphrase.Span, source, target, rounds, HashAlgorithmName.SHA256));

    internal static SecretBytes Argon2(SecretBytes passphrase, ReadOnlyMemory<byte> salt, int memoryKiB, int passes, int length = 32) => SecretBytes.Create(length, salt.Span, (source, target) =>
        PasswordBasedKeyDerivationAlgorithm.Argon2id(new Argon2Parameters { DegreeOfParallelism = 1, MemorySize = memoryKiB, NumberOfPasses = passes })
            .DeriveBytes(passphrase.Span, source, target));
}
