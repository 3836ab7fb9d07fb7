namespace Bulwark.Assurance;

/// <summary>A share of rows with its 95 % Clopper-Pearson interval.</summary>
/// <param name="Count">Rows that it is true of.</param>
/// <param name="Of">Rows looked at.</param>
/// <param name="Rate"><paramref name="Count"/> / <paramref name="Of"/>, or 0 of none.</param>
/// <param name="Lower">Lower end.</param>
/// <param name="Upper">Upper end; 1 of none.</param>
public sealed record RowShare(int Count, int Of, double Rate, double Lower, double Upper)
{
    internal static RowShare From(int count, int of)
    {
        var (lower, upper) = ClopperPearson.Interval(count, of);
        return new(count, of, of == 0 ? 0 : (double)count / of, lower, upper);
    }
}

/// <summary>What one attack came to at one strength.</summary>
public sealed record EvasionOutcome
{
    /// <summary>fgsm, pgd, apgd, query, or worst case.</summary>
    public required string Attack { get; init; }

    /// <summary>Largest change of a value, in encoded units.</summary>
    public required double Strength { get; init; }

    /// <summary>Share of rows that stay right, the classes weighted as in the data set; rows that were wrong at the start are not right.</summary>
    public required double RobustAccuracy { get; init; }

    /// <summary>Success against correctly classified positives: fraud that comes to look legitimate.</summary>
    public required RowShare PositivesEvaded { get; init; }

    /// <summary>Success against correctly classified negatives: honest rows that come to look like fraud.</summary>
    public required RowShare NegativesRaised { get; init; }

    /// <summary>Queries spent on a row, on average; 0 for gradient attacks.</summary>
    public double MeanQueries { get; init; }
}

/// <summary>A sign that an evaluation overstates robustness or is broken.</summary>
/// <param name="Id">F1, F2, F4 or F8.</param>
/// <param name="Finding">What was seen, and what it means.</param>
public sealed record RedFlag(string Id, string Finding);

/// <summary>How a model stands up to evasion.</summary>
/// <remarks>
/// Every counted success was decoded to a raw row that could be sent (types, bounds and immutable values restored, distance checked again)
/// and scored anew by the model itself.
/// </remarks>
public sealed record EvasionReport
{
    /// <summary>Rows attacked.</summary>
    public required int Rows { get; init; }

    /// <summary>Positives among them.</summary>
    public required int Positives { get; init; }

    /// <summary>Share of positives in the data set, by which accuracies are weighted.</summary>
    public required double PositiveShare { get; init; }

    /// <summary>Probability from which the model says "positive".</summary>
    public required double Threshold { get; init; }

    /// <summary>Names of the features that the attacker may change.</summary>
    public required IReadOnlyList<string> MutableFeatures { get; init; }

    /// <summary>Whether gradients were available.</summary>
    public required bool WhiteBox { get; init; }

    /// <summary>Accuracy without an attack, weighted as <see cref="EvasionOutcome.RobustAccuracy"/>.</summary>
    public required double CleanAccuracy { get; init; }

    /// <summary>Share of positives found without an attack.</summary>
    public required RowShare CleanRecall { get; init; }

    /// <summary>Share of negatives taken for positives without an attack.</summary>
    public required RowShare CleanFalsePositives { get; init; }

    /// <summary>Every attack at every strength.</summary>
    public required IReadOnlyList<EvasionOutcome> Outcomes { get; init; }

    /// <summary>By strength, the worst over all attacks for each row; a success at a lower strength counts at the higher ones.</summary>
    public required IReadOnlyList<EvasionOutcome> WorstCase { get; init; }

    /// <summary>Empty when no check found fault with the evaluation itself; a report with flags proves no robustness.</summary>
    public required IReadOnlyList<RedFlag> Flags { get; init; }
}
