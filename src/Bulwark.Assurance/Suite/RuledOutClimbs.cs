namespace Bulwark.Assurance;

/// <summary>A climb that <see cref="ClimbEnds.Hopeless"/> ended early.</summary>
/// <param name="Strength">Which strength, by index.</param>
/// <param name="Row">Which row of the run, by index.</param>
/// <param name="Target">The class that it climbed towards.</param>
internal sealed record RuledOutClimb(int Strength, int Row, int Target);

/// <summary>Climbs that ended early, because the target's lead seemed out of reach by the gradient there: a guess, not a bound.</summary>
/// <param name="Ended">Climbs, each a row towards a target at a strength.</param>
/// <param name="OnRowsThatHeld">Those whose row resisted everything else at that strength: a wrong guess would overstate robustness there.</param>
/// <param name="ClimbedAgain">Of these, climbed to the end afterwards.</param>
/// <param name="Fell">Of these, climbs that then fooled the model; their rows count as broken.</param>
internal sealed record RuledOutCount(int Ended, int OnRowsThatHeld, int ClimbedAgain, int Fell)
{
    internal static RuledOutCount? Sum(IEnumerable<RuledOutCount?> parts) =>
        parts.Aggregate((one, other) => one is null || other is null ? null : new(one.Ended + other.Ended, one.OnRowsThatHeld + other.OnRowsThatHeld, one.ClimbedAgain + other.ClimbedAgain, one.Fell + other.Fell));

    /// <summary>One sentence for people.</summary>
    public override string ToString() =>
        $"{Ended} climbs ended early, their target's lead out of reach by the gradient there; {OnRowsThatHeld} of them on rows that held; {ClimbedAgain} of these climbed to the end, {Fell} fell.";
}

/// <summary>F3 on climbs that ended early: a seeded sample goes to its end, and all of them when one of the sample falls.</summary>
internal static class RuledOutAgain
{
    private const int Probed = 100;

    /// <summary>Climbs again, marks the rows that fall as broken, and says so.</summary>
    internal static IEnumerable<RedFlag> Check(SuiteRun run)
    {
        var draws = new SeededDraws(run.Options.Seed);
        RuledOutClimb[] order = [.. run.OpenRuledOut().Select(climb => (climb, Turn: draws.Next())).OrderBy(pair => pair.Turn).Select(pair => pair.climb)];
        var (open, again) = (order.Length, int.Min(Probed, order.Length));
        var fell = Climb(run, order[..again]);
        if (fell > 0 && open > again)
            (fell, again) = (fell + Climb(run, order[again..]), open);
        run.RuledOutCount = run.RuledOutCount with { ClimbedAgain = again, Fell = fell };
        if (fell > 0)
            yield return new("F3", $"{fell} of {again} climbs that ended early, ruled out by the gradient there, fool the model when they go to their end: gradients are flat in places (masking). The rows count as broken.");
    }

    private static int Climb(SuiteRun run, RuledOutClimb[] climbs)
    {
        var fallen = 0;
        foreach (var group in climbs.GroupBy(climb => climb.Strength))
        {
            RuledOutClimb[] same = [.. group];
            var task = run.Task([.. same.Select(climb => climb.Row)], group.Key);
            var points = new float[task.Points.Length];
            SuiteAttacks.Targeted(task.Options, task.Reach).Run(run.Target.Gradients!, task.Points, task.Labels, [.. same.Select(climb => climb.Target)], run.Target.Mutable, points);
            var fell = SuiteRun.Judge(task, run.Target.Send(points, task.Rows));
            for (var i = 0; i < same.Length; i++)
            {
                if (!fell[i])
                    continue;
                fallen++;
                run.Fall(same[i].Row, group.Key, "apgd-t");
            }
        }

        return fallen;
    }
}
