using System.Globalization;

namespace Bulwark.Cli.Report;

/// <summary>Draws a <see cref="ReportModel"/> as one HTML file: no script, no network, light and dark, printable; every text is escaped.</summary>
public static partial class HtmlReport
{
    /// <summary>The whole file.</summary>
    /// <param name="model">What to show.</param>
    /// <returns>HTML, to be stored as UTF-8.</returns>
    public static string Render(ReportModel model)
    {
        var html = new HtmlWriter();
        Head(html, model);
        html.Add($"""<body><a class="skip" href="#main">Skip to the report</a><main id="main">""");
        FirstScreen(html, model);
        Steps(html, model.Steps);
        Claims(html, model.Claims);
        for (var i = 0; i < model.Sections.Count; i++)
            Section(html, model.Sections[i], $"section-{i + 1}");
        Verification(html, model);
        Foot(html, model);
        html.Add($"</main></body></html>\n");
        return html.ToString();
    }

    private static void Head(HtmlWriter html, ReportModel model) => html.Add($"""
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="color-scheme" content="light dark"><meta name="generator" content="Bulwark {model.Version}">
        <title>{model.Title} · Bulwark report</title><style>
        """).Style().Add($"</style></head>\n");

    private static void FirstScreen(HtmlWriter html, ReportModel model)
    {
        html.Add($"""<header class="first"><p class="brand">Bulwark<span>report of {Date(model.Created)}</span></p><h1>{model.Title}</h1>""");
        if (model.Summary is not null)
            html.Add($"""<p class="lead">{model.Summary}</p>""");
        html.Add($"""<p class="verdict {Tone(model.Verdict.Outcome)}"><span class="dot" aria-hidden="true">{Symbol(model.Verdict.Outcome)}</span>{model.Verdict.Headline}</p>""");
        if (model.Figures.Count > 0)
        {
            html.Add($"""<dl class="figures">""");
            foreach (var figure in model.Figures)
                html.Add($"""<div><dt>{figure.Label}</dt><dd>{figure.Value}</dd><dd class="note">{figure.Note}</dd></div>""");
            html.Add($"</dl>");
        }

        if (model.Warnings.Count > 0)
        {
            html.Add($"""<div class="warnings" role="note"><h2>Before you rely on this</h2><ul>""");
            foreach (var warning in model.Warnings)
                html.Add($"<li>{warning}</li>");
            html.Add($"</ul></div>");
        }

        Contents(html, model);
        html.Add($"</header>\n");
    }

    private static void Contents(HtmlWriter html, ReportModel model)
    {
        html.Add($"""<nav aria-label="Contents"><ul>""");
        if (model.Steps.Count > 0)
            html.Add($"""<li><a href="#steps">What happened</a></li>""");
        if (model.Claims.Count > 0)
            html.Add($"""<li><a href="#claims">Claims</a></li>""");
        for (var i = 0; i < model.Sections.Count; i++)
            html.Add($"""<li><a href="#section-{i + 1}">{model.Sections[i].Title}</a></li>""");
        if (Checks(model).Length > 0)
            html.Add($"""<li><a href="#verify">Check it yourself</a></li>""");
        html.Add($"</ul></nav>");
    }

    private static void Steps(HtmlWriter html, IReadOnlyList<ReportStep> steps)
    {
        if (steps.Count == 0)
            return;
        html.Add($"""<section id="steps"><h2>What happened</h2><ol class="steps">""");
        foreach (var step in steps)
        {
            html.Add($"""<li class="{Tone(step.Outcome)}"><div class="head"><h3>{step.Name}</h3><span class="time">{Outcome(step)}</span></div><p>{step.Happened}</p>""");
            if (step.Digests.Count > 0 || step.Command is not null || step.Verify is not null)
            {
                html.Add($"<details><summary>Evidence and commands</summary>");
                Facts(html, step.Digests, "facts mono");
                Command(html, "Do it again", step.Command);
                Command(html, "Verify", step.Verify);
                html.Add($"</details>");
            }

            html.Add($"</li>");
        }

        html.Add($"</ol></section>\n");
    }

    private static ReportCheck[] Checks(ReportModel model) =>
        [.. model.Checks.Concat(model.Steps.Where(step => step.Verify is not null).Select(step => new ReportCheck(step.Name, step.Verify!))).DistinctBy(check => check.Command)];

    private static void Verification(HtmlWriter html, ReportModel model)
    {
        var checks = Checks(model);
        if (checks.Length == 0 && model.Machine.Count == 0)
            return;
        html.Add($"""<section id="verify">""");
        if (checks.Length > 0)
        {
            html.Add($"""<h2>Check it yourself</h2><p class="text">Each command exits 0 when the answer is yes and 1 when it is no.</p><ul class="checks">""");
            foreach (var check in checks)
                html.Add($"<li><span>{check.Proves}</span><pre><code>{check.Command}</code></pre></li>");
            html.Add($"</ul>");
        }

        if (model.Machine.Count > 0)
        {
            html.Add($"<h3>Measured on</h3>");
            Facts(html, model.Machine, "facts");
        }

        html.Add($"</section>\n");
    }

    private static void Foot(HtmlWriter html, ReportModel model)
    {
        html.Add($"""<footer><p>Made by Bulwark {model.Version} on {Date(model.Created)}""");
        if (model.Duration is { } duration)
            html.Add($" in {Span(duration)}");
        html.Add($". Every figure on this page was measured by the run that wrote it.</p>");
        Command(html, "Make this report again", model.Command);
        html.Add($"</footer>");
    }

    private static void Facts(HtmlWriter html, IReadOnlyList<ReportFact> facts, string kind)
    {
        if (facts.Count == 0)
            return;
        html.Add($"""<dl class="{kind}">""");
        foreach (var fact in facts)
            html.Add($"<div><dt>{fact.Name}</dt><dd>{fact.Value}</dd></div>");
        html.Add($"</dl>");
    }

    private static void Command(HtmlWriter html, string does, string? command)
    {
        if (command is not null)
            html.Add($"""<div class="command"><span>{does}</span><pre><code>{command}</code></pre></div>""");
    }

    private static string Outcome(ReportStep step) => step.Outcome switch
    {
        ReportOutcome.Done => step.Duration is { } duration ? Span(duration) : "",
        ReportOutcome.Unchanged => "unchanged",
        ReportOutcome.Skipped => "skipped",
        _ => "failed",
    };

    private static string Tone(ReportOutcome outcome) => outcome switch
    {
        ReportOutcome.Done => "good",
        ReportOutcome.Failed => "bad",
        _ => "quiet",
    };

    private static string Symbol(ReportOutcome outcome) => outcome switch
    {
        ReportOutcome.Done => "✓",
        ReportOutcome.Failed => "✕",
        _ => "–",
    };

    private static string Date(DateTimeOffset when) => when.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static string Span(TimeSpan span) => span switch
    {
        { TotalMilliseconds: < 1 } => $"{span.TotalMicroseconds:0} µs",
        { TotalSeconds: < 1 } => $"{span.TotalMilliseconds:0} ms",
        { TotalSeconds: < 60 } => $"{span.TotalSeconds:0.0} s",
        { TotalMinutes: < 60 } => $"{(int)span.TotalMinutes} min {span.Seconds} s",
        _ => $"{(int)span.TotalHours} h {span.Minutes} min",
    };
}
