using System.CommandLine;
using Bulwark.Cli.Making;
using Bulwark.Models;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Certificates;

internal static class CertifyPoisoningCommand
{
    private static readonly Argument<FileSystemInfo> s_data = new Argument<FileSystemInfo>("data") { Description = "The table to train on." }.AcceptExistingOnly();
    private static readonly Option<FileSystemInfo> s_test = new Option<FileSystemInfo>("--test") { Description = "Rows to judge.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo> s_schema = new Option<FileInfo>("--schema") { Description = "Declared features: what is inferred from rows, poisoned rows could bend.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<int> s_parts = new("--parts") { Description = "Disjoint parts of the rows, a model each.", DefaultValueFactory = _ => 25 };
    private static readonly Option<string> s_hidden = new("--hidden") { Description = "Widths of the hidden layers; empty for a regression.", DefaultValueFactory = _ => "", HelpName = "64,32" };
    private static readonly Option<int?> s_epochs = new("--epochs") { Description = "Passes over each part; chosen when absent." };
    private static readonly InputAccessOptions s_access = new("train");

    internal static Command Create()
    {
        var command = new Command("poisoning", """
            Trains a model on each of many disjoint parts of the rows, lets them vote, and counts how many poisoned rows each decision withstands.

            Example: bulwark certify poisoning train.csv --test test.csv --schema schema.json --parts 50
            """) { s_data, s_test, s_schema, s_parts, s_hidden, s_epochs };
        s_access.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var schema = FeatureSchema.Parse(await File.ReadAllTextAsync(parsed.GetRequiredValue(s_schema).FullName, cancel));
        var parts = parsed.GetValue(s_parts);
        if (parts is < 2 or > PartMembers.MostParts)
            throw new CommandException($"--parts is {parts}; 2 to 10000.");
        var (data, judged) = (parsed.GetRequiredValue(s_data), parsed.GetRequiredValue(s_test));
        using var input = await ProtectedInput.OpenAsync(Workspace.Find(parsed), s_access.Read(parsed), [data.FullName, judged.FullName], cancel);
        var columns = new SchemaOptions { Label = schema.Label, Positive = [schema.PositiveLabel ?? "1"] };
        var train = (await DatasetFile.ReadAsync(data.FullName, input.Apply(new()), columns, schema, cancel: cancel)).Encode();
        var test = (await DatasetFile.ReadAsync(judged.FullName, input.Apply(new()), columns, schema, cancel: cancel)).Encode();
        var options = new TrainingOptions { Hidden = [.. (parsed.GetValue(s_hidden) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Width)], Epochs = parsed.GetValue(s_epochs) };
        var members = await screen.ProgressAsync($"training {parts} models", progress => Task.Run(() => PartMembers.Train(train, parts, options, progress, cancel), cancel));
        var shares = PartMembers.Certified(PartMembers.Votes(members, test), test.Labels, parts);
        var answer = new PoisoningAnswer(parts, train.Rows, test.Rows, shares);
        return screen.Answer(answer, console => Draw(console, answer));
    }

    private static int Width(string word) => int.TryParse(word, out var width) ? width : throw new CommandException($"--hidden: '{word}' is no number.", "--hidden 64,32");

    private static void Draw(IAnsiConsole console, PoisoningAnswer answer)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("poisoned rows").AddColumn(new TableColumn("right and certified").RightAligned()).AddColumn(new TableColumn("95 % interval").RightAligned());
        foreach (var share in answer.Certified)
            table.AddRow($"{share.PoisonedRows}", $"{share.Rows.Rate:P1} of {answer.TestRows}", $"{share.Rows.Lower:P1} to {share.Rows.Upper:P1}");
        console.Write(table);
        console.MarkupLineInterpolated($"{answer.Parts} models on {answer.TrainingRows} rows; a row added or taken away counts once, a changed row twice");
    }

    private sealed record PoisoningAnswer(int Parts, int TrainingRows, int TestRows, IReadOnlyList<PoisonedShare> Certified);
}
