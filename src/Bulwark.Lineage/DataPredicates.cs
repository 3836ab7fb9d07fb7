using Bulwark.Cryptography;

namespace Bulwark.Lineage;

/// <summary>A data set exists: its subject is the Merkle root over its row groups, from which any one of them can later be shown to be part.</summary>
public sealed record DatasetCommitted : IPredicate<DatasetCommitted>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.DatasetCommitment;

    /// <summary>The setting that says through which protected version the sources were read, or <see cref="ReadPlain"/>.</summary>
    public const string ReadSetting = "read";

    /// <summary>The sources were read in plain, not through a protected version of them.</summary>
    public const string ReadPlain = "plain";

    /// <summary>What made it, for example <c>simulate</c>, <c>features</c> or <c>train</c>.</summary>
    public required string Step { get; init; }

    /// <summary>Rows; null where their number is protected itself.</summary>
    public long? Rows { get; init; }

    /// <summary>Rows of one row group of the tree; null is the standard of the commitment, 4096.</summary>
    public int? RowsPerGroup { get; init; }

    /// <summary>Names of the columns.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>The column to be predicted.</summary>
    public string? Label { get; init; }

    /// <summary>Roots of the data sets that it was made from.</summary>
    public IReadOnlyList<Digest> Sources { get; init; } = [];

    /// <summary>Columns that were read of them.</summary>
    public IReadOnlyList<string> SourceColumns { get; init; } = [];

    /// <summary>Root of the data set that models of this one are tested on.</summary>
    public Digest? TestSet { get; init; }

    /// <summary>Settings of the step by name, for example a seed.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Predicates.Empty(Step, "step"),
        Rows < 0 ? $"'rows' is {Rows}." : null,
        RowsPerGroup < 1 ? $"'rowsPerGroup' is {RowsPerGroup}." : null);
}

/// <summary>What became of one column.</summary>
/// <param name="Name">The column.</param>
/// <param name="Action">What was done, for example <c>encrypt</c>.</param>
/// <param name="Key">The key that opens it; null when there is none.</param>
public sealed record ColumnFact(string Name, string Action, string? Key = null);

/// <summary>A data set was protected: the subjects are its root before and the written file or files.</summary>
public sealed record DataProtected : IPredicate<DataProtected>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.DataProtection;

    /// <summary>The data set's name, a slash and its version.</summary>
    public required string Dataset { get; init; }

    /// <summary>Root of the data set before protection.</summary>
    public required Digest Commitment { get; init; }

    /// <summary>Rows.</summary>
    public required long Rows { get; init; }

    /// <summary>Every column.</summary>
    public required IReadOnlyList<ColumnFact> Columns { get; init; }

    /// <summary>Digest of the policy.</summary>
    public required Digest Policy { get; init; }

    /// <summary>SHA-256 of the written file; null where there are several, which are then subjects.</summary>
    public Digest? File { get; init; }

    /// <summary>Size of what was written.</summary>
    public long? Bytes { get; init; }

    /// <summary>Root over the row groups as they stand encrypted in the files: proves one to be part, without a key.</summary>
    public Digest? RowGroups { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Predicates.Empty(Dataset, "dataset"),
        Rows < 0 ? $"'rows' is {Rows}." : null,
        Columns.Contains(null!) ? "A column is null." : null);
}

/// <summary>One column that somebody asked for.</summary>
/// <param name="Column">The column.</param>
/// <param name="Action">How it is protected.</param>
/// <param name="Key">The key it needs; null when it needs none of its own.</param>
/// <param name="Opened">Whether its values were given out.</param>
/// <param name="Reason">Why not; null when they were.</param>
public sealed record ColumnAsked(string Column, string Action, string? Key = null, bool Opened = false, string? Reason = null);

/// <summary>Somebody asked for protected values of a data set, which is the subject.</summary>
public sealed record DataAccessed : IPredicate<DataAccessed>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.DataAccess;

    /// <summary>What for, as the asker stated it.</summary>
    public required string Purpose { get; init; }

    /// <summary>Who: a keyed pseudonym, <c>hmac-sha256:</c> and hex. Whoever holds the workspace's key can tell whether it is a given person.</summary>
    public required string By { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Each column asked for, opened or not.</summary>
    public required IReadOnlyList<ColumnAsked> Columns { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Predicates.Empty(Purpose, "purpose"),
        Pseudonym.Is(By) ? null : "'by' is no pseudonym: hmac-sha256: and 64 hex digits.",
        Columns.Contains(null!) ? "A column is null." : null);
}

/// <summary>A key wrapped, unwrapped, rewrapped or signed something. The subject is what it was used on.</summary>
public sealed record KeyUsed : IPredicate<KeyUsed>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.KeyUse;

    /// <summary><c>wrap</c>, <c>unwrap</c>, <c>rewrap</c>, <c>rotate</c>, <c>sign</c>, <c>destroy</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>The key's address or name; never a secret.</summary>
    public required string Key { get; init; }

    /// <summary>Its version, in its keeper's own words.</summary>
    public string? Version { get; init; }

    /// <summary>What for.</summary>
    public required string Purpose { get; init; }

    /// <summary>Who: a pseudonym as in <see cref="DataAccessed.By"/>; null where a program acted.</summary>
    public string? By { get; init; }

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>How often, where one entry stands for a batch; null is once.</summary>
    public long? Count { get; init; }

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(
        Predicates.Empty(Operation, "operation"), Predicates.Empty(Key, "key"), Predicates.Empty(Purpose, "purpose"),
        By is null || Pseudonym.Is(By) ? null : "'by' is no pseudonym: hmac-sha256: and 64 hex digits.",
        Count < 1 ? $"'count' is {Count}." : null);
}

/// <summary>A person's key was destroyed: what it protected is unreadable wherever a copy lies. The subject is the key's keyed id, which names nobody once the salt is gone.</summary>
public sealed record SubjectErased : IPredicate<SubjectErased>
{
    /// <inheritdoc/>
    public static string Type => PredicateTypes.Erasure;

    /// <summary>When, UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>On which ground, for example <c>request of the person</c>.</summary>
    public required string Reason { get; init; }

    /// <summary>The epoch of the key table; copies from before the next one still hold the wrapped key.</summary>
    public long? Epoch { get; init; }

    /// <summary>Roots of the data sets that hold the person's now unreadable fields.</summary>
    public IReadOnlyList<Digest> Datasets { get; init; } = [];

    /// <summary>Packages of models that learnt from them.</summary>
    public IReadOnlyList<Digest> Models { get; init; } = [];

    /// <inheritdoc/>
    public IEnumerable<string> Faults() => Predicates.Sound(Predicates.Empty(Reason, "reason"), Epoch < 0 ? $"'epoch' is {Epoch}." : null);
}

/// <summary>Names for people that only the holder of a key can resolve.</summary>
public static class Pseudonym
{
    private const string Prefix = "hmac-sha256:";
    private static readonly System.Buffers.SearchValues<char> s_hex = System.Buffers.SearchValues.Create("0123456789abcdef");

    /// <summary>The pseudonym of a name under a key.</summary>
    /// <param name="key">32 bytes or more.</param>
    /// <param name="name">Any bytes.</param>
    public static string Of(ReadOnlySpan<byte> key, ReadOnlySpan<byte> name) =>
        Prefix + Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData(key, name));

    /// <summary>True for what <see cref="Of"/> gives.</summary>
    public static bool Is(string? text) => text is { Length: 76 } && text.StartsWith(Prefix, StringComparison.Ordinal) && text.AsSpan(Prefix.Length).IndexOfAnyExcept(s_hex) < 0;
}
