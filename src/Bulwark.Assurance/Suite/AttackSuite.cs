using System.Text.Json;

namespace Bulwark.Assurance;

/// <summary>Worst case of an ensemble of attacks, row by row: each attack meets the rows that resisted those before it, at each strength those that resisted the lower ones.</summary>
/// <remarks>
/// Sources: Croce and Hein, "Reliable evaluation of adversarial robustness", ICML 2020 (arXiv:2003.01690); Carlini et al., "On Evaluating Adversarial
/// Robustness", 2019 (arXiv:1902.06705). A success counts only when the row can be sent, lies in reach and is misclassified by the model itself, asked
/// anew. Draws belong to rows: shards together give what one run gives, and so does a run that was stopped and taken up again.
/// </remarks>
internal static class AttackSuite
{
    private const int BlockRows = 250;

    /// <summary>How much of a progress bar the attacks take; the checks, which attack some rows again, the rest.</summary>
    private const double AttackingShare = 0.7;

    /// <param name="target">The model.</param>
    /// <param name="rows">Shape (rows, Width): all rows, of which this shard's are attacked.</param>
    /// <param name="labels">Shape (rows).</param>
    /// <param name="options">What to do.</param>
    /// <param name="state">Remembers finished blocks; null to remember nothing.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancel">Stops between blocks.</param>
    /// <exception cref="ArgumentException">The options have faults, or a length does not fit.</exception>
    internal static SuiteReport Run(
        SuiteTarget target, float[] rows, int[] labels, SuiteOptions options, SuiteState? state = null, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        if (string.Join(' ', options.Faults()) is { Length: > 0 } faults)
            throw new ArgumentException(faults, nameof(options));
        if (rows.Length != labels.Length * target.Width)
            throw new ArgumentException($"{rows.Length} values are not {labels.Length} rows of {target.Width}.", nameof(rows));
        string[] attacks = options.Attacks.Count > 0 ? [.. options.Attacks] : SuiteAttacks.Default(target);
        if (attacks.FirstOrDefault(attack => !SuiteAttacks.Fits(attack, target)) is { } unfit)
            throw new ArgumentException($"The attack {unfit} does not fit this model: {string.Join(", ", SuiteAttacks.Known.Where(name => SuiteAttacks.Fits(name, target)))} do.", nameof(options));
        int[] mine = [.. Enumerable.Range(0, labels.Length).Where(row => row % options.Shards == options.Shard)];
        var run = new SuiteRun(target, options, attacks, Pick(rows, target.Width, mine), [.. mine.Select(row => labels[row])], mine);
        double[] strengths = [.. options.Strengths];
        var (done, all) = (0, strengths.Length * attacks.Length * ((mine.Length + BlockRows - 1) / BlockRows));
        var attacking = options.Checks ? AttackingShare : 1;
        foreach (var s in Enumerable.Range(0, strengths.Length).OrderBy(s => strengths[s]))
        {
            run.Begin(s);
            foreach (var attack in attacks)
            {
                for (var block = 0; block * BlockRows < mine.Length; block++)
                {
                    cancel.ThrowIfCancellationRequested();
                    run.Attack(attack, s, block * BlockRows, int.Min(mine.Length, (block + 1) * BlockRows), state);
                    progress?.Report(attacking * ++done / all);
                }
            }
        }

        run.RuledOutCount = new(run.RuledOut.Count, run.OpenRuledOut().Count(), 0, 0);
        var flags = options.Checks ? SuiteChecks.Find(run, part => progress?.Report(attacking + ((1 - attacking) * part))) : [];
        progress?.Report(1);
        Func<int, double>? utility = target is TabularTarget { Space.Constraints.HasCosts: true } tabular
            ? row => tabular.Space.Constraints.Utility(rows.AsSpan(row * target.Width, target.Width)) : null;
        return SuiteReport.Of(options, attacks, target.Gradients is not null, run.Results(), flags, utility) with { RuledOut = run.RuledOutCount };
    }

    /// <summary>The report of all shards; a flag of one is a flag of all.</summary>
    /// <exception cref="ArgumentException">The parts do not belong together, or one is missing.</exception>
    internal static SuiteReport Merge(IReadOnlyList<SuiteReport> parts)
    {
        if (parts.Count == 0)
            throw new ArgumentException("There are no reports to merge.", nameof(parts));
        var first = parts[0].Options;
        if (parts.Any(part => SuiteState.Identity(part.Options with { Shard = 0 }) != SuiteState.Identity(first with { Shard = 0 }) || !part.Attacks.SequenceEqual(parts[0].Attacks)))
            throw new ArgumentException("The reports come from runs with other options.", nameof(parts));
        if (!parts.Select(part => part.Options.Shard).Order().SequenceEqual(Enumerable.Range(0, first.Shards)))
            throw new ArgumentException($"There must be one report of each of {first.Shards} shards; there are those of {string.Join(", ", parts.Select(part => part.Options.Shard).Order())}.", nameof(parts));
        return SuiteReport.Of(
            first with { Shard = 0, Shards = 1 }, parts[0].Attacks, parts[0].WhiteBox, [.. parts.SelectMany(part => part.Rows).OrderBy(row => row.Row)], [.. parts.SelectMany(part => part.Flags).DistinctBy(flag => (flag.Id, flag.Finding))])
            with
        { RuledOut = RuledOutCount.Sum(parts.Select(part => part.RuledOut)) };
    }

    internal static float[] Pick(float[] rows, int width, IReadOnlyList<int> chosen)
    {
        var picked = new float[chosen.Count * width];
        for (var i = 0; i < chosen.Count; i++)
            rows.AsSpan(chosen[i] * width, width).CopyTo(picked.AsSpan(i * width));
        return picked;
    }
}

/// <summary>One run of the suite on its way: who has broken which row.</summary>
internal sealed class SuiteRun
{
    private readonly int[] _queries;
    private readonly int[] _index;

    internal SuiteRun(SuiteTarget target, SuiteOptions options, string[] attacks, float[] rows, int[] labels, int[] index)
    {
        (Target, Options, Attacks, Rows, Labels, _index) = (target, options, attacks, rows, labels, index);
        CleanWrong = target.Wrong(rows, labels);
        _queries = new int[labels.Length];
        BrokenBy = [.. options.Strengths.Select(_ => new string?[labels.Length])];
        Cost = [.. options.Strengths.Select(_ => new double?[labels.Length])];
        Last = [.. rows];
    }

    internal SuiteTarget Target { get; }

    internal SuiteOptions Options { get; }

    internal string[] Attacks { get; }

    internal float[] Rows { get; }

    internal int[] Labels { get; }

    internal bool[] CleanWrong { get; }

    /// <summary>By strength and row, the first attack that broke it.</summary>
    internal string?[][] BrokenBy { get; }

    internal double?[][] Cost { get; }

    /// <summary>What gradient attacks last tried on each row at the highest strength, as it would be sent.</summary>
    internal float[] Last { get; }

    internal RuledOutCount RuledOutCount { get; set; } = new(0, 0, 0, 0);

    /// <summary>Climbs that ended early.</summary>
    internal List<RuledOutClimb> RuledOut { get; } = [];

    /// <summary>Climbs that ended early, of rows that resist: nothing else has judged them.</summary>
    internal IEnumerable<RuledOutClimb> OpenRuledOut() => RuledOut.Where(climb => !CleanWrong[climb.Row] && BrokenBy[climb.Strength][climb.Row] is null);

    /// <summary>Marks a row as broken, at this strength and at all higher ones.</summary>
    internal void Fall(int row, int strength, string attack)
    {
        for (var s = 0; s < Options.Strengths.Count; s++)
            BrokenBy[s][row] ??= Options.Strengths[s] >= Options.Strengths[strength] ? attack : null;
    }

    internal int[] Resisting(int strength) => [.. Enumerable.Range(0, Labels.Length).Where(row => !CleanWrong[row] && BrokenBy[strength][row] is null)];

    /// <summary>Whether the row still resisted when this attack's turn came: it fell to a lower strength or to an attack before it else.</summary>
    internal bool Met(string attack, int strength, int row)
    {
        for (var lower = 0; lower < Options.Strengths.Count; lower++)
        {
            if (Options.Strengths[lower] < Options.Strengths[strength] && BrokenBy[lower][row] is not null)
                return false;
        }

        return BrokenBy[strength][row] is not { } by || Array.IndexOf(Attacks, by) >= Array.IndexOf(Attacks, attack);
    }

    /// <summary>What broke a row at a lower strength breaks it here too.</summary>
    internal void Begin(int strength)
    {
        for (var lower = 0; lower < Options.Strengths.Count; lower++)
        {
            if (Options.Strengths[lower] >= Options.Strengths[strength])
                continue;
            for (var row = 0; row < Labels.Length; row++)
                (BrokenBy[strength][row], Cost[strength][row]) = BrokenBy[strength][row] is null ? (BrokenBy[lower][row], Cost[lower][row]) : (BrokenBy[strength][row], Cost[strength][row]);
        }
    }

    internal TabularReach Reach(int strength) => new(Options.Norm, Options.Strengths[strength], Options.Budget);

    internal SuiteTask Task(IReadOnlyList<int> rows, int strength) =>
        new(Target, Options, Reach(strength), AttackSuite.Pick(Rows, Target.Width, rows), [.. rows.Select(row => Labels[row])]);

    internal void Attack(string attack, int strength, int from, int to, SuiteState? state)
    {
        int[] resisting = [.. Resisting(strength).Where(row => row >= from && row < to)];
        if (resisting.Length == 0)
            return;
        var key = new SuiteBlock(attack, Options.Strengths[strength], from);
        if (state?.Find(key) is { } known)
        {
            foreach (var (row, cost) in known.Broken)
                (BrokenBy[strength][row], Cost[strength][row]) = (attack, cost);
            foreach (var row in resisting)
                _queries[row] += known.Queries.GetValueOrDefault(row);
            RuledOut.AddRange(known.RuledOut);
            return;
        }

        var task = Task(resisting, strength);
        var trial = SuiteAttacks.Run(attack, task);
        var wrong = Judge(task, trial.Sent);
        var broken = new Dictionary<int, double?>();
        for (var i = 0; i < resisting.Length; i++)
        {
            _queries[resisting[i]] += trial.Queries[i];
            if (SuiteAttacks.IsWhiteBox(attack))
                trial.Sent.AsSpan(i * Target.Width, Target.Width).CopyTo(Last.AsSpan(resisting[i] * Target.Width));
            if (!wrong[i])
                continue;
            double? cost = Target is TabularTarget { Space.Constraints: { HasCosts: true } constraints }
                ? constraints.Cost(trial.Sent.AsSpan(i * Target.Width, Target.Width), task.Rows.AsSpan(i * Target.Width, Target.Width)) : null;
            (BrokenBy[strength][resisting[i]], Cost[strength][resisting[i]], broken[resisting[i]]) = (attack, cost, cost);
        }

        RuledOutClimb[] ruledOut = [.. trial.RuledOut.Select(climb => new RuledOutClimb(strength, resisting[climb.Row], climb.Target))];
        RuledOut.AddRange(ruledOut);
        state?.Keep(key, new(broken, resisting.Zip(trial.Queries).Where(pair => pair.Second > 0).ToDictionary(pair => pair.First, pair => pair.Second), ruledOut));
    }

    /// <summary>Which rows fall: what cannot be sent is replaced by the original before the model is asked.</summary>
    internal static bool[] Judge(SuiteTask task, float[] sent)
    {
        var (width, target) = (task.Target.Width, task.Target);
        var valid = new bool[task.Labels.Length];
        float[] asked = [.. sent];
        for (var row = 0; row < valid.Length; row++)
        {
            valid[row] = target.Reject(task.Reach, asked.AsSpan(row * width, width), task.Rows.AsSpan(row * width, width)) is null;
            if (!valid[row])
                task.Rows.AsSpan(row * width, width).CopyTo(asked.AsSpan(row * width));
        }

        var wrong = target.Wrong(asked, task.Labels);
        return [.. wrong.Select((fell, row) => fell && valid[row])];
    }

    internal IReadOnlyList<SuiteRow> Results() => [.. Enumerable.Range(0, Labels.Length).Select(row => new SuiteRow(
        _index[row], Labels[row], CleanWrong[row], [.. BrokenBy.Select(by => by[row])], [.. Cost.Select(cost => cost[row])], _queries[row]))];
}

/// <summary>A block of rows that one attack has met at one strength.</summary>
internal sealed record SuiteBlock(string Attack, double Strength, int From);

/// <summary>What became of a block: rows broken and at what cost, questions asked, climbs that ended early.</summary>
internal sealed record SuiteBlockResult(Dictionary<int, double?> Broken, Dictionary<int, int> Queries, IReadOnlyList<RuledOutClimb> RuledOut);

/// <summary>Remembers finished blocks in a file of JSON lines, so that a stopped run goes on where it was.</summary>
/// <remarks>The first line names the run: options, model, data. A file of another run is refused; a last line that was cut off is dropped.</remarks>
internal sealed class SuiteState
{
    private readonly string _path;
    private readonly Dictionary<SuiteBlock, SuiteBlockResult> _known = [];

    /// <param name="path">The file; made when absent.</param>
    /// <param name="options">What is run.</param>
    /// <param name="subject">Digests of model and data.</param>
    /// <exception cref="InvalidDataException">The file belongs to another run.</exception>
    internal SuiteState(string path, SuiteOptions options, string subject)
    {
        _path = path;
        var identity = $"v2 {Identity(options)} {subject}";   // v1 kept no climbs that ended early
        if (!File.Exists(path))
        {
            File.WriteAllText(path, JsonSerializer.Serialize(identity) + "\n");
            return;
        }

        string[] lines = File.ReadAllText(path).Split('\n');
        if (JsonSerializer.Deserialize<string>(lines[0]) != identity)
            throw new InvalidDataException($"{path} belongs to a run with other options, another model or other data; name another file.");
        foreach (var line in lines[1..^1])
        {
            var entry = JsonSerializer.Deserialize<Line>(line) ?? throw new InvalidDataException($"{path} is damaged.");
            _known[entry.Block] = entry.Result;
        }

        if (lines[^1].Length > 0)
            File.WriteAllText(path, string.Join('\n', lines[..^1]) + "\n");
    }

    internal SuiteBlockResult? Find(SuiteBlock block) => _known.GetValueOrDefault(block);

    internal void Keep(SuiteBlock block, SuiteBlockResult result)
    {
        _known[block] = result;
        File.AppendAllText(_path, JsonSerializer.Serialize(new Line(block, result)) + "\n");
    }

    /// <summary>The options that change a result, as text.</summary>
    internal static string Identity(SuiteOptions options) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{string.Join(',', options.Attacks)} {options.Norm} {string.Join(',', options.Strengths)} {options.Budget} {options.Steps} {options.Queries} {options.Seed} {options.Shard}/{options.Shards}");

    private sealed record Line(SuiteBlock Block, SuiteBlockResult Result);
}
