using System.Globalization;
using Bulwark.Assurance;
using Bulwark.Monitoring;
using Spectre.Console;

namespace Bulwark.Cli.Models;

/// <summary>An input screen's relations, for people and for programs.</summary>
internal static class RelationTable
{
    internal static InputScreen Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return InputScreen.FromJson(json);
        }
        catch (InvalidDataException fault)
        {
            throw new CommandException(fault.Message, "train again, or take the folder that training wrote");
        }
    }

    /// <summary>Never a threshold's rows: what the file holds, and the exact bound on what its relations refuse.</summary>
    internal static object Facts(InputScreen screen) => new
    {
        features = screen.Width,
        screen.MeasuresDistance,
        screen.Threshold,
        screen.Calibration,
        screen.Relations,
        check = screen.RelationCheck is { } check ? new { check.Rows, check.Broken, atMost95 = ClopperPearson.Upper(check.Broken, check.Rows, 0.05) } : null,
    };

    internal static void Draw(IAnsiConsole console, InputScreen screen)
    {
        if (screen.Relations.Count == 0)
        {
            console.MarkupLine("Input screen: no relations between features.");
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumn("relation").AddColumn("origin").AddColumn(new TableColumn("training rows").RightAligned()).AddColumn(new TableColumn("broken when shuffled").RightAligned());
        foreach (var relation in screen.Relations)
        {
            var learnt = relation.Origin is ScreenRelationOrigin.Learnt;
            var rule = relation.Name == relation.Rule ? relation.Rule : $"{relation.Name}: {relation.Rule}";
            table.AddRow(Printable.Escape(rule), learnt ? "learnt" : "declared", learnt ? relation.Rows.ToString(CultureInfo.InvariantCulture) : "", learnt ? relation.Shuffled.ToString("P0", CultureInfo.InvariantCulture) : "");
        }

        console.Write(table);
        if (screen.RelationCheck is { } check)
            console.MarkupLine($"The learnt ones {Said(check)}.");
    }

    internal static string Said(RelationCheck check) => string.Create(CultureInfo.InvariantCulture,
        $"refuse {check.Broken} of {check.Rows} held-out rows (at most {ClopperPearson.Upper(check.Broken, check.Rows, 0.05):P2}, Clopper-Pearson, 95 %)");
}
