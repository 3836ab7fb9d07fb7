namespace Bulwark.Cli.Report;

/// <summary>The figures of a chart as a table, for those who cannot see it or want the numbers.</summary>
internal static class ChartTable
{
    internal static ReportTable Of(LineChart chart)
    {
        var curves = chart.Series.Where(series => series.Shape != ChartShape.Reference && series.Points.Count > 0).ToArray();
        var x = PlotAxis.Of(chart.X, curves.SelectMany(series => series.Points).Select(point => point.X));
        return new()
        {
            Title = chart.Title,
            Columns = [chart.X.Label, .. curves.Select(series => series.Name)],
            Rows = [.. Stops(chart, curves, x).Select(at => (string[])[x.Write(at), .. curves.Select(series => Read(chart, series, at))])],
        };
    }

    /// <summary>Where to read: as asked; else at the points themselves when they are few; else at the ticks.</summary>
    private static IEnumerable<double> Stops(LineChart chart, ChartSeries[] curves, PlotAxis x)
    {
        if (chart.TableAt.Count > 0)
            return chart.TableAt;
        var own = curves.SelectMany(series => series.Shape == ChartShape.Bins ? series.Points.SkipLast(1) : series.Points)
            .Select(point => point.X).Where(double.IsFinite).Distinct().Order().ToArray();
        return own.Length <= 24 ? own : x.Ticks;
    }

    private static string Read(LineChart chart, ChartSeries series, double at)
    {
        var exact = series.Points.FirstOrDefault(point => point.X == at);
        if (exact is { Low: { } low, High: { } high })
            return $"{Write(exact.Y)} ({Write(low)} to {Write(high)})";
        return Write(exact?.Y ?? Between(series, at));
        string Write(double value) => PlotAxis.Write(value, chart.Y.Unit);
    }

    private static double Between(ChartSeries series, double at)
    {
        var before = series.Points.LastOrDefault(point => point.X <= at);
        var after = series.Points.FirstOrDefault(point => point.X >= at);
        if (before is null || after is null)
            return double.NaN;
        if (series.Shape == ChartShape.Bins || after.X <= before.X)
            return before.Y;
        return before.Y + (after.Y - before.Y) * (at - before.X) / (after.X - before.X);
    }
}
