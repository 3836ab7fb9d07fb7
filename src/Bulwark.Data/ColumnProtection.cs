using System.Text.Json.Serialization;

namespace Bulwark.Data;

/// <summary>What to do with one column.</summary>
public sealed record ColumnProtection
{
    /// <summary>The action.</summary>
    public required ProtectionAction Action { get; init; }

    /// <summary>The key ring's key, by name, or by name and version to keep old tokens joinable; for encrypt also a key of another store. Columns of one key are opened, and shredded, together.</summary>
    /// <value>null: <c>data/</c> and the column's name</value>
    public string? Key { get; init; }

    /// <summary>For tokenise: the characters that are replaced, each by another of them; other characters stay where they are.</summary>
    /// <value>null: the column holds card numbers</value>
    public string? Alphabet { get; init; }

    /// <summary>For tokenise, hash, encryptJoinable and beacon: columns of one key that say the same here join, in whatever dataset they are.</summary>
    /// <value>null: versions of this dataset's column join, nothing else</value>
    public string? JoinAs { get; init; }

    /// <summary>For truncate: characters to keep at the beginning.</summary>
    /// <value>6 for card numbers, else 0</value>
    public int? KeepFirst { get; init; }

    /// <summary>For truncate: characters to keep at the end.</summary>
    /// <value>4</value>
    public int? KeepLast { get; init; }

    /// <summary>For beacon: its length, 1 to 63 bits; <see cref="Cryptography.BeaconRule"/> is applied to the data.</summary>
    public int? Bits { get; init; }

    /// <summary>For shiftDate: the most days, 1 to 3650.</summary>
    /// <value>365</value>
    public int? Days { get; init; }

    /// <summary>For encryptValue and shiftDate: the key is the data subject's own, and dies with it.</summary>
    /// <value>false</value>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool PerSubject { get; init; }

    /// <summary>Other protected forms of the column to write beside it.</summary>
    /// <value>empty</value>
    public IReadOnlyList<ColumnCopy> Copies { get; init; } = [];

    /// <summary>True when the action replaces values and needs a key of the ring for it.</summary>
    internal bool NeedsKey => Action is ProtectionAction.Encrypt || (ReplacesValues && Action is not (ProtectionAction.Truncate or ProtectionAction.Mask) && !PerSubject);

    internal bool ReplacesValues => Action is not (ProtectionAction.Drop or ProtectionAction.Keep or ProtectionAction.Encrypt);

    /// <summary>True when whoever holds a value can try whether it is in the column, given the key.</summary>
    internal bool IsHash => Action is ProtectionAction.Hash or ProtectionAction.Beacon;
}

/// <summary>Another protected form of a column.</summary>
/// <param name="As">The name of the column that holds it.</param>
/// <param name="Protection">What to do; without copies of its own.</param>
public sealed record ColumnCopy(string As, ColumnProtection Protection);

/// <summary>What to do with the columns that a condition finds: a name, a tag or what the values look like, one of the three.</summary>
public sealed record ProtectionRule
{
    /// <summary>A column's name, with * for any characters and ? for one; case does not matter.</summary>
    public string? Column { get; init; }

    /// <summary>A tag that the policy declares.</summary>
    public string? Tag { get; init; }

    /// <summary>What a scan of the first rows finds.</summary>
    public SensitiveKind? Content { get; init; }

    /// <summary>For content: the least confidence of the scan, 0 to 1.</summary>
    /// <value>0.8</value>
    public double? Confidence { get; init; }

    /// <summary>What to do.</summary>
    public required ColumnProtection Protection { get; init; }

    /// <summary>The confidence that applies.</summary>
    internal double Floor => Confidence ?? 0.8;
}
