using Bulwark.Models;
using Bulwark.Networks;
using Bulwark.Training;

namespace Bulwark.Assurance;

/// <summary>What is planted, and what it is measured on.</summary>
internal sealed record PoisonTask
{
    public required FeatureSchema Schema { get; init; }

    /// <summary>Any encoded rows of the schema.</summary>
    public required EncodedDataset Kind { get; init; }

    public required LabelledRows Train { get; init; }

    /// <summary>Known to be clean; screens compare with them.</summary>
    public required LabelledRows Trusted { get; init; }

    public required LabelledRows Test { get; init; }

    public TrainingOptions Recipe { get; init; } = new();

    /// <summary>The class that planted rows lead to.</summary>
    public int Target { get; init; }

    /// <summary>Planted rows as a share of all.</summary>
    public double Share { get; init; } = 0.05;

    /// <summary>Features of a trigger.</summary>
    public int TriggerSize { get; init; } = 3;

    public ulong Seed { get; init; } = 1;
}

/// <summary>How one screen did on planted rows.</summary>
/// <param name="Screen">Its name.</param>
/// <param name="Suspicious">Whether it found the rows as a whole suspicious.</param>
/// <param name="Detected">Planted rows that it flagged; of none where it looks at the model, or nothing was planted.</param>
/// <param name="FalsePositives">Clean rows that it flagged.</param>
/// <param name="Finding">What it says.</param>
internal sealed record ScreenOutcome(string Screen, bool Suspicious, RowShare Detected, RowShare FalsePositives, string Finding);

/// <summary>One kind of poison, measured.</summary>
/// <param name="Kind">Null where nothing was planted.</param>
/// <param name="Planted">Rows.</param>
/// <param name="Accuracy">On test rows, of a model trained on the planted rows too.</param>
/// <param name="SuccessBefore">Test rows of the other class, right without poison, that the clean model decides as the target once they bear the trigger.</param>
/// <param name="Success">The same by the poisoned model.</param>
/// <param name="Screens">By screen.</param>
internal sealed record PoisonOutcome(PoisonKind? Kind, int Planted, RowShare Accuracy, RowShare SuccessBefore, RowShare Success, IReadOnlyList<ScreenOutcome> Screens);

/// <summary>Plants poison, trains on it, and measures both what it does and whether screens find it.</summary>
internal static class PoisonTrial
{
    private const double HardenBy = 0.3;

    /// <param name="task">What on what.</param>
    /// <param name="kinds">Which poisons; nothing planted is always measured first.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancel">Stops.</param>
    internal static (Trigger Trigger, IReadOnlyList<PoisonOutcome> Outcomes) Run(PoisonTask task, IReadOnlyList<PoisonKind> kinds, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        var screening = new DataScreening(task.Schema, task.Kind, task.Trusted, task.Recipe, cancel);
        var trigger = Trigger.OfTable(task.Schema, task.Train.Rows, task.TriggerSize, task.Seed);
        var clean = screening.Train(task.Train, task.Seed, cancel);
        using var before = screening.Scorer(clean);
        progress?.Report(1.0 / (kinds.Count + 2));
        var outcomes = new List<PoisonOutcome> { Measure(task, screening, null, new(task.Train.Rows, task.Train.Labels, []), trigger, before, clean) };
        foreach (var kind in kinds)
        {
            cancel.ThrowIfCancellationRequested();
            var planted = Poison.Plant(kind, task.Train.Rows, task.Schema.Width, task.Train.Labels, task.Target, task.Share, trigger, (rows, labels) => Harden(task.Schema, clean, rows, labels), task.Seed);
            var network = screening.Train(new(planted.Rows, planted.Labels), task.Seed, cancel);
            outcomes.Add(Measure(task, screening, kind, planted, kind == PoisonKind.LabelFlip ? null : trigger, before, network));
            progress?.Report((outcomes.Count + 1.0) / (kinds.Count + 2));
        }

        return (trigger, outcomes);
    }

    private static PoisonOutcome Measure(PoisonTask task, DataScreening screening, PoisonKind? kind, PoisonedRows planted, Trigger? trigger, IScorer before, DenseNetwork<float> network)
    {
        using var after = screening.Scorer(network);
        var (width, test) = (task.Schema.Width, task.Test);
        var (clean, own) = (Classes(before, test.Rows), Classes(after, test.Rows));
        int[] others = [.. Enumerable.Range(0, test.Labels.Length).Where(row => test.Labels[row] != task.Target && clean[row] == test.Labels[row])];
        var marked = AttackSuite.Pick(test.Rows, width, others);
        marked = trigger?.Applied(marked, width) ?? marked;
        RowShare Led(IScorer scorer) => RowShare.From(Classes(scorer, marked).Count(label => label == task.Target), others.Length);
        var report = screening.Run(new(planted.Rows, planted.Labels), network, null, task.TriggerSize);
        var guilty = planted.Planted.ToHashSet();
        IEnumerable<ScreenOutcome> screens = report.Data.Select(finding => new ScreenOutcome(
            finding.Screen, finding.Suspicious, RowShare.From(finding.Flagged.Count(guilty.Contains), guilty.Count),
            RowShare.From(finding.Flagged.Count(row => !guilty.Contains(row)), planted.Labels.Length - guilty.Count), finding.Finding));
        if (report.Triggers.Count > 0)
        {
            var found = report.Triggers.MaxBy(one => one.Success - one.Reference)!;
            int[] bearers = [.. report.Triggers.Where(one => one.Suspicious).SelectMany(one => one.Bearers)];
            screens = screens.Append(new("trigger search", report.Triggers.Any(one => one.Suspicious), RowShare.From(bearers.Count(guilty.Contains), guilty.Count), RowShare.From(bearers.Count(row => !guilty.Contains(row)), planted.Labels.Length - guilty.Count), Say(found, task.Schema)));
        }

        return new(kind, guilty.Count, RowShare.From(own.Zip(test.Labels).Count(pair => pair.First == pair.Second), own.Length), Led(before), Led(after), [.. screens]);
    }

    /// <summary>What a trigger finding says.</summary>
    internal static string Say(TriggerFinding found, FeatureSchema schema) =>
        found.Trigger.Columns.Count == 0 ? $"class {found.Target}: no value that is commoner than among trusted rows moves the model"
        : $"{string.Join(", ", found.Trigger.Columns.Zip(found.Trigger.Values, (column, value) => $"{schema.Features[column].Name} = {value:0.####}"))}, borne by {found.Bearers.Count} training rows of class {found.Target}, leads {found.Success:P0} of other rows there; a model of trusted rows {found.Reference:P0}";

    /// <summary>Away from their own class, in every number, as far as rows can be sent.</summary>
    private static float[] Harden(FeatureSchema schema, DenseNetwork<float> network, float[] rows, int[] labels)
    {
        var encoder = new FeatureEncoder(schema with { Features = [.. schema.Features.Select(feature => feature with { Mutable = feature.Kind is FeatureKind.Numeric or FeatureKind.Integer })] });
        if (!encoder.MutableMask.Contains(true))
            return rows;
        var (encoded, moved, hard) = (encoder.Encode(rows), new float[labels.Length * encoder.EncodedWidth], new float[rows.Length]);
        new ProjectedGradientDescent { Epsilon = HardenBy, Steps = 20 }.Run(network, encoded, labels, encoder.MutableMask, moved);
        encoder.Decode(moved, labels.Length, rows, hard);
        return hard;
    }

    private static int[] Classes(IScorer scorer, float[] rows)
    {
        var scores = new float[rows.Length / scorer.Width];
        scorer.Score(rows, scores.Length, scores);
        return [.. scores.Select(score => score >= 0.5 ? 1 : 0)];
    }
}
