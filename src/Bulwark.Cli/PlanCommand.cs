using System.CommandLine;
using System.Globalization;
using Bulwark.Planning;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary>The best safeguards under a budget and a risk tolerance, from measured figures.</summary>
internal static class PlanCommand
{
    internal static Command Create()
    {
        var measures = new Option<FileInfo>("--measures") { Description = "The measures: what `bulwark bench` writes, or the format of docs/planning.md.", Required = true, HelpName = "FILE" };
        var budget = new Option<double>("--budget") { Description = "Most that all safeguards together may cost, in the file's cost unit.", Required = true, HelpName = "X" };
        var residual = new Option<double?>("--max-residual") { Description = "Risk tolerance: most loss that may be left, in the file's loss unit. Exit 1 when the budget does not reach it.", HelpName = "Y" };
        var pessimistic = new Option<bool>("--pessimistic") { Description = "Take every figure at the bad end of its interval." };
        var front = new Option<bool>("--front") { Description = "Also the Pareto front: every budget at which more money buys less loss." };
        var command = new Command("plan", "Chooses safeguards exactly. Example: bulwark plan --measures measures.json --budget 100000 --max-residual 40000") { measures, budget, residual, pessimistic, front };
        command.SetAction(parsed => Plan(new Screen(parsed), parsed.GetRequiredValue(measures), new PlanOptions { Budget = parsed.GetValue(budget), MaximumResidual = parsed.GetValue(residual) }, parsed.GetValue(pessimistic), parsed.GetValue(front)));
        return command;
    }

    private static int Plan(Screen screen, FileInfo file, PlanOptions options, bool pessimistic, bool withFront)
    {
        if (!file.Exists)
            throw new CommandException($"{file.FullName} is not there.", "measure first: bulwark bench");
        var set = MeasureSet.Parse(File.ReadAllBytes(file.FullName));
        if (pessimistic)
            set = set.Pessimistic();
        var (plan, front) = Solve(set, options, withFront);
        var figures = Figures(set).GroupBy(figure => figure.Basis).ToDictionary(group => group.Key, group => group.Count());
        var basis = new { measured = figures.GetValueOrDefault(FigureBasis.Measured), stated = figures.GetValueOrDefault(FigureBasis.Stated) };
        return screen.Answer(new { plan, front, basis, set.CostUnit, set.LossUnit, options.Budget, options.MaximumResidual, pessimistic }, console =>
        {
            Chosen(console, set, plan);
            Left(console, set, plan);
            if (front is not null)
                Front(console, set, plan, front);
            Around(console, set, plan, options);
            console.WriteLine($"Rests on {basis.measured} measured figures and {basis.stated} stated ones.");
        }, plan.Verdict == PlanVerdict.ToleranceMissed ? ExitCode.No : ExitCode.Yes);
    }

    private static (SecurityPlan Plan, IReadOnlyList<Portfolio>? Front) Solve(MeasureSet set, PlanOptions options, bool withFront)
    {
        try
        {
            return (Planner.Choose(set, options), withFront ? Planner.ParetoFront(set, options.TimeLimit) : null);
        }
        catch (TimeoutException fault)
        {
            throw new CommandException(fault.Message, "fewer safeguards or threats at a time, or a quieter machine");
        }
    }

    private static void Chosen(IAnsiConsole console, MeasureSet set, SecurityPlan plan)
    {
        console.WriteLine($"Loss left {Number(plan.Best.ResidualLoss)} of {Number(plan.UndefendedLoss)} {set.LossUnit}, for {Number(plan.Best.Cost)} {set.CostUnit}; {(plan.ProvenOptimal ? "proven best" : "not proven best: the time ran out")}.");
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumns(new TableColumn("Chosen"), new TableColumn("Layer"), new TableColumn("Costs").RightAligned(), new TableColumn("Avoids, given the others").RightAligned(), new TableColumn("Acts on (share left)"));
        foreach (var reason in plan.Reasons)
        {
            var safeguard = set.Safeguards.Single(safeguard => safeguard.Id == reason.Safeguard);
            table.AddRow(Markup.Escape(safeguard.Name), Markup.Escape(safeguard.Layer), Number(reason.Cost), Number(reason.Avoided),
                Markup.Escape(string.Join(", ", safeguard.Effects.Select(effect => $"{effect.Threat} {Share(effect.Survival.Value)}"))));
        }

        console.Write(table);
    }

    private static void Left(IAnsiConsole console, MeasureSet set, SecurityPlan plan)
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumns(new TableColumn("Threat"), new TableColumn("Loss before").RightAligned(), new TableColumn("Loss left").RightAligned(), new TableColumn("Through"));
        foreach (var remainder in plan.Remainders)
            table.AddRow(Markup.Escape(set.Threats.Single(threat => threat.Id == remainder.Threat).Name), Number(remainder.Before), Number(remainder.After), Markup.Escape(string.Join(" × ", remainder.Through)));
        console.Write(table);
    }

    private static void Front(IAnsiConsole console, MeasureSet set, SecurityPlan plan, IReadOnlyList<Portfolio> front)
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumns(new TableColumn(Markup.Escape($"Budget ({set.CostUnit})")).RightAligned(), new TableColumn(Markup.Escape($"Loss left ({set.LossUnit})")).RightAligned(), new TableColumn("Safeguards"));
        foreach (var point in front)
            table.AddRow(Number(point.Cost), Number(point.ResidualLoss), Markup.Escape(string.Join(", ", point.Chosen)) + (point.Cost == plan.Best.Cost && point.ResidualLoss == plan.Best.ResidualLoss ? " [bold]<- this plan[/]" : ""));
        console.Write(table);
    }

    private static void Around(IAnsiConsole console, MeasureSet set, SecurityPlan plan, PlanOptions options)
    {
        console.WriteLine(plan.GreedyGap > 1e-9
            ? $"The greedy rule (benefit over cost) would leave {Number(plan.Greedy.ResidualLoss)}, {Share(plan.GreedyGap)} more, with {List(plan.Greedy.Chosen)}."
            : "The greedy rule (benefit over cost) finds a plan as good.");
        if (plan.RunnerUp is { } second)
            console.WriteLine($"Second best in the budget: {List(second.Chosen)} leaves {Number(second.ResidualLoss)} for {Number(second.Cost)}.");
        console.WriteLine(plan.NextStep is { } next
            ? $"Next step: {Number(next.Cost)} {set.CostUnit} leaves {Number(next.ResidualLoss)}: {Change(plan.Best, next)}."
            : plan.NeighboursKnown ? "More money would buy nothing: no portfolio leaves less." : "What more money would buy is not known: the time ran out.");
        if (options.MaximumResidual is not { } most)
            return;
        console.WriteLine(plan.Verdict == PlanVerdict.WithinTolerance ? $"Within the tolerance of {Number(most)}." : $"Tolerance missed: {Number(plan.Best.ResidualLoss)} is left, {Number(most)} is allowed.");
        console.WriteLine(plan.CheapestWithinTolerance is { } cheapest
            ? $"Cheapest within the tolerance: {Number(cheapest.Cost)} {set.CostUnit} with {List(cheapest.Chosen)}."
            : plan.NeighboursKnown ? "No choice of these safeguards reaches the tolerance, whatever it costs." : "Whether any choice reaches the tolerance is not known: the time ran out.");
    }

    private static string Change(Portfolio from, Portfolio to)
    {
        string[] changes = [.. to.Chosen.Except(from.Chosen).Select(id => $"add {id}"), .. from.Chosen.Except(to.Chosen).Select(id => $"drop {id}")];
        return string.Join(", ", changes);
    }

    private static IEnumerable<Figure> Figures(MeasureSet set) =>
        set.Threats.Select(threat => threat.Loss).Concat(set.Safeguards.SelectMany(safeguard =>
            safeguard.Effects.Select(effect => effect.Survival).Append(safeguard.Cost).Concat(safeguard.Overheads.Values).Concat(safeguard.AddedLoss is { } loss ? [loss] : [])));

    private static string List(IReadOnlyList<string> ids) => ids.Count > 0 ? string.Join(", ", ids) : "nothing";

    private static string Number(double value) => value.ToString(Math.Abs(value) >= 1000 ? "#,0" : "0.###", CultureInfo.InvariantCulture);

    private static string Share(double value) => (value * 100).ToString("0.#", CultureInfo.InvariantCulture) + " %";
}
