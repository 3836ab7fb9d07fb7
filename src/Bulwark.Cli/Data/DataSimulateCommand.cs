using System.CommandLine;
using System.Diagnostics;
using Bulwark.Data;
using Bulwark.Lineage;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DataSimulateCommand
{
    internal static Command Create()
    {
        var output = DataFiles.Output("Where to write: .csv, .tsv or .parquet.");
        var rows = new Option<int?>("--rows") { Description = "Rows wanted; the world is made as large as they need.", HelpName = "N" };
        var customers = new Option<int?>("--customers") { Description = "Card holders (5000).", HelpName = "N" };
        var terminals = new Option<int?>("--terminals") { Description = "Payment terminals (10000).", HelpName = "N" };
        var days = new Option<int>("--days") { Description = "Days.", DefaultValueFactory = _ => 183, HelpName = "N" };
        var start = new Option<DateOnly?>("--start") { Description = "The first day (2018-04-01).", HelpName = "DATE" };
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same file everywhere.", HelpName = "N" };
        var plain = new Option<bool>("--no-personal") { Description = "Leave out card number, SSN, name, e-mail and medical history." };
        var command = new Command("simulate", """
            Makes card payments with about 1 % fraud, after the simulator of the Fraud Detection Handbook, with made-up personal data.

            Example: bulwark data simulate --rows 100000 --seed 1 -o payments.csv
            """) { output, rows, customers, terminals, days, start, seed, plain };
        command.Validators.Add(result =>
        {
            if (result.GetValue(rows) is not null && (result.GetValue(customers) ?? result.GetValue(terminals)) is not null)
                result.AddError("Give --rows, or --customers and --terminals, not both.");
        });
        command.SetAction((parsed, cancel) => RunAsync(parsed, DataFiles.Writable(parsed.GetRequiredValue(output), ".csv", ".tsv", ".parquet"), Options(), cancel));
        return command;

        Func<ParseResult, SimulationOptions> Options() => parsed =>
        {
            var world = parsed.GetValue(rows) is { } wanted
                ? SimulationOptions.ForRows(wanted, parsed.GetValue(days))
                : new SimulationOptions { Customers = parsed.GetValue(customers) ?? 5000, Terminals = parsed.GetValue(terminals) ?? 10_000, Days = parsed.GetValue(days) };
            return world with { Start = parsed.GetValue(start) ?? world.Start, Seed = parsed.GetValue(seed), PersonalData = !parsed.GetValue(plain) };
        };
    }

    private static async Task<int> RunAsync(ParseResult parsed, string path, Func<ParseResult, SimulationOptions> read, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        using var keys = DataFiles.Keys(parsed);
        using var blinding = keys is null ? CommitmentKey.Forgotten() : CommitmentKey.Of(keys);
        var options = read(parsed);
        var clock = Stopwatch.StartNew();
        var table = await screen.ProgressAsync("simulating", progress => Task.Run(() => TransactionSimulator.Simulate(options, progress, cancel), cancel));
        await screen.ProgressAsync("writing", async progress =>
        {
            await TableFile.WriteAsync(table, path, progress, cancel);
            return true;
        });
        var seconds = clock.Elapsed.TotalSeconds;
        var commitment = await screen.ProgressAsync("committing", progress => Task.Run(() => DatasetCommitment.Of(table, blinding, progress, cancel).Root, cancel));
        var entry = await DataFiles.LogAsync(parsed, screen, keys, Statement.Of(Path.GetFileName(path), commitment, new DatasetCommitted
        {
            Step = "simulate",
            Rows = table.Rows,
            Columns = [.. table.Columns.Select(column => column.Name)],
            Settings = new Dictionary<string, string> { ["seed"] = $"{options.Seed}" },
        }), cancel);
        var scenarios = table.Numbers("fraud_scenario");
        var answer = new
        {
            file = path,
            rows = table.Rows,
            bytes = new FileInfo(path).Length,
            fraudShare = table.Numbers("is_fraud").Average(),
            scenarios = Enumerable.Range(1, 3).Select(kind => scenarios.Count(scenario => scenario == kind)).ToArray(),
            options.Customers,
            options.Terminals,
            options.Days,
            options.Seed,
            commitment = keys is null ? (Bulwark.Cryptography.Digest?)null : commitment,
            logIndex = entry,
            seconds,
        };
        return screen.Answer(answer, console =>
        {
            console.MarkupLineInterpolated($"[green]{answer.rows:N0} payments[/] of {options.Customers:N0} customers at {options.Terminals:N0} terminals in {answer.file} ({DataFiles.Size(answer.bytes)})");
            console.MarkupLineInterpolated($"fraud       {answer.fraudShare:P2}: {answer.scenarios[0]:N0} large amounts, {answer.scenarios[1]:N0} at compromised terminals, {answer.scenarios[2]:N0} of compromised customers");
            if (keys is not null)
                console.MarkupLineInterpolated($"commitment  {commitment}");
            console.MarkupLineInterpolated($"time        {seconds:N1} s");
        });
    }
}
