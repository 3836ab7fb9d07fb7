namespace Bulwark.Planning;

/// <summary>The field's usual rule: benefits as if each safeguard were alone, greatest benefit for its cost first, while the budget lasts.</summary>
/// <remarks>Kept to show what it misses: it adds up benefits that overlap, and never buys a weak prerequisite of something strong unless that comes first by itself.</remarks>
public static class GreedyRule
{
    /// <summary>What the rule chooses, and what that really costs and leaves.</summary>
    /// <param name="set">The measures.</param>
    /// <param name="budget">Most that all may cost.</param>
    public static Portfolio Choose(MeasureSet set, double budget)
    {
        var chosen = new List<string>();
        foreach (var safeguard in set.Safeguards.OrderByDescending(safeguard => Benefit(set, safeguard) / Math.Max(safeguard.Cost.Value, 1e-12)))
        {
            string[] wider = [.. chosen, safeguard.Id];
            if (Benefit(set, safeguard) > 0 && Evaluation.Of(set, wider).Cost <= budget && Evaluation.IsAllowed(set, wider))
                chosen.Add(safeguard.Id);
        }

        return Evaluation.Of(set, chosen);
    }

    private static double Benefit(MeasureSet set, Safeguard safeguard) =>
        safeguard.Effects.Sum(effect => set.Threats.Single(threat => threat.Id == effect.Threat).Loss.Value * (1 - effect.Survival.Value)) - (safeguard.AddedLoss?.Value ?? 0);
}
