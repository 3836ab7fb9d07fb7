using System.CommandLine;
using Bulwark.Cli.Keys;
using Bulwark.Data;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DataRevealCommand
{
    internal static Command Create()
    {
        var input = DataFiles.InputOrFolder("table", "A protected Parquet file, or a folder of them.");
        var columns = new Option<string>("--columns") { Description = "The columns to open.", Required = true, HelpName = "A,B,…" };
        var purpose = new Option<string>("--purpose") { Description = "What for; goes into the log.", Required = true, HelpName = "TEXT" };
        var output = DataFiles.Output("Where to write all rows: .csv, .tsv or .parquet; without it the first rows are printed.", required: false);
        var rows = new Option<int>("--rows") { Description = "Rows to print.", DefaultValueFactory = _ => 10, HelpName = "N" };
        var dataset = new Option<string?>("--dataset") { Description = "The dataset that the file must hold: its name, or name/commitment.", HelpName = "NAME" };
        var kek = new Option<string[]>("--kek") { Description = "A master key of the data in another key store; may be repeated.", HelpName = "ADDRESS" };
        var command = new Command("reveal", """
            Opens protected columns with the workspace's keys. Who opened what for which purpose is logged before a value appears.

            Example: bulwark data reveal payments.protected.parquet --columns card_number --purpose "chargeback 4711"
            """) { input, columns, purpose, output, rows, dataset, kek };
        command.SetAction(async (parsed, cancel) =>
        {
            var screen = new Screen(parsed);
            var workspace = Workspace.Require(parsed);
            using var keys = workspace.OpenKeys();
            var reason = parsed.GetRequiredValue(purpose).Trim();
            if (reason.Length is 0 or > 1000)
                throw new CommandException("State the purpose in 1 to 1000 characters.");
            var target = parsed.GetValue(output) is { } file ? DataFiles.Writable(file, ".csv", ".tsv", ".parquet") : null;
            using var subjects = DataFiles.KnownSubjects(workspace, keys);
            using var stores = WorkspaceKeys.Over(workspace, keys, "reveal", (parsed.GetValue(kek) ?? []).Select(text => KeyAddress.Parse(text)!));
            using var revealed = await screen.ProgressAsync("opening", _ => Task.Run(() => DataProtection.OpenColumns(
                parsed.GetRequiredValue(input).FullName, TableOptions.Split(parsed.GetRequiredValue(columns))!, keys, parsed.GetValue(dataset), stores.Stores, subjects), cancel));
            var entry = (await workspace.AppendAsync(keys, Claims.Accessed(revealed, reason, keys), cancel)).Index;
            var answer = revealed.Columns.Count == 0 ? (null, null) : await ReadAsync(screen, revealed, target, Math.Max(0, parsed.GetValue(rows)), cancel);
            if (answer.Written is not null)
            {
                using var blinding = CommitmentKey.Of(keys);
                var root = await screen.ProgressAsync("committing", _ => Task.Run(() => DataOrigin.RootOf(target!, TableReadOptions.Default, blinding, cancel), cancel));
                await workspace.AppendAsync(keys, Claims.Revealed(Path.GetFileName(target!), root, revealed), cancel);
            }

            return screen.Answer(
                new { revealed.Dataset, revealed.Accesses, file = target, rows = answer.Shown is null ? null : Rows(answer.Shown), logIndex = entry },
                console => Draw(console, revealed, answer.Shown, answer.Written is { } written ? $"{written:N0} rows in {target}" : null, entry),
                revealed.Accesses.All(access => access.Opened) ? ExitCode.Yes : ExitCode.No);
        });
        return command;
    }

    /// <summary>Writes every row where there is a target; otherwise takes the first ones, and decrypts no more than they need.</summary>
    private static async Task<(Data.Table? Shown, long? Written)> ReadAsync(Screen screen, RevealedSource revealed, string? target, int rows, CancellationToken cancel)
    {
        if (target is null)
            return (await Task.Run(() => revealed.Batches(cancel).FirstOrDefault() is { } first ? first.Take([.. Enumerable.Range(0, Math.Min(rows, first.Rows))]) : null, cancel), null);
        await screen.ProgressAsync("writing", async progress =>
        {
            await TableFile.WriteAsync(revealed, target, UnixFileMode.UserRead | UnixFileMode.UserWrite, progress, cancel);
            return true;
        });
        return (null, revealed.Rows);
    }

    private static IEnumerable<Dictionary<string, string?>> Rows(Data.Table table) =>
        Enumerable.Range(0, table.Rows).Select(row => table.Columns.ToDictionary(column => column.Name, column => column.Text(row)));

    private static void Draw(IAnsiConsole console, RevealedSource revealed, Data.Table? shown, string? written, long entry)
    {
        if (shown is not null)
        {
            var drawn = new Spectre.Console.Table().Border(TableBorder.Rounded).AddColumns([.. shown.Columns.Select(column => Markup.Escape(column.Name))]);
            for (var row = 0; row < shown.Rows; row++)
                drawn.AddRow([.. shown.Columns.Select(column => Markup.Escape(column.Text(row) ?? ""))]);
            console.Write(drawn);
        }

        if (written is not null)
            console.MarkupLineInterpolated($"[green]{written}[/]");
        foreach (var access in revealed.Accesses)
        {
            if (access.Opened)
                console.MarkupLineInterpolated($"[green]opened[/]  {access.Column} {(access.Key is { } key ? $"with {key}" : "")}");
            else
                console.MarkupLineInterpolated($"[red]shut[/]    {access.Column}: {access.Reason}");
        }

        console.MarkupLineInterpolated($"logged as entry {entry}");
    }
}
