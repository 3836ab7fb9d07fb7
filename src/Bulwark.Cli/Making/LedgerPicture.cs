using System.Globalization;
using Bulwark.Cli.Report;
using Bulwark.Privacy;

namespace Bulwark.Cli.Making;

/// <summary>The ledger as one HTML file: a bar for each budget, a table, and the last reservations. No script, no other file.</summary>
internal static class LedgerPicture
{
    private const int Newest = 40;

    internal static string Html(IReadOnlyList<LedgerBalance> balances, IReadOnlyList<LedgerEntry> entries, string head)
    {
        var html = new HtmlWriter();
        html.Add($$"""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Privacy ledger</title><style>
            body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
            table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #d6dae0}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
            svg{width:100%;height:auto}.track{fill:#e6e9ee}.fill{fill:#2f6fb0}.full{fill:#b3372f}text{font:13px system-ui,sans-serif;fill:#1b1f24}code{font-size:.85em;overflow-wrap:anywhere}
            @media (prefers-color-scheme:dark){body{color:#e4e8ee;background:#14171b}th,td{border-color:#343a43}.track{fill:#2a3038}.fill{fill:#6ea8e0}.full{fill:#e0796f}text{fill:#e4e8ee} }
            </style></head><body><h1>Privacy ledger</h1><p>Spent is a certified upper bound on epsilon of everything reserved, composed, at the budget's delta.</p>
            """);
        Bars(html, balances);
        Table(html, balances);
        Reservations(html, entries);
        html.Add($"<p>Head of the chain: <code>{head}</code></p></body></html>");
        return html.ToString();
    }

    private static void Bars(HtmlWriter html, IReadOnlyList<LedgerBalance> balances)
    {
        html.Add($"""<svg viewBox="0 0 900 {balances.Count * 44 + 6}" role="img" aria-label="Share of each budget that is spent">""");
        for (var i = 0; i < balances.Count; i++)
        {
            var (balance, y) = (balances[i], i * 44);
            var share = balance.Budget is { } budget ? Math.Clamp(balance.Spent.Epsilon.Upper / budget.Epsilon, 0, 1) : 0;
            html.Add($"""<text x="0" y="{y + 14}">{Label(balance)}</text><rect class="track" x="0" y="{y + 20}" width="760" height="14" rx="3"/><rect class="{(share > 0.9 ? "full" : "fill")}" x="0" y="{y + 20}" width="{760 * share}" height="14" rx="3"/><text x="772" y="{y + 32}">{Figures(balance)}</text>""");
        }

        html.Add($"</svg>");
    }

    private static void Table(HtmlWriter html, IReadOnlyList<LedgerBalance> balances)
    {
        html.Add($"""<table><tr><th>data set</th><th>unit</th><th class="n">spent</th><th class="n">at least</th><th class="n">budget</th><th class="n">delta</th><th class="n">releases</th></tr>""");
        foreach (var balance in balances)
            html.Add($"""<tr><td><code>{Label(balance)}</code></td><td>{balance.Unit.ToString()}</td><td class="n">{Number(balance.Spent.Epsilon.Upper)}</td><td class="n">{Number(balance.Spent.Epsilon.Lower)}</td><td class="n">{(balance.Budget is { } budget ? Number(budget.Epsilon) : "none")}</td><td class="n">{Number(balance.Spent.Delta)}</td><td class="n">{balance.Spent.Events}</td></tr>""");
        html.Add($"</table>");
    }

    private static void Reservations(HtmlWriter html, IReadOnlyList<LedgerEntry> entries)
    {
        var committed = entries.Where(entry => entry.Kind == LedgerEntryKind.Commit).Select(entry => entry.Reservation).ToHashSet();
        var released = entries.Where(entry => entry.Kind == LedgerEntryKind.Release).Select(entry => entry.Reservation).ToHashSet();
        html.Add($"<h2>Newest reservations</h2><table><tr><th>time</th><th>purpose</th><th>state</th></tr>");
        foreach (var entry in entries.Where(entry => entry.Kind == LedgerEntryKind.Reserve).TakeLast(Newest).Reverse())
        {
            var state = committed.Contains(entry.Reservation) ? "finished" : released.Contains(entry.Reservation) ? "given back" : "open, and spent";
            html.Add($"<tr><td>{entry.Time.ToString("u", CultureInfo.InvariantCulture)}</td><td>{entry.Purpose}</td><td>{state}</td></tr>");
        }

        html.Add($"</table>");
    }

    private static string Label(LedgerBalance balance)
    {
        var dataset = balance.Dataset.Length > 40 ? balance.Dataset[..40] + "…" : balance.Dataset;
        return balance.Group is null ? dataset : $"{dataset}, group {balance.Group}";
    }

    private static string Figures(LedgerBalance balance) => balance.Budget is { } budget ? $"{Number(balance.Spent.Epsilon.Upper)} of {Number(budget.Epsilon)}" : Number(balance.Spent.Epsilon.Upper);

    private static string Number(double value) => value.ToString("g4", CultureInfo.InvariantCulture);
}
