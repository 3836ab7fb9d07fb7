using Bulwark.Networks;

namespace Bulwark.Assurance;

/// <summary>Signs that an evaluation is broken or overstates robustness: F1 to F14.</summary>
/// <remarks>Sources: Carlini et al., 2019, section 5 (arXiv:1902.06705); Athalye et al., ICML 2018, section 3.1 (arXiv:1802.00420); Pintor et al., "Indicators of Attack Failure", NeurIPS 2022 (arXiv:2106.09947); Croce et al., "RobustBench", 2021, section 3 (arXiv:2010.09670).</remarks>
internal static class SuiteChecks
{
    private const int Probed = 100;

    /// <param name="run">The finished attacks.</param>
    /// <param name="done">Told the fraction of the checks that were made, 0 to 1.</param>
    internal static IReadOnlyList<RedFlag> Find(SuiteRun run, Action<double>? done = null)
    {
        if (run.Labels.Length == 0)
            return [];
        List<Func<IEnumerable<RedFlag>>> checks = [() => RuledOutAgain.Check(run), () => ModelChecks.Find(run), () => NoRoom(run), () => Monotone(run), () => Shares(run)];
        if (run.Target.Gradients is not null)
            checks.AddRange([() => MoreEffort(run), () => Transfer(run), () => AttackFailure(run)]);
        checks.Add(() => Noise(run));
        if (run.Target is TabularTarget tabular)
            checks.Add(() => FrozenFeatures.Find(run, tabular));
        var flags = new List<RedFlag>();
        for (var i = 0; i < checks.Count; i++)
        {
            flags.AddRange(checks[i]());
            done?.Invoke((i + 1.0) / checks.Count);
        }

        return flags;
    }

    /// <summary>How many of the rows tried may fall before a flag is raised: a share of these, not of the run, of which they may be a small sample.</summary>
    private static int Slack(int tried, double share) => int.Max(1, (int)Math.Ceiling(share * tried));

    private static int Highest(SuiteRun run) => Enumerable.Range(0, run.Options.Strengths.Count).MaxBy(s => run.Options.Strengths[s]);

    private static int[] Sample(int[] rows) => [.. rows.Take(Probed)];

    /// <summary>F1: no room to move must change nothing.</summary>
    private static IEnumerable<RedFlag> NoRoom(SuiteRun run)
    {
        var task = new SuiteTask(run.Target, run.Options with { Steps = 3, Queries = 20 }, new(run.Options.Norm, 0), run.Rows, run.Labels);
        foreach (var attack in run.Attacks.Take(1))
        {
            var sent = SuiteAttacks.Run(attack, task).Sent;
            var wrong = run.Target.Wrong(sent, run.Labels);
            var changed = wrong.Zip(run.CleanWrong).Count(pair => pair.First != pair.Second);
            if (changed > 0)
                yield return new("F1", $"{attack} at distance 0 changed {changed} answers: the model answers the same row differently, or what is sent is not the row.");
        }
    }

    /// <summary>F2: more room must not help the defender; with all of it nothing holds.</summary>
    private static IEnumerable<RedFlag> Monotone(SuiteRun run)
    {
        var first = run.Attacks.FirstOrDefault(SuiteAttacks.IsWhiteBox) ?? run.Attacks[0];
        int[] rows = Sample([.. Enumerable.Range(0, run.Labels.Length).Where(row => !run.CleanWrong[row])]);
        if (rows.Length == 0)
            yield break;
        var (before, lower) = (0, 0.0);
        foreach (var s in Enumerable.Range(0, run.Options.Strengths.Count).OrderBy(s => run.Options.Strengths[s]))
        {
            var (strength, unseen) = (run.Options.Strengths[s], rows.Where(row => !run.Met(first, s, row)).ToArray());
            var broken = rows.Except(unseen).Count(row => run.BrokenBy[s][row] == first) + Broken(run, first, unseen, run.Reach(s));
            if (before - broken > int.Max(2, rows.Length / 200))
                yield return new("F2", $"{first} succeeds on {before - broken} of {rows.Length} rows fewer at distance {strength} than at {lower}: it does not use the room it has.");
            (before, lower) = (broken, strength);
        }

        // The whole range: any class can be reached, unless some values cannot move at all.
        if (run.Target.Mutable.Contains(false) || run.Target is TabularTarget { Space.Constraints.Relations.Count: > 0 } || !double.IsPositiveInfinity(run.Options.Budget))
            yield break;
        var range = run.Options.Norm switch { PerturbationNorm.Linf => 1.0, PerturbationNorm.L2 => Math.Sqrt(run.Target.Inputs), _ => run.Target.Inputs };
        var robust = rows.Length - Broken(run, first, rows, new(run.Options.Norm, range));
        if (robust > (rows.Length / run.Target.Classes) + Slack(rows.Length, 0.02))
            yield return new("F2", $"With the whole range to move in, {first} still fails on {robust} of {rows.Length} rows: gradients mislead, or the attack is broken.");
    }

    private static int Broken(SuiteRun run, string attack, int[] rows, TabularReach reach)
    {
        if (rows.Length == 0)
            return 0;
        var task = new SuiteTask(run.Target, run.Options, reach, AttackSuite.Pick(run.Rows, run.Target.Width, rows), [.. rows.Select(row => run.Labels[row])]);
        return SuiteRun.Judge(task, SuiteAttacks.Run(attack, task).Sent).Count(fell => fell);
    }

    /// <summary>F3: twice the steps, at least a hundred, and two more starts must find nothing new, up to half a percent.</summary>
    private static IEnumerable<RedFlag> MoreEffort(SuiteRun run)
    {
        var strength = Highest(run);
        int[] rows = Sample(run.Resisting(strength));
        if (rows.Length == 0)
            yield break;
        var more = new HashSet<int>();
        for (var start = 0; start < 2; start++)
        {
            var task = run.Task(rows, strength) with { Options = run.Options with { Steps = int.Clamp(2 * run.Options.Steps, 100, 400), Seed = run.Options.Seed + (ulong)start + 1 } };
            var points = new float[task.Points.Length];
            new AutoProjectedGradientDescent { Norm = run.Options.Norm, Epsilon = task.Reach.Epsilon, Steps = task.Options.Steps, Rescaled = start == 0, Loss = start == 1 ? Loss.Margin : null, RandomStart = true, Seed = task.Options.Seed }
                .Run(run.Target.Gradients!, task.Points, task.Labels, [], run.Target.Mutable, points);
            var fell = SuiteRun.Judge(task, run.Target.Send(points, task.Rows));
            more.UnionWith(Enumerable.Range(0, rows.Length).Where(i => fell[i]));
        }

        if (more.Count > Slack(rows.Length, 0.005))
            yield return new("F3", $"More steps and starts break {more.Count} of {rows.Length} rows that the attacks left: their effort was too small.");
    }

    /// <summary>F8: attacks that only ask must not find what gradients missed, up to 0.2 % of the rows. On whole numbers and relations they rightly do: there both are tried again where those stay as they are.</summary>
    private static IEnumerable<RedFlag> Shares(SuiteRun run)
    {
        if (run.Target.Gradients is null)
            yield break;
        var strength = Highest(run);
        if (run.Target is TabularTarget tabular && tabular.Smooth() is var smooth && !smooth.Mutable.SequenceEqual(tabular.Mutable))
        {
            var (ahead, tried) = SmoothFinds(run, smooth, strength);
            if (ahead > Slack(tried, 0.002))
                yield return new("F8", $"Where whole numbers, flags and categories stay as they are, questions break {ahead} of {tried} rows that gradients leave: gradients mislead (masking); trust the worst case only.");
            yield break;
        }

        var found = run.BrokenBy[strength].Count(by => by is not null && !SuiteAttacks.IsWhiteBox(by));
        if (found > Slack(run.Labels.Length, 0.002))
            yield return new("F8", $"Attacks without gradients break {found} rows that gradients left: gradients mislead (masking); trust the worst case only.");
    }

    /// <summary>Rows that gradients left, and how many of them the search breaks while gradients, with the same values to move, do not.</summary>
    private static (int Ahead, int Tried) SmoothFinds(SuiteRun run, TabularTarget smooth, int strength)
    {
        if (!smooth.Mutable.Contains(true))
            return default;
        int[] left = Sample([.. Enumerable.Range(0, run.Labels.Length).Where(row => !run.CleanWrong[row] && run.BrokenBy[strength][row] is var by && (by is null || !SuiteAttacks.IsWhiteBox(by)))
            .OrderBy(row => run.BrokenBy[strength][row] is null)]);
        var found = left;
        string[] gradients = [.. run.Attacks.Where(SuiteAttacks.IsWhiteBox).Append("apgd-margin").Distinct(StringComparer.Ordinal)];
        foreach (var attack in gradients.Prepend("search").TakeWhile(_ => found.Length > 0))
        {
            var task = run.Task(found, strength) with { Target = smooth };
            var fell = SuiteRun.Judge(task, SuiteAttacks.Run(attack, task).Sent);
            found = [.. found.Where((_, i) => fell[i] == (attack == "search"))];
        }

        return (found.Length, left.Length);
    }

    /// <summary>F9: attacks on networks trained from the model's answers must not find what its own gradients missed.</summary>
    private static IEnumerable<RedFlag> Transfer(SuiteRun run)
    {
        var strength = Highest(run);
        int[] rows = Sample(run.Resisting(strength));
        if (rows.Length < 20)
            yield break;
        foreach (var robust in (bool[])[false, true])
        {
            var task = run.Task(rows, strength);
            var fell = SuiteRun.Judge(task, run.Target.Send(Surrogate.Attack(task, robust), task.Rows)).Count(one => one);
            if (fell > Slack(rows.Length, 0.002))
                yield return new("F9", $"Points made for {(robust ? "an adversarially trained" : "a plain")} surrogate break {fell} of {rows.Length} rows that the model's own gradients left: gradients mislead (masking).");
        }
    }

    /// <summary>F10: random points and corners must not find what attacks missed.</summary>
    private static IEnumerable<RedFlag> Noise(SuiteRun run)
    {
        var strength = Highest(run);
        int[] rows = Sample(run.Resisting(strength));
        if (rows.Length == 0)
            yield break;
        var task = run.Task(rows, strength);
        var (points, _) = RandomPoints.Search(new(task), task.Reach, task.Points, task.Labels, run.Target.Mutable, 100, run.Options.Seed);
        var fell = SuiteRun.Judge(task, run.Target.Send(points, task.Rows)).Count(one => one);
        if (fell > Slack(rows.Length, 0.002))
            yield return new("F10", $"Random points and corners break {fell} of {rows.Length} rows that every attack left: the attacks do not work on this model.");
    }

    /// <summary>F11: an attack that never leaves its start, or that fools the gradients' model and not the model asked, has failed by itself.</summary>
    private static IEnumerable<RedFlag> AttackFailure(SuiteRun run)
    {
        var strength = Highest(run);
        int[] rows = run.Resisting(strength);
        if (rows.Length == 0)
            yield break;
        var task = run.Task(rows, strength);
        var points = new float[task.Points.Length];
        var broken = new bool[rows.Length];
        new AutoProjectedGradientDescent { Norm = run.Options.Norm, Epsilon = task.Reach.Epsilon, Steps = int.Min(20, run.Options.Steps), Loss = Loss.Margin }
            .Run(run.Target.Gradients!, task.Points, task.Labels, [], run.Target.Mutable, points, default, broken);
        var stuck = Enumerable.Range(0, rows.Length).Count(i => points.AsSpan(i * run.Target.Inputs, run.Target.Inputs).SequenceEqual(task.Points.AsSpan(i * run.Target.Inputs, run.Target.Inputs)));
        if (stuck > int.Max(2, rows.Length / 20))
            yield return new("F11", $"On {stuck} of {rows.Length} rows the attack ends where it began: it could not climb.");
        // The very rows that would be sent, seen by the gradients' model: where it is fooled, the model must be.
        var sent = run.Target.Send(points, task.Rows);
        var again = run.Target.Points(sent);
        var (model, fooled) = (run.Target.Gradients!, 0);
        var fell = run.Target.Wrong(sent, task.Labels);
        for (var at = 0; at < rows.Length; at += model.MaxRows)
        {
            var count = int.Min(model.MaxRows, rows.Length - at);
            var logits = model.Forward(again.AsSpan(at * model.Inputs, count * model.Inputs), count);
            for (var i = 0; i < count; i++)
                fooled += LossFunction.Predict(logits.Slice(i * model.Outputs, model.Outputs)) != task.Labels[at + i] && !fell[at + i] ? 1 : 0;
        }

        if (fooled > Slack(rows.Length, 0.005))
            yield return new("F11", $"On {fooled} of {rows.Length} rows the loss rises past the boundary and the answer stays: what is attacked is not what answers.");
    }
}
