using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>One version of a dataset that holds rows of a subject.</summary>
/// <param name="Dataset">The dataset's name.</param>
/// <param name="Version">Its version; null when its writing was never finished.</param>
/// <param name="Commitment">The commitment to the table before protection; null when its writing was never finished.</param>
/// <param name="File">Digest of the protected file; null when its writing was never finished.</param>
/// <param name="Begun">When its writing began, UTC.</param>
/// <param name="Roots">Every root under which tables of the version are known: before protection, the file's, and those of what was read of it.</param>
public sealed record ReachedVersion(string Dataset, string? Version, Digest? Commitment, Digest? File, DateTimeOffset Begun, IReadOnlyList<Digest> Roots);

/// <summary>A subject's key is gone: what the log is told. Nothing personal is in it, and nothing that the subject's id could be tried against.</summary>
/// <param name="Tombstone">HMAC-SHA-256 of the subject's id under a salt that is kept nowhere.</param>
/// <param name="Erased">When, UTC.</param>
/// <param name="Epoch">The epoch key that the subject's key was wrapped under: copies of it in backups die when this key does.</param>
/// <param name="Reached">The versions of datasets that hold rows of the subject.</param>
public sealed record Erasure(Digest Tombstone, DateTimeOffset Erased, KeyId Epoch, IReadOnlyList<ReachedVersion> Reached)
{
    /// <summary>The subject's proof that the tombstone is theirs: the salt, given out once and kept nowhere; null when it was given out before.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public byte[]? Receipt { get; init; }

    /// <summary>Whether <paramref name="tombstone"/> is the one of this subject and receipt.</summary>
    public static bool Holds(Digest tombstone, string subject, ReadOnlySpan<byte> receipt) => TombstoneOf(subject, receipt) == tombstone;

    internal static Digest TombstoneOf(string subject, ReadOnlySpan<byte> salt) =>
        new(System.Security.Cryptography.HMACSHA256.HashData(salt, System.Text.Encoding.UTF8.GetBytes($"bulwark.dev/tombstone/v1\n{subject}")));
}

/// <summary>What <see cref="SubjectStore.NextEpoch"/> did.</summary>
/// <param name="Ended">The epoch key that was destroyed, and with it every older copy of the store.</param>
/// <param name="Begun">The epoch key that wraps the subjects' keys now.</param>
/// <param name="Subjects">Subjects whose keys were wrapped anew.</param>
public sealed record EpochChange(KeyId Ended, KeyId Begun, long Subjects);
