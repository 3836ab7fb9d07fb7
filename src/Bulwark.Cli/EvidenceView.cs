using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Prints a chain of evidence: what it is, then each link with a tick or its failure, and what hangs on it below it.</summary>
internal static class EvidenceView
{
    internal static bool Holds(IReadOnlyCollection<EvidenceLink> links) => links.Count > 0 && links.All(link => link.HoldsThroughout);

    internal static void Print(IAnsiConsole console, string title, IReadOnlyCollection<EvidenceLink> links)
    {
        var tree = new Tree(new Markup($"[bold]{Printable.Escape(title)}[/]"));
        foreach (var link in links)
            Add(tree, link);
        console.Write(tree);
        if (Holds(links))
            console.MarkupLine("[green]verified[/]");
        else
            console.MarkupLineInterpolated($"[red]NOT verified[/]: {string.Join(", ", links.SelectMany(link => link.Flatten()).Where(link => !link.Holds).Select(link => Printable.Line(link.Fault is null ? link.Name : $"{link.Name} ({link.Fault})")))}");
    }

    internal static object Document(string kind, string file, IReadOnlyCollection<EvidenceLink> links) =>
        new { kind, file, verified = Holds(links), links };

    private static void Add(IHasTreeNodes parent, EvidenceLink link)
    {
        var node = parent.AddNode(new Markup($"{(link.Holds ? "[green]✓[/]" : "[red]✗[/]")} [bold]{Printable.Escape(link.Name)}[/]  {Printable.Escape(link.Detail)}"));
        foreach (var below in link.Links)
            Add(node, below);
    }
}
