using Google.OrTools.LinearSolver;

namespace Bulwark.Planning;

/// <summary>The choice as a mixed-integer linear program, exact for multiplying and for redundant effects.</summary>
/// <remarks>
/// Surviving-threat recursion: T. Sawik, "Selection of optimal countermeasure portfolio in IT security planning", Decision Support Systems 55 (2013).
/// The share of a threat that reaches a layer is split among the layer's options (none, or one chosen safeguard); what leaves the layer is the sum of
/// the parts times their survival. One option a layer carries everything, and the minimum makes it the strongest chosen one.
/// Shares are between 0 and 1, so the program is well scaled whatever the currency.
/// </remarks>
internal sealed class PlanProgram : IDisposable
{
    private readonly MeasureSet _set;
    private readonly Solver _solver;
    private readonly Dictionary<string, Variable> _chosen;
    private readonly List<(Variable Left, double Loss)> _left = [];

    internal PlanProgram(MeasureSet set, TimeSpan timeLimit)
    {
        _set = set;
        _solver = Solver.CreateSolver("SCIP") ?? throw new InvalidOperationException("OR-Tools has no SCIP on this machine.");
        _solver.SetTimeLimit((long)timeLimit.TotalMilliseconds);
        _chosen = set.Safeguards.ToDictionary(safeguard => safeguard.Id, safeguard => _solver.MakeBoolVar($"use {safeguard.Id}"));
        foreach (var threat in set.Threats)
            _left.Add((Survive(threat), threat.Loss.Value));
        Rules();
    }

    private double Scale => Math.Max(_set.UndefendedLoss, 1e-9);

    public void Dispose() => _solver.Dispose();

    /// <summary>No more than this cost.</summary>
    internal void LimitCost(double budget)
    {
        var scale = Math.Max(1e-9, Math.Max(budget, _set.Safeguards.Select(safeguard => safeguard.Cost.Value).DefaultIfEmpty(1).Max()));
        AtMost(_set.Safeguards.Select(safeguard => (_chosen[safeguard.Id], safeguard.Cost.Value / scale)), budget / scale);
    }

    /// <summary>No more than this loss left.</summary>
    internal void LimitLoss(double most) => AtMost(LossTerms(), most / Scale);

    /// <summary>Not exactly this choice.</summary>
    internal void Forbid(IReadOnlyCollection<string> chosen) =>
        AtMost(_chosen.Select(each => (each.Value, chosen.Contains(each.Key) ? 1.0 : -1.0)), chosen.Count - 1);

    /// <summary>The choice that leaves the least loss, the cheaper of two that leave the same to 1e-7 of the whole; null when there is none. Proven when the solver closed the gap.</summary>
    internal (IReadOnlyList<string> Chosen, bool Proven)? LeastLoss()
    {
        var whole = Math.Max(1e-9, _set.Safeguards.Sum(safeguard => safeguard.Cost.Value));
        return Minimise(LossTerms().Concat(_set.Safeguards.Select(safeguard => (_chosen[safeguard.Id], 1e-7 * safeguard.Cost.Value / whole))));
    }

    /// <summary>The choice that costs least; null when there is none.</summary>
    internal (IReadOnlyList<string> Chosen, bool Proven)? LeastCost() => Minimise(_set.Safeguards.Select(safeguard => (_chosen[safeguard.Id], safeguard.Cost.Value)));

    private IEnumerable<(Variable, double)> LossTerms() =>
        _left.Select(each => (each.Left, each.Loss / Scale)).Concat(_set.Safeguards.Where(safeguard => safeguard.AddedLoss is not null).Select(safeguard => (_chosen[safeguard.Id], safeguard.AddedLoss!.Value / Scale)));

    private Variable Survive(Threat threat)
    {
        var reaching = _solver.MakeNumVar(1, 1, threat.Id);
        var layers = _set.Safeguards.Select(safeguard => (Safeguard: safeguard, Effect: safeguard.Effects.FirstOrDefault(effect => effect.Threat == threat.Id)))
            .Where(each => each.Effect is { Survival.Value: < 1 }).GroupBy(each => each.Safeguard.Layer);
        foreach (var layer in layers)
        {
            var leaving = _solver.MakeNumVar(0, 1, $"{threat.Id} after {layer.Key}");
            var split = _solver.MakeConstraint(0, 0);
            var sum = _solver.MakeConstraint(0, 0);
            var one = _solver.MakeConstraint(1, 1);
            split.SetCoefficient(reaching, 1);
            sum.SetCoefficient(leaving, 1);
            foreach (var (use, survival) in layer.Select(each => ((Variable?)_chosen[each.Safeguard.Id], each.Effect!.Survival.Value)).Prepend((null, 1.0)))
            {
                var acts = _solver.MakeBoolVar("");
                var part = _solver.MakeNumVar(0, 1, "");
                one.SetCoefficient(acts, 1);
                split.SetCoefficient(part, -1);
                sum.SetCoefficient(part, -survival);
                AtMost([(part, 1), (acts, -1)], 0);
                if (use is not null)
                    AtMost([(acts, 1), (use, -1)], 0);
            }

            reaching = leaving;
        }

        return reaching;
    }

    private void Rules()
    {
        foreach (var safeguard in _set.Safeguards)
        {
            foreach (var needed in safeguard.Requires)
                AtMost([(_chosen[safeguard.Id], 1), (_chosen[needed], -1)], 0);
            foreach (var other in safeguard.Excludes)
                AtMost([(_chosen[safeguard.Id], 1), (_chosen[other], 1)], 1);
        }

        foreach (var limit in _set.Limits)
        {
            var scale = Math.Max(limit.Value, 1e-9);
            AtMost(_set.Safeguards.Where(safeguard => safeguard.Overheads.ContainsKey(limit.Key)).Select(safeguard => (_chosen[safeguard.Id], safeguard.Overheads[limit.Key].Value / scale)), limit.Value / scale);
        }
    }

    private void AtMost(IEnumerable<(Variable Variable, double Weight)> terms, double most)
    {
        var constraint = _solver.MakeConstraint(double.NegativeInfinity, most);
        foreach (var (variable, weight) in terms)
            constraint.SetCoefficient(variable, weight);
    }

    private (IReadOnlyList<string>, bool)? Minimise(IEnumerable<(Variable Variable, double Weight)> terms)
    {
        var objective = _solver.Objective();
        objective.Clear();
        foreach (var (variable, weight) in terms)
            objective.SetCoefficient(variable, objective.GetCoefficient(variable) + weight);
        objective.SetMinimization();
        var status = _solver.Solve();
        return status switch
        {
            Solver.ResultStatus.OPTIMAL or Solver.ResultStatus.FEASIBLE => ([.. _chosen.Where(each => each.Value.SolutionValue() > 0.5).Select(each => each.Key)], status == Solver.ResultStatus.OPTIMAL),
            Solver.ResultStatus.INFEASIBLE => null,
            _ => throw new TimeoutException($"The solver gave up ({status}) before it found any plan; give it more time."),
        };
    }
}
