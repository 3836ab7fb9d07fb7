using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>How a protected dataset is laid out and who may read what of it.</summary>
public sealed record ProtectionOptions
{
    /// <summary>The defaults: one file, everything encrypted, keys inside the file.</summary>
    public static ProtectionOptions Default { get; } = new();

    /// <summary>Leaves the footer readable to everybody, and signs it: schema, row counts and the columns that are not encrypted open without keys. The kept columns' pages are then not authenticated.</summary>
    /// <value>false: the footer is encrypted</value>
    public bool PlaintextFooter { get; init; }

    /// <summary>Leaves the columns plain that the policy does not encrypt; Parquet does not authenticate their pages. Always so with <see cref="PlaintextFooter"/>.</summary>
    /// <value>false: they are encrypted under the footer's key</value>
    public bool PlainColumns { get; init; }

    /// <summary>Keeps wrapped keys in <c>_KEY_MATERIAL_FOR_<i>file</i>.json</c> beside each file, so that master keys rotate without touching data.</summary>
    /// <value>null: so in a folder, not beside a single file</value>
    public bool? ExternalKeys { get; init; }

    /// <summary>Wraps data keys by a key-encryption key and only that by the master key: one question to the key store for each master key.</summary>
    /// <value>true</value>
    public bool DoubleWrapping { get; init; } = true;

    /// <summary>Folder output: a column whose values make folders <c>column=value</c>; it must not be encrypted.</summary>
    public string? PartitionBy { get; init; }

    /// <summary>Folder output: most rows of a file.</summary>
    /// <value>null: no limit</value>
    public long? RowsPerFile { get; init; }

    /// <summary>Rows of a row group.</summary>
    /// <value>131,072</value>
    public int RowsPerGroup { get; init; } = ParquetTable.RowGroupRows;

    /// <summary>The store of the master keys.</summary>
    /// <value>null: the key ring</value>
    public IKeyProvider? Store { get; init; }

    /// <summary>The master key of the footer and of the columns that the policy does not encrypt.</summary>
    public KeyUri FooterKey { get; init; } = KeyUri.Parse("file:data/footer");

    /// <summary>A scan of the table's rows, for rules by content and for the card rules.</summary>
    /// <value>null: columns are judged by name and tag only</value>
    public ScanReport? Scan { get; init; }

    /// <summary>The keys of data subjects; needed when the policy names a subject column.</summary>
    public SubjectStore? Subjects { get; init; }

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (RowsPerGroup is < 1 or > 1 << 24)
            yield return $"{nameof(RowsPerGroup)} is {RowsPerGroup}; it must be 1 to {1 << 24}.";
        if (RowsPerFile is < 1)
            yield return $"{nameof(RowsPerFile)} is {RowsPerFile}; it must be above 0.";
        if (FooterKey.Version is not null)
            yield return $"{nameof(FooterKey)} names a version; the newest wraps.";
    }
}
