namespace Bulwark.Privacy;

/// <summary>How two neighbouring data sets differ.</summary>
public enum Adjacency
{
    /// <summary>One unit is in one of them only.</summary>
    AddOrRemove = 0,

    /// <summary>One unit is replaced by another; both have the same, public size.</summary>
    Replace,
}

/// <summary>Whose privacy ε speaks of: a record, or all records of a user.</summary>
/// <remarks>
/// Events give noise in units of one record's largest contribution. The accountant turns that into the unit's: a user's contribution is as many
/// times larger as the user has records, and replacing changes twice as much as adding or removing.
/// </remarks>
/// <param name="Adjacency">How neighbours differ.</param>
/// <param name="Records">Most records that one unit can have; 1 for a record. Somebody must have enforced it.</param>
public sealed record PrivacyUnit(Adjacency Adjacency = Adjacency.AddOrRemove, int Records = 1)
{
    /// <summary>One record, added or removed.</summary>
    public static PrivacyUnit Record { get; } = new();

    /// <summary>One record, replaced by another.</summary>
    public static PrivacyUnit ReplacedRecord { get; } = new(Adjacency.Replace);

    /// <summary>All records of one user, added or removed.</summary>
    /// <param name="records">Most records a user has.</param>
    public static PrivacyUnit User(int records) => new(Adjacency.AddOrRemove, records);

    /// <summary>Every fault; empty when it means something.</summary>
    public IEnumerable<string> Faults()
    {
        if (Records is < 1 or > 1_000_000)
            yield return $"{nameof(Records)} is {Records}; it must be from 1 to 1000000.";
        if (!Enum.IsDefined(Adjacency))
            yield return $"{nameof(Adjacency)} is {Adjacency}, which is unknown.";
    }

    /// <summary>In words.</summary>
    public override string ToString()
    {
        var who = Records == 1 ? "one record" : $"all records of one user, at most {Records},";
        return Adjacency == Adjacency.Replace ? $"{who} replaced" : $"{who} added or removed";
    }
}
