namespace Bulwark.Assurance;

/// <summary>How much of a model's answer an attacker sees.</summary>
internal enum OutputView
{
    /// <summary>The class alone.</summary>
    Label = 0,

    /// <summary>Probabilities rounded to <see cref="ExtractionOptions.Decimals"/>.</summary>
    Rounded,

    /// <summary>Probabilities as answered.</summary>
    Full,
}

/// <summary>How an attacker chooses what to ask.</summary>
internal enum ExtractionStrategy
{
    /// <summary>Points of the right types and bounds, no more.</summary>
    Random = 0,

    /// <summary>Rows like the model's own.</summary>
    InDistribution,

    /// <summary>Rows of mixed values, their groups chosen by what answers bring.</summary>
    Knockoff,

    /// <summary>A few rows, each moved in the direction in which the copy so far is least sure of its class.</summary>
    Jacobian,
}

/// <summary>What an extraction tries.</summary>
internal sealed record ExtractionOptions
{
    public IReadOnlyList<ExtractionStrategy> Strategies { get; init; } = Enum.GetValues<ExtractionStrategy>();

    public IReadOnlyList<OutputView> Views { get; init; } = Enum.GetValues<OutputView>();

    /// <summary>Numbers of queries at which a copy is trained and measured, ascending.</summary>
    public IReadOnlyList<int> Queries { get; init; } = [100, 250, 500, 1000, 2000, 4000];

    /// <summary>Of <see cref="OutputView.Rounded"/>.</summary>
    public int Decimals { get; init; } = 2;

    /// <summary>Hidden layers of the copy.</summary>
    public IReadOnlyList<int> Hidden { get; init; } = [64, 32];

    public ulong Seed { get; init; } = 1;

    internal IEnumerable<string> Faults()
    {
        if (Queries.Count is 0 or > 64 || Queries.Any(count => count < 10) || !Queries.Order().Distinct().SequenceEqual(Queries))
            yield return "Queries are 1 to 64 ascending numbers from 10.";
        if (Decimals is < 0 or > 6)
            yield return $"{nameof(Decimals)} is {Decimals}; from 0 to 6.";
        if (Strategies.Count == 0 || Views.Count == 0)
            yield return "There is no strategy, or no view.";
        if (Hidden.Any(width => width < 1))
            yield return "A hidden layer's width must be above 0.";
    }
}

/// <summary>A copy after so many queries.</summary>
/// <param name="Queries">Asked so far.</param>
/// <param name="Fidelity">Held-out rows on which copy and model decide alike.</param>
/// <param name="Accuracy">Held-out rows on which the copy is right; null without labels.</param>
internal sealed record ExtractionPoint(int Queries, RowShare Fidelity, RowShare? Accuracy);

/// <summary>One strategy against one view.</summary>
/// <param name="Strategy">How the attacker asked.</param>
/// <param name="View">What he saw.</param>
/// <param name="Points">By number of queries.</param>
/// <param name="QueriesTo95">The first number at which copy and model decide alike on 95 % of the rows; null when none was.</param>
internal sealed record ExtractionCurve(ExtractionStrategy Strategy, OutputView View, IReadOnlyList<ExtractionPoint> Points, int? QueriesTo95);

/// <summary>What an extraction came to.</summary>
internal sealed record ExtractionReport
{
    public required ExtractionOptions Options { get; init; }

    /// <summary>Held-out rows.</summary>
    public required int Rows { get; init; }

    /// <summary>The model's own accuracy on them; null without labels.</summary>
    public required RowShare? ModelAccuracy { get; init; }

    /// <summary>The commonest class among the model's answers to them: what a constant agrees with.</summary>
    public required RowShare Constant { get; init; }

    public required IReadOnlyList<ExtractionCurve> Curves { get; init; }

    /// <summary>Questions asked of the model in all, those about held-out rows included.</summary>
    public required long Asked { get; init; }
}
