namespace Bulwark.Planning;

/// <summary>What a set of safeguards costs and leaves, computed straight from the model, without a solver.</summary>
internal static class Evaluation
{
    internal static Portfolio Of(MeasureSet set, IEnumerable<string> chosen)
    {
        var picked = chosen.ToHashSet();
        Safeguard[] ordered = [.. set.Safeguards.Where(safeguard => picked.Contains(safeguard.Id))];
        var loss = Remainders(set, ordered).Sum(remainder => remainder.After) + ordered.Sum(safeguard => safeguard.AddedLoss?.Value ?? 0);
        return new([.. ordered.Select(safeguard => safeguard.Id)], ordered.Sum(safeguard => safeguard.Cost.Value), loss);
    }

    internal static IReadOnlyList<Remainder> Remainders(MeasureSet set, IReadOnlyList<Safeguard> chosen) =>
        [.. set.Threats.Select(threat => Remaining(threat, chosen))];

    /// <summary>Prerequisites are there, exclusions are kept, no limit is passed.</summary>
    internal static bool IsAllowed(MeasureSet set, IReadOnlyCollection<string> chosen)
    {
        Safeguard[] picked = [.. set.Safeguards.Where(safeguard => chosen.Contains(safeguard.Id))];
        return picked.All(safeguard => safeguard.Requires.All(chosen.Contains) && !safeguard.Excludes.Any(chosen.Contains))
            && set.Limits.All(limit => picked.Sum(safeguard => safeguard.Overheads.TryGetValue(limit.Key, out var figure) ? figure.Value : 0) <= limit.Value);
    }

    private static Remainder Remaining(Threat threat, IReadOnlyList<Safeguard> chosen)
    {
        var strongest = chosen
            .Select(safeguard => (safeguard.Id, safeguard.Layer, Effect: safeguard.Effects.FirstOrDefault(effect => effect.Threat == threat.Id)))
            .Where(each => each.Effect is not null)
            .GroupBy(each => each.Layer)
            .Select(layer => layer.MinBy(each => each.Effect!.Survival.Value))
            .ToArray();
        return new(threat.Id, threat.Loss.Value, threat.Loss.Value * strongest.Aggregate(1.0, (left, each) => left * each.Effect!.Survival.Value), [.. strongest.Select(each => each.Id)]);
    }
}
