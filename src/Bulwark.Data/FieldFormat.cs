using System.Text.Json.Serialization;

namespace Bulwark.Data;

/// <summary>How a column's values were replaced: what turning them back needs beside the key. Holds nothing secret.</summary>
public sealed record FieldFormat
{
    /// <summary>What the cells held.</summary>
    public required ColumnKind Kind { get; init; }

    /// <summary>For numbers: whether all were whole.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Integral { get; init; }

    /// <summary>What the values are bound to: columns of one scope and key join.</summary>
    public required string Scope { get; init; }

    /// <summary>For tokenise: the characters that are replaced; null for card numbers.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Alphabet { get; init; }

    /// <summary>For shiftDate: the most days.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Days { get; init; }

    /// <summary>For encryptValue: the column whose value each cell is bound to.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RowKey { get; init; }

    /// <summary>True when the key is the data subject's own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool PerSubject { get; init; }

    /// <summary>For another form of a column: that column.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Of { get; init; }
}
