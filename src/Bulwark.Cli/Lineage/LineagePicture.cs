using System.Globalization;
using System.Net;
using System.Text;
using Bulwark.Lineage;

namespace Bulwark.Cli;

/// <summary>Draws a lineage graph as one self-contained SVG: columns from data on the left to deployments on the right.</summary>
/// <remarks>Every box says in words what it is, so that colour carries nothing alone; title and description serve who cannot see it.</remarks>
internal static class LineagePicture
{
    private const int Width = 236, ColumnGap = 84, RowGap = 26, Margin = 28, Line = 17, Head = 48, Most = 33;

    internal static string Draw(LineageGraph graph)
    {
        var columns = Columns(graph);
        var places = Places(graph, columns);
        var width = Margin * 2 + (columns.Values.Max() + 1) * Width + columns.Values.Max() * ColumnGap;
        var height = places.Values.Max(place => place.Y + place.Height) + Margin;
        var svg = new StringBuilder();
        Write(svg, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-labelledby="title summary" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13">
            <title id="title">Lineage of {Text(graph.Model)}</title>
            <desc id="summary">{Text(Summary(graph))}</desc>
            <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="#5b6470"/></marker></defs>
            <rect width="{width}" height="{height}" fill="#ffffff"/>
            <text x="{Margin}" y="{Margin + 4}" font-size="17" font-weight="600" fill="#1c2430">{Text(graph.Model)}</text>
            <text x="{Margin}" y="{Margin + 24}" fill="#4a5360">{Text(graph.Package.ToString())}</text>

            """);
        foreach (var target in graph.Edges.GroupBy(edge => edge.To))
        {
            var (lane, lanes) = (0, target.Count());
            foreach (var edge in target.OrderBy(edge => places[edge.From].Middle))
                Edge(svg, edge, places, (lane++ - (lanes - 1) / 2.0) * 20);
        }

        foreach (var node in graph.Nodes)
            Box(svg, node, places[node.Id]);
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>A node stands right of all that led to it.</summary>
    private static Dictionary<string, int> Columns(LineageGraph graph)
    {
        var columns = graph.Nodes.ToDictionary(node => node.Id, _ => 0);
        for (var round = 0; round < graph.Nodes.Count; round++)
        {
            foreach (var edge in graph.Edges)
                columns[edge.To] = Math.Max(columns[edge.To], Math.Min(graph.Nodes.Count, columns[edge.From] + 1));
        }

        // Data that only something far to the right reads stand next to it, not at the far left.
        foreach (var node in graph.Nodes.Where(node => graph.Edges.All(edge => edge.To != node.Id) && graph.Edges.Any(edge => edge.From == node.Id)))
            columns[node.Id] = graph.Edges.Where(edge => edge.From == node.Id).Min(edge => columns[edge.To]) - 1;
        return columns;
    }

    private static Dictionary<string, Place> Places(LineageGraph graph, Dictionary<string, int> columns)
    {
        var places = new Dictionary<string, Place>(StringComparer.Ordinal);
        var tallest = graph.Nodes.GroupBy(node => columns[node.Id]).Max(column => column.Sum(node => Height(node) + RowGap) - RowGap);
        foreach (var column in graph.Nodes.GroupBy(node => columns[node.Id]).OrderBy(group => group.Key))
        {
            var ordered = column.OrderBy(node => graph.Edges.Where(edge => edge.To == node.Id && places.ContainsKey(edge.From)).Select(edge => places[edge.From].Middle).DefaultIfEmpty(double.MaxValue).Average())
                .ThenBy(node => node.Kind).ToArray();
            var y = Margin + Head + (tallest - (ordered.Sum(node => Height(node) + RowGap) - RowGap)) / 2;
            foreach (var node in ordered)
            {
                places[node.Id] = new(Margin + column.Key * (Width + ColumnGap), y, Height(node));
                y += Height(node) + RowGap;
            }
        }

        return places;
    }

    private static void Edge(StringBuilder svg, LineageEdge edge, Dictionary<string, Place> places, double lane)
    {
        var (from, to) = (places[edge.From], places[edge.To]);
        var (x1, y1, x2, y2) = (from.X + Width, from.Middle, to.X - 2, to.Middle + lane);
        var bend = Math.Max(30, (x2 - x1) / 2);
        Write(svg, $"""<path d="M{x1} {y1:0.#} C{x1 + bend} {y1:0.#} {x2 - bend} {y2:0.#} {x2} {y2:0.#}" fill="none" stroke="#5b6470" stroke-width="1.5" marker-end="url(#arrow)"/>""" + "\n");
        Write(svg, $"""<text x="{x2 - 10}" y="{y2 - 6:0.#}" font-size="11" text-anchor="end" fill="#4a5360" stroke="#ffffff" stroke-width="4" paint-order="stroke">{Text(edge.Label)}</text>""" + "\n");
    }

    private static void Box(StringBuilder svg, LineageNode node, Place place)
    {
        var (fill, stroke) = Colors(node.Kind);
        Write(svg, $"""
            <g><title>{Text($"{Word(node.Kind)}: {node.Title}{(node.Entry is { } entry ? $", log entry {entry}" : ", not in the log")}. {string.Join(". ", node.Details)}")}</title>
            <rect x="{place.X}" y="{place.Y}" width="{Width}" height="{place.Height}" rx="6" fill="{fill}" stroke="{stroke}" stroke-width="1.5"{(node.Entry is null ? " stroke-dasharray=\"5 4\"" : "")}/>
            <text x="{place.X + 12}" y="{place.Y + 17}" font-size="11" fill="{stroke}" font-weight="600">{Text(Word(node.Kind).ToUpperInvariant())}</text>
            <text x="{place.X + Width - 12}" y="{place.Y + 17}" font-size="11" text-anchor="end" fill="#4a5360">{(node.Entry is { } at ? $"entry {at}" : "not in the log")}</text>
            <text x="{place.X + 12}" y="{place.Y + 36}" font-weight="600" fill="#1c2430">{Text(Cut(node.Title, 30))}</text>

            """);
        for (var i = 0; i < node.Details.Count; i++)
            Write(svg, $"""<text x="{place.X + 12}" y="{place.Y + 36 + Line * (i + 1)}" font-size="12" fill="#343c48">{Text(Cut(node.Details[i], Most))}</text>""" + "\n");
        svg.Append("</g>\n");
    }

    private static string Summary(LineageGraph graph) => string.Join(" ", graph.Edges.Select(edge =>
        $"{graph.Nodes.First(node => node.Id == edge.From).Title} {edge.Label switch { "sealed in" => "is sealed in", "trained on" => "trains", "measured on" => "measures", var label => label }} {graph.Nodes.First(node => node.Id == edge.To).Title}."));

    internal static string Word(LineageKind kind) => kind switch
    {
        LineageKind.Data => "data",
        LineageKind.Protection => "protected data",
        LineageKind.Training => "training run",
        LineageKind.Evaluation => "evaluation",
        LineageKind.Attack => "attack",
        LineageKind.Package => "sealed package",
        LineageKind.Promotion => "stage",
        _ => "deployment",
    };

    private static (string Fill, string Stroke) Colors(LineageKind kind) => kind switch
    {
        LineageKind.Data or LineageKind.Protection => ("#eef5fc", "#1f5f99"),
        LineageKind.Training => ("#f3effb", "#5b3fa0"),
        LineageKind.Evaluation or LineageKind.Attack => ("#fdf3e3", "#8a5a00"),
        LineageKind.Package => ("#e9f6ee", "#1d6b3c"),
        _ => ("#fbeeee", "#9a2f2f"),
    };

    private static int Height(LineageNode node) => Head + Line * node.Details.Count;

    private static string Cut(string text, int most) => text.Length <= most ? text : text[..(most - 1)] + "…";

    private static string Text(string text) => WebUtility.HtmlEncode(string.Concat(text.Where(c => !char.IsControl(c))));

    private static void Write(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture));

    private static void Write(StringBuilder svg, string text) => svg.Append(text);

    private readonly record struct Place(int X, int Y, int Height)
    {
        internal double Middle => Y + Height / 2.0;
    }
}
