using System.CommandLine;
using System.Text.Json;
using Bulwark.Assurance;

namespace Bulwark.Cli.Attacks;

internal static class AttackMergeCommand
{
    private static readonly Argument<FileInfo[]> s_parts = new Argument<FileInfo[]>("reports") { Description = "The JSON reports of all shards of one run.", Arity = ArgumentArity.OneOrMore }.AcceptExistingOnly();
    private static readonly SuiteOutputs s_outputs = new();

    internal static Command Create()
    {
        var command = new Command("merge", """
            Joins the reports of attack suite --shard into the report of the whole; one shard's red flag is the whole's.

            Example: bulwark attack merge part1.json part2.json --fail-below 0.7 --html report.html
            """) { s_parts };
        s_outputs.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var parts = new List<SuiteAnswer>();
        foreach (var file in parsed.GetRequiredValue(s_parts))
            parts.Add(await ReadAsync(file, cancel));

        // Commitments to data are blinded, each run's otherwise: that the parts are of the same rows shows in that they make up one set.
        if (parts.Any(part => part.Digest != parts[0].Digest || part.Data != parts[0].Data))
            throw new CommandException("The reports are of different models or different data.");
        int[] rows = [.. parts.SelectMany(part => part.Report.Rows.Select(row => row.Row)).Order()];
        if (!rows.SequenceEqual(Enumerable.Range(0, rows.Length)))
            throw new CommandException("The reports do not make up one set of rows: they are of different samples, or without rows.");
        var answer = SuiteAnswer.Of(parts[0].Model, parts[0].Digest, parts[0].Data, parts[0].DataCommitment, AttackSuite.Merge([.. parts.Select(part => part.Report)]), s_outputs.FailBelow(parsed));
        return await s_outputs.WriteAsync(parsed, new Screen(parsed), answer, null, cancel);
    }

    private static async Task<SuiteAnswer> ReadAsync(FileInfo file, CancellationToken cancel)
    {
        try
        {
            return JsonSerializer.Deserialize<SuiteAnswer>(await File.ReadAllTextAsync(file.FullName, cancel), Screen.JsonOptions) ?? throw new JsonException("it says null.");
        }
        catch (JsonException fault)
        {
            throw new CommandException($"{file.Name} is no report of attack suite: {JsonWords.Plain(fault.Message)}", "bulwark attack suite … --shard 1/2 -o part1.json makes one");
        }
    }
}
