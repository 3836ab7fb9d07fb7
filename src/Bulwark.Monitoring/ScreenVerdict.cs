namespace Bulwark.Monitoring;

/// <summary>Why a row was let through or refused. Only <see cref="Accepted"/> lets it through.</summary>
public enum ScreenOutcome
{
    /// <summary>Nothing was checked; refuses.</summary>
    Unchecked = 0,
    /// <summary>The row is what the model was made for.</summary>
    Accepted,
    /// <summary>The row has more or fewer values than the contract has fields.</summary>
    WrongWidth,
    /// <summary>A value is NaN where none may be missing, or infinite.</summary>
    NotFinite,
    /// <summary>A value is below its minimum or above its maximum.</summary>
    OutOfBounds,
    /// <summary>A value of an integer or binary field is not a whole number that the field allows.</summary>
    NotInteger,
    /// <summary>A categorical value names no category.</summary>
    UnknownCategory,
    /// <summary>Each value is allowed, but together they lie too far from the training data.</summary>
    Outlier,
    /// <summary>Each value is allowed, but a relation between them that every row keeps is broken.</summary>
    RelationBroken,
}

/// <summary>What the input screen says of one row. The default value refuses.</summary>
/// <param name="Outcome">Why.</param>
/// <param name="Field">The index of the field that was refused; -1 when the outcome is about the whole row.</param>
/// <param name="Distance">The Mahalanobis distance where it was computed, else NaN; standard deviations, no unit.</param>
/// <param name="Relation">The index of the relation that was broken; -1 when the outcome is another.</param>
public readonly record struct ScreenVerdict(ScreenOutcome Outcome, int Field = -1, float Distance = float.NaN, int Relation = -1)
{
    /// <summary>True when the row may be scored.</summary>
    public bool IsAccepted => Outcome is ScreenOutcome.Accepted;

    /// <summary>The reason as a stable word for metrics, receipts and error bodies, such as <c>out-of-bounds</c>.</summary>
    public string Reason => Outcome switch
    {
        ScreenOutcome.Accepted => "accepted",
        ScreenOutcome.WrongWidth => "wrong-width",
        ScreenOutcome.NotFinite => "not-finite",
        ScreenOutcome.OutOfBounds => "out-of-bounds",
        ScreenOutcome.NotInteger => "not-integer",
        ScreenOutcome.UnknownCategory => "unknown-category",
        ScreenOutcome.Outlier => "outlier",
        ScreenOutcome.RelationBroken => "relation-broken",
        _ => "unchecked",
    };
}
