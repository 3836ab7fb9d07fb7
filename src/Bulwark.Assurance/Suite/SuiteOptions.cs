namespace Bulwark.Assurance;

/// <summary>What the suite does.</summary>
internal sealed record SuiteOptions
{
    /// <summary>Attacks by name, in order; each meets the rows that still resist. Empty chooses by model: see <see cref="SuiteAttacks.Default"/>.</summary>
    public IReadOnlyList<string> Attacks { get; init; } = [];

    /// <summary>How distance is measured.</summary>
    public PerturbationNorm Norm { get; init; }

    /// <summary>Distances, above 0, at most 64.</summary>
    public IReadOnlyList<double> Strengths { get; init; } = [0.1];

    /// <summary>What a tabular attacker can spend on a row; infinite for no limit.</summary>
    public double Budget { get; init; } = double.PositiveInfinity;

    /// <summary>Steps of each gradient attack.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>Queries that a row may cost each attack without gradients.</summary>
    public int Queries { get; init; } = 1000;

    /// <summary>Names every random choice.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Which part of the rows is attacked, from 0, of <see cref="Shards"/>.</summary>
    public int Shard { get; init; }

    /// <summary>Into how many parts the rows are dealt.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Whether the evaluation is checked for red flags F1 to F14.</summary>
    public bool Checks { get; init; } = true;

    internal IEnumerable<string> Faults()
    {
        if (Strengths.Count is 0 or > 64 || Strengths.Any(strength => !(strength > 0) || !double.IsFinite(strength)))
            yield return "Strengths are 1 to 64 finite numbers above 0.";
        if (!(Budget > 0))
            yield return $"{nameof(Budget)} is {Budget}; it must be above 0.";
        foreach (var (name, value) in ((string, int)[])[(nameof(Steps), Steps), (nameof(Queries), Queries), (nameof(Shards), Shards)])
        {
            if (value < 1)
                yield return $"{name} is {value}; it must be above 0.";
        }

        if (Shard < 0 || Shard >= Shards)
            yield return $"Shard {Shard} is none of {Shards}.";
        foreach (var attack in Attacks.Where(attack => !SuiteAttacks.Known.Contains(attack)))
            yield return $"There is no attack '{attack}': {string.Join(", ", SuiteAttacks.Known)}.";
    }
}

/// <summary>What became of one row.</summary>
/// <param name="Row">Its index in the data.</param>
/// <param name="Label">Its class.</param>
/// <param name="CleanWrong">Whether the model gets it wrong untouched.</param>
/// <param name="BrokenBy">By strength, the attack that succeeded first; null where the row resisted.</param>
/// <param name="Cost">By strength, what the success cost the attacker; null without prices or success.</param>
/// <param name="Queries">Questions asked for it by attacks without gradients, over all strengths.</param>
internal sealed record SuiteRow(int Row, int Label, bool CleanWrong, string?[] BrokenBy, double?[] Cost, int Queries);

/// <summary>Rows that resist at one strength.</summary>
/// <param name="Strength">The distance.</param>
/// <param name="Robust">Rows that are right untouched and under every attack.</param>
/// <param name="AttackSuccess">Among rows that are right untouched, those that some attack made wrong.</param>
/// <param name="ByAttack">Rows broken by each attack, each counted at the first that broke it.</param>
/// <param name="PositivesEvaded">Success among positives that were found untouched, for two classes.</param>
/// <param name="MeanNetGain">What an attacker gains a detected positive row after costs, never below 0, on average; null without prices.</param>
internal sealed record SuiteCurvePoint(double Strength, RowShare Robust, RowShare AttackSuccess, IReadOnlyDictionary<string, int> ByAttack, RowShare? PositivesEvaded, double? MeanNetGain);

/// <summary>What the suite came to.</summary>
internal sealed record SuiteReport
{
    public required SuiteOptions Options { get; init; }

    /// <summary>The attacks that ran, in order.</summary>
    public required IReadOnlyList<string> Attacks { get; init; }

    public required bool WhiteBox { get; init; }

    public required RowShare Clean { get; init; }

    public required IReadOnlyList<SuiteCurvePoint> Curve { get; init; }

    public required IReadOnlyList<RedFlag> Flags { get; init; }

    /// <summary>Climbs that ended early; null in a report of an earlier version, which did not count them.</summary>
    public RuledOutCount? RuledOut { get; init; }

    public required IReadOnlyList<SuiteRow> Rows { get; init; }

    /// <summary>Curve and shares of the rows.</summary>
    internal static SuiteReport Of(SuiteOptions options, IReadOnlyList<string> attacks, bool whiteBox, IReadOnlyList<SuiteRow> rows, IReadOnlyList<RedFlag> flags, Func<int, double>? utility = null)
    {
        var binary = rows.All(row => row.Label is 0 or 1);
        var right = rows.Where(row => !row.CleanWrong).ToList();
        return new()
        {
            Options = options,
            Attacks = attacks,
            WhiteBox = whiteBox,
            Clean = RowShare.From(right.Count, rows.Count),
            Curve = [.. options.Strengths.Select((strength, s) => new SuiteCurvePoint(
                strength,
                RowShare.From(right.Count(row => row.BrokenBy[s] is null), rows.Count),
                RowShare.From(right.Count(row => row.BrokenBy[s] is not null), right.Count),
                attacks.ToDictionary(attack => attack, attack => right.Count(row => row.BrokenBy[s] == attack)),
                binary ? RowShare.From(right.Count(row => row.Label == 1 && row.BrokenBy[s] is not null), right.Count(row => row.Label == 1)) : null,
                utility is null ? null : right.Where(row => row.Label == 1 && row.Cost[s] is not null).Select(row => Math.Max(0, utility(row.Row) - row.Cost[s]!.Value)).DefaultIfEmpty(0).Sum() / Math.Max(1, right.Count(row => row.Label == 1))))],
            Flags = flags,
            Rows = rows,
        };
    }
}
