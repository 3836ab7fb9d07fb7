using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>How a file becomes a <see cref="Table"/>. The defaults read a CSV file with a header, or any flat Parquet file.</summary>
public sealed record TableReadOptions
{
    /// <summary>Texts that mean "missing" when nothing else is said.</summary>
    public static IReadOnlyList<string> CommonMissingValues { get; } = ["", "?", "NA", "N/A", "NaN", "nan", "null", "NULL"];

    /// <summary>The defaults. (After what they use: static fields are set in order.)</summary>
    public static TableReadOptions Default { get; } = new();

    /// <summary>CSV: whether the first record names the columns.</summary>
    /// <value>true</value>
    public bool HasHeader { get; init; } = true;

    /// <summary>CSV: the columns' names when there is no header, or in its place.</summary>
    /// <value>null: the header's, or column1, column2, …</value>
    public IReadOnlyList<string>? ColumnNames { get; init; }

    /// <summary>CSV: the texts, compared after trimming, that mean "missing". Empty text always does.</summary>
    /// <value><see cref="CommonMissingValues"/></value>
    public IReadOnlyList<string> MissingValues { get; init; } = CommonMissingValues;

    /// <summary>CSV: the separator, an ASCII character.</summary>
    /// <value>null: found from the first lines among comma, semicolon, tab and bar</value>
    public char? Delimiter { get; init; }

    /// <summary>CSV: whether spaces and tabs around unquoted values are dropped.</summary>
    /// <value>true</value>
    public bool TrimSpaces { get; init; } = true;

    /// <summary>CSV: lines that begin with this ASCII character are skipped.</summary>
    /// <value>null: none</value>
    public char? Comment { get; init; }

    /// <summary>CSV: per column, characters to drop at the end of each value (Adult's test file ends its labels with a full stop).</summary>
    /// <value>empty</value>
    public IReadOnlyDictionary<string, string> TrimEnd { get; init; } = new Dictionary<string, string>();

    /// <summary>CSV: per column, what it must hold; a value that does not fit is an error that names line and column.</summary>
    /// <value>empty: found from the values</value>
    public IReadOnlyDictionary<string, ColumnKind> Kinds { get; init; } = new Dictionary<string, ColumnKind>();

    /// <summary>The columns to read, in this order.</summary>
    /// <value>null: all</value>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Protected Parquet: the key ring that opens the file. Encrypted columns stay shut; <see cref="DataProtection.RevealAsync"/> opens those.</summary>
    /// <value>null: a protected file is refused</value>
    public KeyRing? Keys { get; init; }

    /// <summary>Protected Parquet: the store of the master keys.</summary>
    /// <value>null: <see cref="Keys"/></value>
    public IKeyProvider? Store { get; init; }

    /// <summary>Protected Parquet: also reads encrypted columns whose keys open. Whoever sets it has logged for what.</summary>
    /// <value>false</value>
    public bool OpenEncrypted { get; init; }

    /// <summary>What blinds commitments to the table, where it becomes a data set.</summary>
    /// <value>null: they hide nothing, and must not be published</value>
    public CommitmentKey? Commitments { get; init; }

    /// <summary>Protected Parquet: the dataset that it must hold: its name, or name, slash and version or commitment.</summary>
    /// <value>null: any</value>
    public string? Dataset { get; init; }

    /// <summary>Every fault, so that one edit mends them all; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (Delimiter is { } delimiter && (!char.IsAscii(delimiter) || delimiter is '\r' or '\n' or '"'))
            yield return $"{nameof(Delimiter)} must be an ASCII character other than a quote or a line end.";
        if (Comment is { } comment && (!char.IsAscii(comment) || comment is '\r' or '\n' or '"'))
            yield return $"{nameof(Comment)} must be an ASCII character other than a quote or a line end.";
        if (ColumnNames is { } names && names.Distinct(StringComparer.Ordinal).Count() != names.Count)
            yield return $"{nameof(ColumnNames)} holds a name twice.";
        if (Columns is { } columns && (columns.Count == 0 || columns.Distinct(StringComparer.Ordinal).Count() != columns.Count))
            yield return $"{nameof(Columns)} is empty or holds a name twice.";
    }
}
