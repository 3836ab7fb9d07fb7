using System.Text.Json.Serialization;

namespace Bulwark.Monitoring;

/// <summary>Where a relation comes from.</summary>
[JsonConverter(typeof(NamesOnlyConverter<ScreenRelationOrigin>))]
public enum ScreenRelationOrigin
{
    /// <summary>Somebody wrote it down.</summary>
    [JsonStringEnumMemberName("declared")] Declared = 0,
    /// <summary>Every training row keeps it, and it is no accident of the single columns.</summary>
    [JsonStringEnumMemberName("learnt")] Learnt,
}

/// <summary>A relation between features that every row keeps.</summary>
/// <remarks>A row in which a value that it reads is missing is not judged by it.</remarks>
public sealed record ScreenRelation
{
    /// <summary>The largest number of characters of <see cref="Name"/>.</summary>
    public const int LongestName = 200;

    /// <summary>What it is called in refusals; unique, never empty.</summary>
    public required string Name { get; init; }

    /// <summary>The rule over the fields' names, as docs/formats/constraints.md says: for example <c>a &lt;= b</c>, <c>a = 0 =&gt; b = 0</c>.</summary>
    public required string Rule { get; init; }

    /// <summary>Where it comes from.</summary>
    public ScreenRelationOrigin Origin { get; init; }

    /// <summary>Of a learnt one: the training rows that it was judged on, all of which keep it. 0 of a declared one.</summary>
    public int Rows { get; init; }

    /// <summary>Of a learnt one: the share of rows that break it when the columns are shuffled independently: how much it says. 0 of a declared one.</summary>
    public double Shuffled { get; init; }
}

/// <summary>What learnt relations refuse of rows that took no part in choosing them.</summary>
/// <param name="Rows">How many rows.</param>
/// <param name="Broken">How many of them break at least one relation.</param>
public sealed record RelationCheck(int Rows, int Broken);
