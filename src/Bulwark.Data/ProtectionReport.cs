using Bulwark.Cryptography;

namespace Bulwark.Data;

/// <summary>What became of one column.</summary>
/// <param name="Name">The column.</param>
/// <param name="Action">What was done.</param>
/// <param name="Key">The key that opens it again or made the hash; null when there is none.</param>
/// <param name="Format">How values were replaced; null where they were not.</param>
public sealed record ProtectedColumn(
    string Name, ProtectionAction Action, KeyUri? Key, [property: System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)] FieldFormat? Format = null);

/// <summary>What <see cref="DataProtection"/> wrote; goes into the transparency log. No value of the table is in it.</summary>
/// <param name="Dataset">The dataset's name, a slash and its version: what every file's AAD prefix begins with.</param>
/// <param name="Commitment">The commitment to the table before protection; see <see cref="DatasetCommitment"/>.</param>
/// <param name="Rows">Rows.</param>
/// <param name="Columns">Every column of the table before protection, then those that were added.</param>
/// <param name="Policy">Digest of the policy.</param>
/// <param name="File">SHA-256 of the written file; of a folder, of its manifest.</param>
/// <param name="Bytes">Size of the written files.</param>
/// <param name="RowGroups">Root of the <see cref="RowGroupTree"/>.</param>
/// <param name="Parts">The files; of a folder as its manifest lists them.</param>
/// <param name="Notes">What the owner should know of columns as a whole.</param>
public sealed record ProtectionReport(
    string Dataset, Digest Commitment, long Rows, IReadOnlyList<ProtectedColumn> Columns, Digest Policy, Digest File, long Bytes, Digest RowGroups, IReadOnlyList<ProtectedPart> Parts, IReadOnlyList<string>? Notes = null);

/// <summary>What <see cref="DataProtection.RevealAsync"/> opened.</summary>
/// <param name="Dataset">The dataset's name, a slash and its version.</param>
/// <param name="Commitment">The commitment to the table before protection.</param>
/// <param name="Table">The opened columns; null when none could be opened.</param>
/// <param name="Accesses">One for each column asked for, opened or not: to be logged.</param>
public sealed record RevealedData(string Dataset, Digest? Commitment, Table? Table, IReadOnlyList<ColumnAccess> Accesses);

/// <summary>One column that somebody asked for.</summary>
/// <param name="Column">The column.</param>
/// <param name="Action">How it is protected.</param>
/// <param name="Key">The key it needs; null when it needs none of its own.</param>
/// <param name="Opened">Whether its values were given out.</param>
/// <param name="Reason">Why not; null when they were.</param>
public sealed record ColumnAccess(string Column, ProtectionAction Action, KeyUri? Key, bool Opened, string? Reason);

/// <summary>What <see cref="DataProtection.VerifyAsync"/> found; a changed file throws instead.</summary>
/// <param name="Dataset">The dataset's name, a slash and its version.</param>
/// <param name="Commitment">The commitment to the table before protection.</param>
/// <param name="Read">Columns that were read whole; every byte was authenticated.</param>
/// <param name="Shut">Columns whose key the ring lacks, and why.</param>
/// <param name="CommitmentHolds">Whether the commitment, computed anew, is the one in the file; null when a column is shut, dropped, hashed or not restored cell for cell.</param>
public sealed record ProtectionCheck(
    string Dataset, Digest? Commitment, IReadOnlyList<string> Read, IReadOnlyList<ColumnAccess> Shut, bool? CommitmentHolds)
{
    /// <summary>Columns whose pages carry no tag (a plaintext footer, plain columns): the digests of their row groups, in the authenticated footer, were right.</summary>
    public IReadOnlyList<string> Untagged { get; init; } = [];
}
