namespace Bulwark.Cli.Report;

/// <summary>Draws a <see cref="LineChart"/> as inline SVG; colours come from the stylesheet, so it follows light and dark.</summary>
internal static class LinePlot
{
    private const double Width = 480, Height = 310, Left = 56, Right = 14, Top = 12, Bottom = 48;
    private const double PlotWidth = Width - Left - Right, PlotHeight = Height - Top - Bottom;

    internal static void Draw(HtmlWriter html, LineChart chart, string id)
    {
        var points = chart.Series.SelectMany(series => series.Points).ToArray();
        var x = PlotAxis.Of(chart.X, points.Select(point => point.X));
        var y = PlotAxis.Of(chart.Y, [.. points.SelectMany(point => new[] { point.Y, point.Low ?? point.Y, point.High ?? point.Y }), .. chart.Levels.Select(level => level.Y)]);

        html.Add($"""<svg class="plot" viewBox="0 0 {Width} {Height}" role="img" aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{chart.Title}</title><desc id="{id}-d">{chart.Caption ?? chart.Title}. The figures are in the table below the chart.</desc>""");
        Frame(html, x, y);
        foreach (var level in chart.Levels)
            Level(html, level, y);
        for (var i = 0; i < chart.Series.Count; i++)
            Curve(html, chart.Series[i], Hue(chart, i), x, y);
        html.Add($"</svg>");
    }

    /// <summary>The colour of a series: references take none, so that the curves keep their colours from chart to chart.</summary>
    internal static int Hue(LineChart chart, int index) =>
        chart.Series[index].Shape == ChartShape.Reference ? 0 : 1 + chart.Series.Take(index).Count(series => series.Shape != ChartShape.Reference) % 6;

    private static void Frame(HtmlWriter html, PlotAxis x, PlotAxis y)
    {
        html.Add($"""<g class="grid">""");
        foreach (var tick in y.Ticks)
            html.Add($"""<path d="M{Left} {Down(y, tick)}H{Width - Right}"/>""");
        foreach (var tick in x.Ticks)
            html.Add($"""<path d="M{Across(x, tick)} {Top}V{Top + PlotHeight}"/>""");
        html.Add($"""</g><path class="axis" d="M{Left} {Top}V{Top + PlotHeight}H{Width - Right}"/><g class="ticks">""");
        foreach (var tick in y.Ticks)
            html.Add($"""<text x="{Left - 7}" y="{Down(y, tick) + 4}" text-anchor="end">{y.Write(tick)}</text>""");
        foreach (var tick in x.Ticks)
            html.Add($"""<text x="{Across(x, tick)}" y="{Top + PlotHeight + 18}" text-anchor="{(Across(x, tick) > Width - 34 ? "end" : "middle")}">{x.Write(tick)}</text>""");
        html.Add($"""</g><text class="label" x="{Left + PlotWidth / 2}" y="{Height - 8}" text-anchor="middle">{x.Label}</text>""");
    }

    private static void Level(HtmlWriter html, ChartLevel level, PlotAxis y)
    {
        var down = Down(y, level.Y);
        if (double.IsNaN(down))
            return;
        html.Add($"""<path class="level" d="M{Left} {down}H{Width - Right}"/><text class="level-label" x="{Left + 8}" y="{(down < Top + 20 ? down + 16 : down - 6)}">{level.Label}</text>""");
    }

    private static void Curve(HtmlWriter html, ChartSeries series, int hue, PlotAxis x, PlotAxis y)
    {
        if (series.Shape == ChartShape.Bins)
        {
            var start = series.Points.Select(point => Across(x, point.X)).FirstOrDefault(across => !double.IsNaN(across), Left);
            html.Add($"""<path class="area s{hue}" d='""");
            Steps(html, series, x, y);
            html.Add($"""V{Top + PlotHeight}H{start}Z'/><path class="line bins s{hue}" d='""");
            Steps(html, series, x, y);
            html.Add($"'/>");
            return;
        }

        html.Add($"""<path class="{(series.Shape == ChartShape.Reference ? "reference" : "line")} s{hue}" d='""");
        var pen = "M";
        foreach (var point in Places(series, x, y))
        {
            html.Add($"{pen}{point.Across} {point.Down}");
            pen = "L";
        }

        html.Add($"'/>");
        if (series.Shape == ChartShape.Marked)
            Marks(html, series, hue, x, y);
    }

    private static void Steps(HtmlWriter html, ChartSeries series, PlotAxis x, PlotAxis y)
    {
        var floor = Top + PlotHeight;
        var first = true;
        foreach (var point in series.Points.Where(point => !double.IsNaN(Across(x, point.X))))
        {
            var down = Down(y, point.Y);
            html.Add($"{(first ? "M" : "H")}{Across(x, point.X)}{(first ? " " : "V")}{(double.IsNaN(down) ? floor : down)}");
            first = false;
        }
    }

    private static void Marks(HtmlWriter html, ChartSeries series, int hue, PlotAxis x, PlotAxis y)
    {
        foreach (var (across, down, point) in Places(series, x, y))
        {
            if (point.Low is { } low && point.High is { } high)
                html.Add($"""<path class="interval s{hue}" d="M{across} {Down(y, low)}V{Down(y, high)}"/>""");
            html.Add($"""<circle class="mark s{hue}" cx="{across}" cy="{down}" r="3.6"><title>{series.Name}: {y.Write(point.Y)} at {x.Write(point.X)}</title></circle>""");
        }
    }

    private static IEnumerable<(double Across, double Down, ChartPoint Point)> Places(ChartSeries series, PlotAxis x, PlotAxis y) =>
        series.Points.Select(point => (Across(x, point.X), Down(y, point.Y), point)).Where(place => !double.IsNaN(place.Item1) && !double.IsNaN(place.Item2));

    private static double Across(PlotAxis axis, double value) => Left + axis.Fraction(value) * PlotWidth;

    private static double Down(PlotAxis axis, double value) => Top + (1 - axis.Fraction(value)) * PlotHeight;
}
