namespace Bulwark.Monitoring;

/// <summary>What relations are learnt, and how many.</summary>
public sealed record RelationOptions
{
    /// <summary>At most so many are kept.</summary>
    public int MostRelations { get; init; } = 64;

    /// <summary>Operations of all of them together at most: what a row costs.</summary>
    public int MostOperations { get; init; } = 400;

    /// <summary>The least share of rows that must break a relation when the columns are shuffled independently; below it the relation says nothing.</summary>
    public double LeastShuffled { get; init; } = 0.05;

    /// <summary>The least number of training rows that would break it, were the columns independent, and of which none does.</summary>
    public int LeastExpected { get; init; } = 20;

    /// <summary>Columns whose pairs are looked at: the first so many.</summary>
    public int MostColumns { get; init; } = 500;

    /// <summary>The largest share of untouched rows that all learnt relations together may refuse; above it none is kept.</summary>
    public double MostRefused { get; init; } = 0.01;

    /// <summary>Names the shuffles and samples.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (MostRelations is < 0 or > RelationSet.MostRelations) yield return $"{nameof(MostRelations)} is {MostRelations}; it must be from 0 to {RelationSet.MostRelations}.";
        if (MostOperations is < 0 or > RelationSet.MostOperations) yield return $"{nameof(MostOperations)} is {MostOperations}; it must be from 0 to {RelationSet.MostOperations}.";
        if (LeastShuffled is not (> 0 and <= 1)) yield return $"{nameof(LeastShuffled)} is {LeastShuffled}; it must be above 0 and at most 1.";
        if (LeastExpected < 1) yield return $"{nameof(LeastExpected)} is {LeastExpected}; it must be at least 1.";
        if (MostColumns < 2) yield return $"{nameof(MostColumns)} is {MostColumns}; it must be at least 2.";
        if (MostRefused is not (>= 0 and < 1)) yield return $"{nameof(MostRefused)} is {MostRefused}; it must be from 0 to below 1.";
    }
}

/// <summary>Relations that training rows keep.</summary>
/// <param name="Relations">What was kept, the strongest first.</param>
/// <param name="Check">What they refuse of rows that took no part in choosing; null when none was kept.</param>
/// <param name="Note">Why none or not all were looked for; null when there is nothing to say.</param>
public sealed record LearntRelations(IReadOnlyList<ScreenRelation> Relations, RelationCheck? Check, string? Note = null);
