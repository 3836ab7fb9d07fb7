namespace Bulwark.Cli.Report;

public static partial class HtmlReport
{
    private static void Claims(HtmlWriter html, IReadOnlyList<ReportClaim> claims)
    {
        if (claims.Count == 0)
            return;
        html.Add($"""<section id="claims"><h2>Claimed and measured</h2><ul class="tally">""");
        foreach (var verdict in new[] { ClaimVerdict.Met, ClaimVerdict.NotMet, ClaimVerdict.NotMeasurable })
        {
            if (claims.Count(claim => claim.Verdict == verdict) is > 0 and var count)
                html.Add($"""<li class="{Tone(verdict)}"><b>{count}</b> {Word(verdict)}</li>""");
        }

        html.Add($"""</ul><div class="scroll" tabindex="0" role="region" aria-label="Claimed and measured"><table class="claims"><thead><tr><th scope="col">Measure</th><th scope="col">Claimed by the field</th><th scope="col">Measured here</th><th scope="col">Verdict</th></tr></thead><tbody>""");
        foreach (var claim in claims)
            Claim(html, claim);
        html.Add($"</tbody></table></div></section>\n");
    }

    private static void Claim(HtmlWriter html, ReportClaim claim)
    {
        html.Add($"""<tr><th scope="row">{claim.Measure}</th><td data-head="Claimed">{claim.Claimed}</td><td data-head="Measured"><b>{claim.Measured}</b>""");
        if (claim.Goal is not null)
            html.Add($"""<span class="note">goal: {claim.Goal}</span>""");
        if (claim.Why is not null)
            html.Add($"""<span class="note">{claim.Why}</span>""");
        if (claim.Command is not null)
            html.Add($"""<code class="note">{claim.Command}</code>""");
        html.Add($"""</td><td data-head="Verdict"><span class="pill {Tone(claim.Verdict)}">{Word(claim.Verdict)}</span></td></tr>""");
    }

    private static void Section(HtmlWriter html, ReportSection section, string id)
    {
        html.Add($"""<section id="{id}"><h2>{section.Title}</h2>""");
        if (section.Text is not null)
            html.Add($"""<p class="text">{section.Text}</p>""");
        if (section.Charts.Count > 0)
        {
            html.Add($"""<div class="charts">""");
            for (var i = 0; i < section.Charts.Count; i++)
                Chart(html, section.Charts[i], $"{id}-chart-{i + 1}");
            html.Add($"</div>");
        }

        foreach (var table in section.Tables)
        {
            html.Add($"<h3>{table.Title}</h3>");
            Table(html, table);
        }

        html.Add($"</section>\n");
    }

    private static void Chart(HtmlWriter html, ReportChart chart, string id)
    {
        html.Add($"""<figure id="{id}"><figcaption><h3>{chart.Title}</h3>""");
        if (chart.Caption is not null)
            html.Add($"<p>{chart.Caption}</p>");
        html.Add($"</figcaption>");
        switch (chart)
        {
            case LineChart lines:
                Legend(html, lines);
                html.Add($"""<p class="ylabel">{lines.Y.Label}</p>""");
                LinePlot.Draw(html, lines, id);
                html.Add($"<details><summary>The figures as a table</summary>");
                Table(html, ChartTable.Of(lines));
                html.Add($"</details>");
                break;
            case BarChart bars:
                BarPlot.Draw(html, bars);
                break;
        }

        html.Add($"</figure>");
    }

    private static void Legend(HtmlWriter html, LineChart chart)
    {
        html.Add($"""<ul class="legend">""");
        for (var i = 0; i < chart.Series.Count; i++)
        {
            var hue = LinePlot.Hue(chart, i);
            html.Add($"""<li><svg class="key" viewBox="0 0 26 10" aria-hidden="true"><path class="{(hue == 0 ? "reference" : "line")} s{hue}" d="M1 5H25"/></svg>{chart.Series[i].Name}</li>""");
        }

        html.Add($"</ul>");
    }

    private static void Table(HtmlWriter html, ReportTable table)
    {
        html.Add($"""<div class="scroll" tabindex="0" role="region" aria-label="{table.Title}"><table><thead><tr>""");
        var figures = table.Columns.Select((_, column) => IsFigures(table, column)).ToArray();
        for (var column = 0; column < table.Columns.Count; column++)
            html.Add($"""<th scope="col"{(figures[column] ? " class=n" : "")}>{table.Columns[column]}</th>""");
        html.Add($"</tr></thead><tbody>");
        foreach (var row in table.Rows)
        {
            html.Add($"<tr>");
            for (var column = 0; column < row.Count; column++)
                html.Add($"""<td{(column < figures.Length && figures[column] ? " class=n" : "")}>{row[column]}</td>""");
            html.Add($"</tr>");
        }

        html.Add($"</tbody></table></div>");
        if (table.Note is not null)
            html.Add($"""<p class="note">{table.Note}</p>""");
    }

    private static bool IsFigures(ReportTable table, int column) =>
        table.Rows.Count > 0 && table.Rows.All(row => column >= row.Count || row[column].Length == 0 || row[column][0] is (>= '0' and <= '9') or '+' or '-' or '−' or '–' or '<' or '≤' or '×');

    private static string Tone(ClaimVerdict verdict) => verdict switch
    {
        ClaimVerdict.Met => "good",
        ClaimVerdict.NotMet => "bad",
        _ => "quiet",
    };

    private static string Word(ClaimVerdict verdict) => verdict switch
    {
        ClaimVerdict.Met => "met",
        ClaimVerdict.NotMet => "not met",
        _ => "not measurable",
    };
}
