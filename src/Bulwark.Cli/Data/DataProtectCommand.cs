using System.CommandLine;
using Bulwark.Cli.Keys;
using Bulwark.Cryptography;
using Bulwark.Data;
using Bulwark.Queries;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DataProtectCommand
{
    private static readonly Argument<FileInfo> s_input = new Argument<FileInfo>("table") { Description = "CSV or Parquet; or give --query.", Arity = ArgumentArity.ZeroOrOne }.AcceptExistingOnly();
    private static readonly Option<string?> s_query = new("--query") { Description = "Protect the answer of a DuckDB query; the query may read files.", HelpName = "SELECT" };
    private static readonly Option<FileInfo> s_database = new Option<FileInfo>("--database") { Description = "The DuckDB database of the query; opened read-only.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_output = DataFiles.Output("Where to write: a .parquet file, or a new folder of parts.");
    private static readonly Option<FileInfo> s_policy = new Option<FileInfo>("--policy") { Description = "What to do with each column (data-policy/v1, YAML or JSON). Without one, what a scan advises.", HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<string?> s_dataset = new("--dataset") { Description = "The dataset's name, when there is no policy (the file's name).", HelpName = "NAME" };
    private static readonly TableOptions s_table = new();
    private static readonly ProtectedLayout s_layout = new();

    internal static Command Create()
    {
        var command = new Command("protect", """
            Writes Parquet in which each sensitive column has a key of its own; card numbers become tokens. Larger than memory is no matter.

            Example: bulwark data protect payments.csv --policy policy.json -o payments.protected.parquet
                     bulwark data protect payments.csv --partition-by country --rows-per-file 10000000 -o payments
                     bulwark data protect --query "SELECT * FROM 'events/*.parquet' WHERE year = 2026" --policy policy.yaml -o events
            """) { s_input, s_query, s_database, s_output, s_policy, s_dataset };
        s_layout.AddTo(command);
        s_table.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(s_input) is null == result.GetValue(s_query) is null)
                result.AddError("Name a table, or give --query.");
            if (result.GetValue(s_database) is not null && result.GetValue(s_query) is null)
                result.AddError("--database goes with --query.");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var workspace = Workspace.Require(parsed);
        using var input = await ProtectedInput.OpenAsync(workspace, InputAccess.Kept("protect"), [], cancel);   // the table may be protected already
        var keys = input.Ring!;
        var options = s_layout.Read(parsed);
        var target = parsed.GetRequiredValue(s_output);
        var path = s_layout.IsFolder(parsed, target) ? DataFiles.NewFolder(target) : DataFiles.Writable(target, ".parquet");
        var file = parsed.GetValue(s_input);
        ITableSource Open() => parsed.GetValue(s_query) is { } query
            ? new DuckDbQuery(query, parsed.GetValue(s_database)?.FullName)
            : TableSource.Open(file!.FullName, s_table.Read(parsed, input), cancel);
        var given = parsed.GetValue(s_policy) is { } named ? ProtectionPolicy.Parse(await File.ReadAllTextAsync(named.FullName, cancel)) : null;
        var scan = given is { NeedsScan: false } ? null : await screen.ProgressAsync("scanning", progress => Task.Run(() => Scan(Open, progress, cancel), cancel));
        var rules = given ?? ProtectionPolicy.FromScan(scan!, parsed.GetValue(s_dataset) ?? (file is null ? "query" : DatasetName(file)));
        using var subjects = rules.Subject is null ? null : DataFiles.Subjects(workspace, keys);
        using var stores = WorkspaceKeys.Over(workspace, keys, "protect", [options.FooterKey, .. KeysOf(rules, options.FooterKey)]);
        using var source = await screen.ProgressAsync("reading", _ => Task.Run(Open, cancel));
        var report = await screen.ProgressAsync("protecting", progress => DataProtection.ProtectAsync(source, rules, keys, path, options with { Scan = scan, Subjects = subjects, Store = stores.Stores }, progress, cancel));
        if (await OriginsAsync(parsed, screen, input, report.Commitment, cancel) is { Count: > 0 } origins)
            await DataFiles.LogAsync(parsed, screen, keys, Claims.ReadOf($"{report.Dataset[..report.Dataset.LastIndexOf('/')]} as read", report, origins, file is null ? "query" : "read"), cancel);
        var entry = await DataFiles.LogAsync(parsed, screen, keys, Claims.Protected(Path.GetFileName(path), report), cancel);
        return screen.Answer(new { file = path, report, policy = rules.Columns, policyFromScan = given is null, logIndex = entry }, console => Draw(console, path, report, given is null, entry));
    }

    /// <summary>What the rows come from, where that is not the very table that was read: the data set behind a protected file, the files that a query reads.</summary>
    private static async Task<IReadOnlyList<DataOrigin>> OriginsAsync(ParseResult parsed, Screen screen, ProtectedInput input, Digest read, CancellationToken cancel)
    {
        if (parsed.GetValue(s_input) is { } file)
            return [.. (await input.BehindAsync(file.FullName, cancel)).Where(origin => origin.Root != read)];
        if (parsed.GetValue(s_database) is { } database)
        {
            screen.Note($"[grey]what the tables of {Markup.Escape(database.Name)} were made from is not followed in the log[/]");
            return [];
        }

        var origins = new List<DataOrigin>();
        foreach (var source in DuckDbQuery.FilesOf(parsed.GetValue(s_query)!))
        {
            try
            {
                if (await screen.ProgressAsync($"committing to {Path.GetFileName(source)}", _ => input.OriginAsync(source, input.Apply(TableReadOptions.Default), cancel)) is { } origin)
                    origins.Add(origin);
            }
            catch (TableFormatException)
            {
                screen.Note($"[yellow]{Markup.Escape(source)} is no table that can be committed to: where its rows come from is not followed in the log[/]");
            }
        }

        return [.. origins.Where(origin => origin.Root != read).Distinct()];
    }

    /// <summary>The keys of a policy that are not the key ring's. A policy may come from anywhere: it opens no store, and so sends no token and loads no module, that the command line did not name.</summary>
    private static KeyUri[] KeysOf(ProtectionPolicy policy, KeyUri named)
    {
        KeyUri[] keys = [.. policy.Columns.Values.Concat(policy.Rules.Select(rule => rule.Protection)).Select(column => KeyAddress.Parse(column.Key)).OfType<KeyUri>().Where(key => !key.IsInRing())];
        return keys.FirstOrDefault(key => key.Query.Length > 0 || !key.IsInStoreOf(named)) is { } stranger
            ? throw new CommandException($"The policy names the key {stranger.Key}, in a store that the command line does not name.", "if that store is yours, give a key of it with --kek")
            : keys;
    }

    /// <summary>A scan of evenly spaced rows; the source is read once more for it.</summary>
    private static ScanReport Scan(Func<ITableSource> open, IProgress<double> progress, CancellationToken cancel)
    {
        using var source = open();
        return SensitiveScan.Scan(source, SensitiveScan.DefaultRows, progress, cancel);
    }

    /// <summary>A dataset's name from a file's: what comes before the first full stop, without what a name cannot hold.</summary>
    internal static string DatasetName(FileInfo file)
    {
        var name = string.Concat(file.Name.Split('.')[0].Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')).TrimStart('_', '-');
        return name.Length switch { 0 => "dataset", > 64 => name[..64], _ => name };
    }

    private static void Draw(IAnsiConsole console, string path, ProtectionReport report, bool fromScan, long? entry)
    {
        var drawn = new Spectre.Console.Table().Border(TableBorder.Rounded).AddColumns("column", "protection", "key");
        foreach (var column in report.Columns)
        {
            var action = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(column.Action.ToString()) + (column.Format is { PerSubject: true } ? ", by subject" : "");
            drawn.AddRow(Markup.Escape(column.Name), column.Action == ProtectionAction.Keep ? $"[grey]{action}[/]" : $"[green]{action}[/]", Markup.Escape(column.Key?.ToString() ?? ""));
        }

        console.Write(drawn);
        foreach (var note in report.Notes ?? [])
            console.MarkupLineInterpolated($"[yellow]note[/]  {note}");
        var parts = report.Parts.Count == 1 ? "" : $" of {report.Parts.Count:N0} parts";
        console.MarkupLineInterpolated($"[green]{report.Rows:N0} rows protected[/] in {path} ({DataFiles.Size(report.Bytes)}{parts}){(fromScan ? ", as a scan advised" : "")}");
        console.MarkupLineInterpolated($"dataset     {report.Dataset}");
        console.MarkupLineInterpolated($"commitment  {report.Commitment}");
        console.MarkupLineInterpolated($"row groups  {report.RowGroups}");
        console.MarkupLineInterpolated($"file        {report.File}");
        console.MarkupLineInterpolated($"log entry   {entry}");
    }
}
