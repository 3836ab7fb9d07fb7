namespace Bulwark.Planning;

/// <summary>A set of safeguards with what it costs and what it leaves.</summary>
/// <param name="Chosen">Ids of the chosen safeguards, in the order of the input.</param>
/// <param name="Cost">Sum of their costs.</param>
/// <param name="ResidualLoss">Loss that is left, with the loss that the safeguards cause.</param>
public sealed record Portfolio(IReadOnlyList<string> Chosen, double Cost, double ResidualLoss);

/// <summary>What a plan shall keep to.</summary>
public sealed record PlanOptions
{
    /// <summary>Most that all safeguards together may cost, in the cost unit of the measures.</summary>
    public required double Budget { get; init; }

    /// <summary>Risk tolerance: most loss that may be left, in the loss unit; null accepts any.</summary>
    public double? MaximumResidual { get; init; }

    /// <summary>Longest time for one solution; an answer cut short says that it is not proven.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Every fault; empty when the options are sound.</summary>
    public IEnumerable<string> Faults()
    {
        if (!(Budget >= 0) || !double.IsFinite(Budget))
            yield return $"The budget is {Budget}; it must be finite and at least 0.";
        if (MaximumResidual is { } most && (!(most >= 0) || !double.IsFinite(most)))
            yield return $"The residual loss allowed is {most}; it must be finite and at least 0.";
    }
}

/// <summary>The best safeguards under a budget, and why.</summary>
public sealed record SecurityPlan
{
    /// <summary>Whether the plan keeps to the risk tolerance.</summary>
    public required PlanVerdict Verdict { get; init; }

    /// <summary>The portfolio that leaves the least loss under the budget; of several, the cheapest.</summary>
    public required Portfolio Best { get; init; }

    /// <summary>True when the solver proved that no portfolio is better and a second computation agrees with its figure.</summary>
    public required bool ProvenOptimal { get; init; }

    /// <summary>Loss when nothing is done.</summary>
    public required double UndefendedLoss { get; init; }

    /// <summary>What each chosen safeguard is worth inside the portfolio.</summary>
    public required IReadOnlyList<Reason> Reasons { get; init; }

    /// <summary>What is left of each threat.</summary>
    public required IReadOnlyList<Remainder> Remainders { get; init; }

    /// <summary>What the usual rule (greatest benefit for its cost first, benefits added up) chooses under the same budget.</summary>
    public required Portfolio Greedy { get; init; }

    /// <summary>Loss that the greedy rule leaves more than the best, as a share of the best's; 0 when equal.</summary>
    public required double GreedyGap { get; init; }

    /// <summary>False when the time ran out for one of <see cref="RunnerUp"/>, <see cref="NextStep"/> and <see cref="CheapestWithinTolerance"/>: an absent one is then unknown.</summary>
    public required bool NeighboursKnown { get; init; }

    /// <summary>The best portfolio other than <see cref="Best"/> under the budget; null when there is none.</summary>
    public Portfolio? RunnerUp { get; init; }

    /// <summary>The cheapest portfolio above the budget that leaves less loss; null when money no longer helps.</summary>
    public Portfolio? NextStep { get; init; }

    /// <summary>The cheapest portfolio that keeps to the risk tolerance, whatever the budget; null when none does or none was asked for.</summary>
    public Portfolio? CheapestWithinTolerance { get; init; }
}

/// <summary>Whether a plan keeps to the risk tolerance.</summary>
public enum PlanVerdict
{
    /// <summary>No portfolio under the budget leaves as little as allowed.</summary>
    ToleranceMissed = 0,

    /// <summary>The loss left is within the tolerance.</summary>
    WithinTolerance,

    /// <summary>No tolerance was given.</summary>
    NoTolerance,
}

/// <summary>Why a safeguard was chosen.</summary>
/// <param name="Safeguard">Its id.</param>
/// <param name="Cost">Its cost.</param>
/// <param name="LossWithout">Loss left if it were dropped, with all that require it.</param>
/// <param name="Avoided">How much more that is.</param>
public sealed record Reason(string Safeguard, double Cost, double LossWithout, double Avoided);

/// <summary>What is left of a threat.</summary>
/// <param name="Threat">Its id.</param>
/// <param name="Before">Loss when nothing is done.</param>
/// <param name="After">Loss under the plan.</param>
/// <param name="Through">The safeguards that count against it, the strongest of each layer.</param>
public sealed record Remainder(string Threat, double Before, double After, IReadOnlyList<string> Through);
