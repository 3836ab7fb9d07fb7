namespace Bulwark.Planning;

/// <summary>Chooses safeguards under a budget: exactly, with the reasons, beside the usual greedy rule.</summary>
public static class Planner
{
    /// <summary>Most points of <see cref="ParetoFront"/>.</summary>
    public const int MaximumPoints = 60;

    /// <summary>The best portfolio under a budget, and what is around it.</summary>
    /// <param name="set">The measures.</param>
    /// <param name="options">Budget and tolerance.</param>
    /// <exception cref="ArgumentException">The measures or the options have faults; the message lists them.</exception>
    public static SecurityPlan Choose(MeasureSet set, PlanOptions options)
    {
        string[] faults = [.. set.Faults(), .. options.Faults()];
        if (faults.Length > 0)
            throw new ArgumentException(string.Join(" ", faults));
        var (best, proven) = Least(set, options.Budget, options.TimeLimit) ?? throw new InvalidOperationException("Even doing nothing breaks a rule.");
        var greedy = GreedyRule.Choose(set, options.Budget);
        var timely = true;
        var tolerance = options.MaximumResidual;
        return new()
        {
            Verdict = tolerance is null ? PlanVerdict.NoTolerance : best.ResidualLoss <= tolerance ? PlanVerdict.WithinTolerance : PlanVerdict.ToleranceMissed,
            Best = best,
            ProvenOptimal = proven,
            UndefendedLoss = set.UndefendedLoss,
            Reasons = [.. best.Chosen.Select(id => Explain(set, best, id))],
            Remainders = Evaluation.Remainders(set, [.. set.Safeguards.Where(safeguard => best.Chosen.Contains(safeguard.Id))]),
            Greedy = greedy,
            GreedyGap = best.ResidualLoss > 0 ? (greedy.ResidualLoss - best.ResidualLoss) / best.ResidualLoss : greedy.ResidualLoss > 0 ? double.PositiveInfinity : 0,
            RunnerUp = InTime(() => Least(set, options.Budget, options.TimeLimit, forbidden: best.Chosen)?.Portfolio, ref timely),
            NextStep = InTime(() => Cheapest(set, best.ResidualLoss - Step(set), options.TimeLimit), ref timely),
            CheapestWithinTolerance = tolerance is { } most ? InTime(() => Cheapest(set, most, options.TimeLimit), ref timely) : null,
            NeighboursKnown = timely,
        };
    }

    private static Portfolio? InTime(Func<Portfolio?> search, ref bool timely)
    {
        try
        {
            return search();
        }
        catch (TimeoutException)
        {
            timely = false;
            return null;
        }
    }

    /// <summary>Every portfolio that no other beats in both cost and loss left, from what is free to the best that there is; at most <see cref="MaximumPoints"/>, the dearest left out first. A betterment below 1e-5 of the undefended loss makes no point.</summary>
    /// <param name="set">The measures.</param>
    /// <param name="timeLimit">Longest time for one point.</param>
    public static IReadOnlyList<Portfolio> ParetoFront(MeasureSet set, TimeSpan timeLimit)
    {
        var front = new List<Portfolio> { Least(set, 0, timeLimit)!.Value.Portfolio };
        while (front.Count < MaximumPoints && Cheapest(set, front[^1].ResidualLoss - Step(set), timeLimit) is { } cheapest)
        {
            // The cheapest that is better; of those that cost the same, the one that leaves least.
            front.Add(Least(set, cheapest.Cost, timeLimit)!.Value.Portfolio);
        }

        return front;
    }

    /// <summary>Rounding: differences in loss below this are none.</summary>
    private static double Tolerance(MeasureSet set) => Math.Max(set.UndefendedLoss, 1e-9) * 1e-9;

    /// <summary>The smallest betterment worth a step, above what the solver's own tolerance (a millionth) could mistake for one.</summary>
    private static double Step(MeasureSet set) => Math.Max(set.UndefendedLoss, 1e-9) * 1e-5;

    private static (Portfolio Portfolio, bool Proven)? Least(MeasureSet set, double budget, TimeSpan timeLimit, IReadOnlyCollection<string>? forbidden = null)
    {
        using var program = new PlanProgram(set, timeLimit);
        program.LimitCost(budget);
        if (forbidden is not null)
            program.Forbid(forbidden);
        return Exact(set, program, program.LeastLoss, portfolio => portfolio.Cost <= budget) is { } least ? (Pruned(set, least.Portfolio, forbidden), least.Proven) : null;
    }

    /// <summary>Drops what avoids nothing, dearest first.</summary>
    private static Portfolio Pruned(MeasureSet set, Portfolio portfolio, IReadOnlyCollection<string>? forbidden)
    {
        foreach (var id in portfolio.Chosen.OrderByDescending(id => set.Safeguards.Single(safeguard => safeguard.Id == id).Cost.Value))
        {
            string[] fewer = [.. portfolio.Chosen.Where(each => each != id)];
            var without = Evaluation.Of(set, fewer);
            if (without.ResidualLoss <= portfolio.ResidualLoss + Tolerance(set) && Evaluation.IsAllowed(set, fewer) && !(forbidden is not null && fewer.ToHashSet().SetEquals(forbidden)))
                portfolio = without;
        }

        return portfolio;
    }

    private static Portfolio? Cheapest(MeasureSet set, double mostLoss, TimeSpan timeLimit)
    {
        if (mostLoss < 0)
            return null;
        using var program = new PlanProgram(set, timeLimit);
        program.LimitLoss(mostLoss);
        return Exact(set, program, program.LeastCost, portfolio => portfolio.ResidualLoss <= mostLoss)?.Portfolio;
    }

    /// <summary>A solver keeps constraints to a tolerance; a choice that breaks one when computed exactly is forbidden and the next is sought.</summary>
    private static (Portfolio Portfolio, bool Proven)? Exact(MeasureSet set, PlanProgram program, Func<(IReadOnlyList<string> Chosen, bool Proven)?> solve, Func<Portfolio, bool> keeps)
    {
        while (solve() is var (chosen, proven))
        {
            var portfolio = Evaluation.Of(set, chosen);
            if (keeps(portfolio) && Evaluation.IsAllowed(set, chosen))
                return (portfolio, proven);
            program.Forbid(chosen);
        }

        return null;
    }

    private static Reason Explain(MeasureSet set, Portfolio best, string id)
    {
        var kept = best.Chosen.Where(each => each != id).ToList();
        while (kept.FirstOrDefault(each => set.Safeguards.Single(safeguard => safeguard.Id == each).Requires.Any(needed => !kept.Contains(needed))) is { } orphan)
            kept.Remove(orphan);
        var without = Evaluation.Of(set, kept).ResidualLoss;
        return new(id, set.Safeguards.Single(safeguard => safeguard.Id == id).Cost.Value, without, without - best.ResidualLoss);
    }
}
