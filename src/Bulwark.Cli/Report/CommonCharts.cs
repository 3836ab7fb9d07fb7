namespace Bulwark.Cli.Report;

/// <summary>The charts that every run draws, so that they look the same in each report.</summary>
public static class CommonCharts
{
    /// <summary>True-positive rate against false-positive rate, the latter by powers of ten: fraud lives at the left end.</summary>
    /// <param name="variants">A curve (false-positive rate, true-positive rate) a model variant.</param>
    /// <param name="caption">What to see in it.</param>
    public static LineChart Roc(IEnumerable<(string Name, IEnumerable<(double FalsePositiveRate, double TruePositiveRate)> Curve)> variants, string? caption = null) => new()
    {
        Title = "Detection against false alarms (ROC)",
        Caption = caption,
        X = new("False-positive rate", ChartUnit.Percent, ChartScale.Log, 0.0005, 1),
        Y = new("True-positive rate", ChartUnit.Percent, Minimum: 0, Maximum: 1),
        Series =
        [
            .. variants.Select(variant => new ChartSeries(variant.Name, Ordered(variant.Curve))),
            new("Chance", [.. Enumerable.Range(0, 34).Select(i => Math.Pow(10, -3.3 + i * 0.1)).Select(x => new ChartPoint(x, x))], ChartShape.Reference),
        ],
        TableAt = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5],
    };

    /// <summary>Precision against recall.</summary>
    /// <param name="variants">A curve (recall, precision) a model variant.</param>
    /// <param name="prevalence">Share of positives: the precision of chance.</param>
    /// <param name="caption">What to see in it.</param>
    public static LineChart PrecisionRecall(IEnumerable<(string Name, IEnumerable<(double Recall, double Precision)> Curve)> variants, double prevalence, string? caption = null) => new()
    {
        Title = "Precision against recall (PR)",
        Caption = caption,
        X = new("Recall", ChartUnit.Percent, Minimum: 0, Maximum: 1),
        Y = new("Precision", ChartUnit.Percent, Minimum: 0, Maximum: 1),
        Series =
        [
            .. variants.Select(variant => new ChartSeries(variant.Name, Ordered(variant.Curve))),
            new("Chance", [new(0, prevalence), new(1, prevalence)], ChartShape.Reference),
        ],
        TableAt = [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1],
    };

    /// <summary>Attack success against strength, a curve a model variant, with intervals.</summary>
    /// <param name="attack">The attack's name.</param>
    /// <param name="strength">The strength's name and unit.</param>
    /// <param name="variants">Points (strength, success rate, interval) a model variant.</param>
    /// <param name="caption">What to see in it.</param>
    public static LineChart AttackSuccess(string attack, string strength, IEnumerable<(string Name, IEnumerable<ChartPoint> Points)> variants, string? caption = null) => new()
    {
        Title = $"{attack}: success against strength",
        Caption = caption,
        X = new(strength, Minimum: 0),
        Y = new("Attack success rate", ChartUnit.Percent, Minimum: 0, Maximum: 1),
        Series = [.. variants.Select(variant => new ChartSeries(variant.Name, [.. variant.Points.OrderBy(point => point.X)], ChartShape.Marked))],
    };

    /// <summary>Score distributions by true class, as shares of each class, by powers of ten.</summary>
    /// <param name="variant">The model variant.</param>
    /// <param name="classes">A histogram a class: counts of equal bins over scores from 0 to 1.</param>
    /// <param name="caption">What to see in it.</param>
    public static LineChart Scores(string variant, IEnumerable<(string Name, IReadOnlyList<long> Counts)> classes, string? caption = null) => new()
    {
        Title = $"Scores by true class: {variant}",
        Caption = caption,
        X = new("Score", Minimum: 0, Maximum: 1),
        Y = new("Share of the class in the bin", ChartUnit.Percent, ChartScale.Log, Maximum: 1),
        Series = [.. classes.Select(@class => new ChartSeries(@class.Name, Shares(@class.Counts), ChartShape.Bins))],
    };

    /// <summary>Privacy spent over the run against the budget.</summary>
    /// <param name="delta">The δ at which ε is stated.</param>
    /// <param name="budget">The budget's ε.</param>
    /// <param name="variants">Points (step or epoch, ε spent) a model variant or accountant.</param>
    /// <param name="caption">What to see in it.</param>
    public static LineChart PrivacyBudget(double delta, double budget, IEnumerable<(string Name, IEnumerable<(double Step, double Epsilon)> Points)> variants, string? caption = null) => new()
    {
        Title = "Privacy spent over the run",
        Caption = caption,
        X = new("Training epoch", Minimum: 0),
        Y = new($"ε spent at δ = {delta:0.###e-0}", Minimum: 0),
        Series = [.. variants.Select(variant => new ChartSeries(variant.Name, Ordered(variant.Points)))],
        Levels = [new(budget, $"budget ε = {budget:0.###}")],
    };

    /// <summary>What each safeguard costs.</summary>
    /// <param name="measure">What is measured, with the unit.</param>
    /// <param name="unit">How values are written.</param>
    /// <param name="costs">A safeguard and its cost.</param>
    /// <param name="caption">What to see in it.</param>
    public static BarChart Costs(string measure, ChartUnit unit, IEnumerable<(string Safeguard, double? Cost, string? Note)> costs, string? caption = null) => new()
    {
        Title = "What each safeguard costs",
        Caption = caption,
        Unit = unit,
        Measure = measure,
        Series = [measure],
        Groups = [.. costs.Select(cost => new BarGroup(cost.Safeguard, [cost.Cost], cost.Note))],
    };

    private static ChartPoint[] Ordered(IEnumerable<(double X, double Y)> curve) =>
        [.. curve.Select(point => new ChartPoint(point.X, point.Y)).OrderBy(point => point.X)];

    private static ChartPoint[] Shares(IReadOnlyList<long> counts)
    {
        double total = Math.Max(1, counts.Sum());
        return [.. counts.Select((count, bin) => new ChartPoint((double)bin / counts.Count, count / total)), new(1, 0)];
    }
}
