namespace Bulwark.Cli.Report;

/// <summary>Draws a <see cref="BarChart"/> as a table whose cells hold bars: it reads the same with and without sight.</summary>
internal static class BarPlot
{
    internal static void Draw(HtmlWriter html, BarChart chart)
    {
        var values = chart.Groups.SelectMany(group => group.Values).OfType<double>().Where(double.IsFinite).ToArray();
        var full = chart.Unit == ChartUnit.Percent && values.All(value => value is >= 0 and <= 1) && chart.Series.Count > 1
            ? 1 : values.Select(Math.Abs).DefaultIfEmpty(1).Max();
        if (chart.Series.Count > 1)
            Legend(html, chart);
        html.Add($"""<table class="bars"><thead class="unseen"><tr><th scope="col">{chart.Title}</th><th scope="col">{chart.Measure}</th></tr></thead><tbody>""");
        foreach (var group in chart.Groups)
        {
            html.Add($"""<tr><th scope="row">{group.Label}<span class="note">{group.Note}</span></th><td>""");
            for (var i = 0; i < group.Values.Count; i++)
                Bar(html, chart, i, group.Values[i], full);
            html.Add($"</td></tr>");
        }

        html.Add($"</tbody></table>");
        if (chart.Series.Count <= 1)
            html.Add($"""<p class="note">{chart.Measure}</p>""");
    }

    private static void Bar(HtmlWriter html, BarChart chart, int series, double? value, double full)
    {
        if (value is not { } known || !double.IsFinite(known))
        {
            html.Add($"""<div class="bar"><span class="value none">not measured</span></div>""");
            return;
        }

        var share = full > 0 ? Math.Clamp(Math.Abs(known) / full, 0, 1) * 100 : 0;
        html.Add($"""<div class="bar"><span class="fill s{1 + series % 6}{(known < 0 ? " below" : "")}" style="width:calc((100% - 5.5rem) * {share / 100})"></span><span class="value">""");
        if (chart.Series.Count > 1 && series < chart.Series.Count)
            html.Add($"""<span class="unseen">{chart.Series[series]}: </span>""");
        html.Add($"{PlotAxis.Write(known, chart.Unit)}</span></div>");
    }

    private static void Legend(HtmlWriter html, BarChart chart)
    {
        html.Add($"""<ul class="legend" aria-hidden="true">""");
        for (var i = 0; i < chart.Series.Count; i++)
            html.Add($"""<li><span class="swatch s{1 + i % 6}"></span>{chart.Series[i]}</li>""");
        html.Add($"</ul>");
    }
}
