using System.CommandLine;
using Bulwark.Cli.Making;
using Bulwark.Privacy;
using Spectre.Console;

namespace Bulwark.Cli;

/// <summary><c>privacy ledger</c>: what was spent on which data, what may be, and booking for tools of one's own.</summary>
internal static class PrivacyLedgerCommand
{
    private static readonly Argument<string> s_dataset = new("dataset") { Description = "The data set's commitment, as the ledger names it." };
    private static readonly Argument<string> s_reservation = new("reservation") { Description = "The reservation's id." };
    private static readonly Argument<FileInfo> s_events = new Argument<FileInfo>("events") { Description = "The event in JSON, as for privacy compose." }.AcceptExistingOnly();
    private static readonly Option<double> s_epsilon = new("--epsilon") { Description = "Epsilon.", HelpName = "E", Required = true };
    private static readonly Option<double> s_delta = new("--delta") { Description = "Delta.", HelpName = "D", DefaultValueFactory = _ => 1e-5 };
    private static readonly Option<string?> s_group = new("--group") { Description = "A group of the subjects with a budget of its own beside the whole." };
    private static readonly Option<string> s_purpose = new("--purpose") { Description = "What it is for, in words.", Required = true };
    private static readonly Option<FileInfo?> s_html = new("--html") { Description = "Also writes table and picture as one HTML file." };

    internal static Command Create() => new("ledger", "What was spent on which data, and what may be. Example: bulwark privacy ledger show")
    {
        ShowCommand(), BudgetCommand(), ReserveCommand(), CommitCommand(), GlobalOptions.Ledger,
    };

    private static Command ShowCommand()
    {
        var command = new Command("show", "Every data set and group with its budget and what was spent. Example: bulwark privacy ledger show --html ledger.html") { s_html };
        command.SetAction(parsed =>
        {
            using var ledger = Workspace.Require(parsed).OpenLedger();
            var balances = ledger.Balances();
            if (parsed.GetValue(s_html) is { } file)
                File.WriteAllText(file.FullName, LedgerPicture.Html(balances, ledger.Entries, ledger.Head));
            var rows = balances.Select(balance => new
            {
                balance.Dataset,
                balance.Group,
                unit = balance.Unit.ToString(),
                balance.Budget,
                epsilonUpper = balance.Spent.Epsilon.Upper,
                epsilonLower = balance.Spent.Epsilon.Lower,
                balance.Spent.Delta,
                releases = balance.Spent.Events,
            });
            return new Screen(parsed).Answer(new { head = ledger.Head, datasets = rows }, console =>
            {
                if (balances.Count == 0)
                {
                    console.WriteLine("Nothing was spent yet, and no budget is set: train --private books the first line.");
                    return;
                }

                var table = new Table().Border(TableBorder.Rounded).AddColumns("data set", "ε spent", "ε budget", "", "δ", "releases", "unit");
                foreach (var balance in balances)
                {
                    var share = balance.Budget is { } budget ? Math.Clamp(balance.Spent.Epsilon.Upper / budget.Epsilon, 0, 1) : 0;
                    table.AddRow(
                        Markup.Escape(balance.Group is null ? balance.Dataset : $"  group {balance.Group}"), $"{balance.Spent.Epsilon.Upper:f4}", balance.Budget is { } set ? $"{set.Epsilon:g4}" : "none",
                        $"[{(share > 0.9 ? "red" : "green")}]{new string('█', (int)Math.Round(12 * share))}[/]{new string('░', 12 - (int)Math.Round(12 * share))}", $"{balance.Spent.Delta:0.##e0}", $"{balance.Spent.Events}", balance.Unit.ToString());
                }

                console.Write(table);
            });
        });
        return command;
    }

    private static Command BudgetCommand()
    {
        var command = new Command("budget", "Sets what may ever be spent on a data set, or on a group of its subjects. Example: bulwark privacy ledger budget sha256:… --epsilon 3 --delta 1e-5 --records-per-user 5")
        {
            s_dataset, s_epsilon, s_delta, s_group, PrivacyUnitOptions.Records, PrivacyUnitOptions.Replace,
        };
        command.SetAction(parsed =>
        {
            using var ledger = Workspace.Require(parsed).OpenLedger();
            var (dataset, budget, unit) = (parsed.GetRequiredValue(s_dataset), new PrivacyBudget(parsed.GetValue(s_epsilon), parsed.GetValue(s_delta)), PrivacyUnitOptions.Of(parsed));
            try
            {
                ledger.SetBudget(dataset, budget, unit == PrivacyUnit.Record ? null : unit, parsed.GetValue(s_group));
            }
            catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
            {
                throw new CommandException(failure.Message);
            }

            return new Screen(parsed).Answer(new { dataset, group = parsed.GetValue(s_group), budget, unit = unit.ToString() }, console => console.WriteLine($"{dataset}: epsilon {budget.Epsilon} at delta {budget.Delta}, {unit}"));
        });
        return command;
    }

    private static Command ReserveCommand()
    {
        var command = new Command("reserve", "Books, durably, what another tool is about to release; exit 1 when the budget has no room. Example: bulwark privacy ledger reserve sha256:… events.json --purpose \"weekly counts\"")
        {
            s_dataset, s_events, s_purpose,
        };
        command.SetAction(parsed =>
        {
            using var ledger = Workspace.Require(parsed).OpenLedger();
            var screen = new Screen(parsed);
            try
            {
                var reservation = ledger.Reserve(parsed.GetRequiredValue(s_dataset), PrivacyCommand.ReadEvent(parsed.GetRequiredValue(s_events)), parsed.GetRequiredValue(s_purpose));
                return screen.Answer(new { reservation = reservation.Id, granted = true }, console => console.WriteLine(reservation.Id));
            }
            catch (PrivacyBudgetException refusal)
            {
                return screen.Answer(new { granted = false, reason = refusal.Message }, console => console.WriteLine(refusal.Message), ExitCode.No);
            }
            catch (NotSupportedException failure)
            {
                throw new CommandException(failure.Message);
            }
        });
        return command;
    }

    private static Command CommitCommand()
    {
        var command = new Command("commit", "Records that the work of a reservation is finished. Example: bulwark privacy ledger commit 5f0c…") { s_reservation };
        command.SetAction(parsed =>
        {
            using var ledger = Workspace.Require(parsed).OpenLedger();
            var reservation = parsed.GetRequiredValue(s_reservation);
            try
            {
                ledger.Commit(reservation);
            }
            catch (InvalidOperationException failure)
            {
                throw new CommandException(failure.Message);
            }

            return new Screen(parsed).Answer(new { reservation, committed = true }, console => console.WriteLine($"{reservation} is committed"));
        });
        return command;
    }
}
