using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>Prints a chain of evidence: what it is, then each link with a tick or its failure.</summary>
internal static class EvidenceView
{
    internal static void Print(IAnsiConsole console, string title, IReadOnlyCollection<EvidenceLink> links)
    {
        var holds = links.Count > 0 && links.All(link => link.Holds);
        var tree = new Tree(new Markup($"[bold]{Markup.Escape(title)}[/]"));
        foreach (var link in links)
            tree.AddNode(new Markup($"{(link.Holds ? "[green]✓[/]" : "[red]✗[/]")} [bold]{Markup.Escape(link.Name)}[/]  {Markup.Escape(link.Detail)}"));
        console.Write(tree);
        console.MarkupLine(holds ? "[green]verified[/]" : "[red]NOT verified[/]");
    }

    internal static object Document(string kind, string file, IReadOnlyCollection<EvidenceLink> links) =>
        new { kind, file, verified = links.Count > 0 && links.All(link => link.Holds), links };
}
