using System.Globalization;
using Bulwark.Monitoring;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Making;

/// <summary>What an input screen refuses of rows that a model was measured on: of traffic like them it would refuse as many.</summary>
/// <param name="Rows">How many rows.</param>
/// <param name="Contract">Of them, a value was not as the schema says.</param>
/// <param name="Relations">Of the others, a relation was broken, declared or learnt.</param>
/// <param name="Distance">Of the others, too far from the training rows.</param>
internal sealed record ScreenRefusals(int Rows, int Contract, int Relations, int Distance)
{
    /// <summary>The largest share of rows that break declared relations.</summary>
    internal const double MostBroken = 0.01;

    public int Refused => Contract + Relations + Distance;

    /// <summary>Of raw rows and the same rows encoded.</summary>
    internal static ScreenRefusals Of(InputScreen screen, Dataset rows, EncodedDataset encoded)
    {
        var (contract, relations, distance) = (0, 0, 0);
        for (var row = 0; row < rows.Rows; row++)
        {
            switch (screen.Check(rows.Row(row), encoded.Row(row)).Outcome)
            {
                case ScreenOutcome.Accepted: break;
                case ScreenOutcome.RelationBroken: relations++; break;
                case ScreenOutcome.Outlier: distance++; break;
                default: contract++; break;
            }
        }

        return new(rows.Rows, contract, relations, distance);
    }

    /// <summary>Refuses declared relations that real rows break: of the test rows always, of the training rows only where they are not private, for the answer depends on them.</summary>
    /// <param name="declared">The contract and the declared relations alone.</param>
    /// <param name="request">The rows.</param>
    /// <exception cref="CommandException">More rows break them than <see cref="MostBroken"/>; the message names the relation that most rows break.</exception>
    internal static void RequireKept(InputScreen declared, TrainingRequest request)
    {
        if (declared.Relations.Count == 0)
            return;
        RequireKept(declared, request.Test, "test");
        if (request.Options.Private is null)
            RequireKept(declared, request.Train, "training");
    }

    private static void RequireKept(InputScreen declared, Dataset rows, string kind)
    {
        var (total, alone) = Broken(declared, rows);
        if (total <= MostBroken * rows.Rows)
            return;
        var worst = Array.IndexOf(alone, alone.Max());
        throw new CommandException(
            string.Create(CultureInfo.InvariantCulture, $"The declared relations refuse {total} of {rows.Rows} {kind} rows, more than {MostBroken:P0}; most of them, {alone[worst]}, break '{declared.Relations[worst].Name}': {declared.Relations[worst].Rule}. Nothing was trained."),
            "mend the rule or the rows, or leave it out; a model can be held to it all the same, before it is sealed: bulwark model screen FOLDER --constraints FILE");
    }

    /// <summary>How many rows break any relation, and how many each.</summary>
    private static (int Total, int[] Alone) Broken(InputScreen declared, Dataset rows)
    {
        var (total, alone) = (0, new int[declared.Relations.Count]);
        var single = declared.Relations.Select(relation => declared.WithRelations([relation])).ToArray();
        for (var row = 0; row < rows.Rows; row++)
        {
            if (declared.CheckContract(rows.Row(row)).Outcome is not ScreenOutcome.RelationBroken)
                continue;
            total++;
            for (var relation = 0; relation < single.Length; relation++)
                alone[relation] += single[relation].CheckContract(rows.Row(row)).Outcome is ScreenOutcome.RelationBroken ? 1 : 0;
        }

        return (total, alone);
    }

    internal void Draw(IAnsiConsole console)
    {
        console.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"input screen: refuses {Refused} of {Rows} test rows ({Contract} by the schema, {Relations} by relations, {Distance} by distance)"));
        if (Contract > MostBroken * Rows)
            console.MarkupLine($"[yellow]{Contract} test rows hold values that the schema does not allow[/]: the gateway would refuse such rows; declare wider bounds or more categories with --schema");
        if (Relations > 0)
            console.MarkupLine($"[yellow]{Relations} test rows break relations of the input screen[/]: bulwark model screen shows them and takes them away (--remove NAME)");
    }
}
