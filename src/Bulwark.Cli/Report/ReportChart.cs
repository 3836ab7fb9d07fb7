using System.Text.Json.Serialization;

namespace Bulwark.Cli.Report;

/// <summary>A chart; its figures are also drawn as a table beside it.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(LineChart), "lines")]
[JsonDerivedType(typeof(BarChart), "bars")]
public abstract record ReportChart
{
    /// <summary>What it shows.</summary>
    public required string Title { get; init; }

    /// <summary>What to see in it, one sentence; also the text for those who do not see it.</summary>
    public string? Caption { get; init; }
}

/// <summary>Curves over one axis: ROC, PR, attack success against strength, distributions, a budget over time.</summary>
public sealed record LineChart : ReportChart
{
    /// <summary>The horizontal axis.</summary>
    public required ChartAxis X { get; init; }

    /// <summary>The vertical axis.</summary>
    public required ChartAxis Y { get; init; }

    /// <summary>The curves; colours and dashes follow their order, so keep one order of model variants in every chart.</summary>
    public required IReadOnlyList<ChartSeries> Series { get; init; }

    /// <summary>Levels to compare with, such as a budget, drawn across.</summary>
    public IReadOnlyList<ChartLevel> Levels { get; init; } = [];

    /// <summary>Where on the horizontal axis the table beside the chart reads the curves; empty: at the ticks.</summary>
    public IReadOnlyList<double> TableAt { get; init; } = [];
}

/// <summary>One axis.</summary>
/// <param name="Label">Its name with the unit.</param>
/// <param name="Unit">How values are written.</param>
/// <param name="Scale">Linear or logarithmic.</param>
/// <param name="Minimum">Lower end; null takes it from the data.</param>
/// <param name="Maximum">Upper end; null takes it from the data.</param>
public sealed record ChartAxis(string Label, ChartUnit Unit = ChartUnit.Number, ChartScale Scale = ChartScale.Linear, double? Minimum = null, double? Maximum = null);

/// <summary>How an axis writes its values.</summary>
public enum ChartUnit
{
    /// <summary>As they are.</summary>
    Number = 0,

    /// <summary>A fraction, written in per cent.</summary>
    Percent,
}

/// <summary>How an axis spaces its values.</summary>
public enum ChartScale
{
    /// <summary>Evenly.</summary>
    Linear = 0,

    /// <summary>By powers of ten; values at or below 0 are left out.</summary>
    Log,
}

/// <summary>One curve.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Points">Its points by ascending X.</param>
/// <param name="Shape">How they are joined.</param>
public sealed record ChartSeries(string Name, IReadOnlyList<ChartPoint> Points, ChartShape Shape = ChartShape.Line);

/// <summary>How the points of a curve are joined.</summary>
public enum ChartShape
{
    /// <summary>By straight lines.</summary>
    Line = 0,

    /// <summary>By straight lines, with a mark at each point and its interval if it has one.</summary>
    Marked,

    /// <summary>By steps to the right, the area below filled: a histogram by bin starts.</summary>
    Bins,

    /// <summary>A thin dotted reference, such as chance.</summary>
    Reference,
}

/// <summary>One point.</summary>
/// <param name="X">In the units of the horizontal axis.</param>
/// <param name="Y">In the units of the vertical axis.</param>
/// <param name="Low">Lower end of Y's interval.</param>
/// <param name="High">Upper end of Y's interval.</param>
public sealed record ChartPoint(double X, double Y, double? Low = null, double? High = null);

/// <summary>A level drawn across a chart.</summary>
/// <param name="Y">Where, in the units of the vertical axis.</param>
/// <param name="Label">What it is.</param>
public sealed record ChartLevel(double Y, string Label);

/// <summary>Horizontal bars, one group a row: costs, success rates before and after.</summary>
public sealed record BarChart : ReportChart
{
    /// <summary>How values are written.</summary>
    public ChartUnit Unit { get; init; }

    /// <summary>What the values are, with the unit.</summary>
    public required string Measure { get; init; }

    /// <summary>The bars' names within a group; one name: no legend.</summary>
    public required IReadOnlyList<string> Series { get; init; }

    /// <summary>The groups, each with a value a series.</summary>
    public required IReadOnlyList<BarGroup> Groups { get; init; }
}

/// <summary>One group of bars.</summary>
/// <param name="Label">Its name.</param>
/// <param name="Values">A value a series; null where it was not measured.</param>
/// <param name="Note">What to know about it.</param>
public sealed record BarGroup(string Label, IReadOnlyList<double?> Values, string? Note = null);
