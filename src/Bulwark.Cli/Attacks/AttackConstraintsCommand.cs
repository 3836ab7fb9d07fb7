using System.CommandLine;
using Bulwark.Assurance;
using Bulwark.Models;
using Bulwark.Training;
using Spectre.Console;

namespace Bulwark.Cli.Attacks;

internal static class AttackConstraintsCommand
{
    private static readonly Option<FileInfo> s_constraints = new("--constraints", "-c") { Description = "The constraints: docs/formats/constraints.md (JSON or YAML).", Required = true, HelpName = "FILE" };
    private static readonly Option<FileInfo> s_data = new Option<FileInfo>("--data", "-d") { Description = "Real rows: CSV, Parquet or protected Parquet.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
    private static readonly Option<FileInfo?> s_schema = new("--schema") { Description = "The features' types and bounds (JSON); else inferred from the data.", HelpName = "FILE" };
    private static readonly Option<string> s_label = new("--label") { Description = "The label's column.", Required = true };

    internal static Command Create()
    {
        var command = new Command("constraints", """
            Tests constraints on real rows in both directions: real rows keep each rule, and rows spoilt on purpose can break it. Exit 1
            when a rule fails either way.

            Example: bulwark attack constraints -c constraints.yaml -d transactions.csv --label fraud
            """) { s_constraints, s_data, s_schema, s_label };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        var screen = new Screen(parsed);
        var schema = parsed.GetValue(s_schema) is { } file ? FeatureSchema.Parse(await File.ReadAllTextAsync(file.FullName, cancel)) : null;
        var data = await DatasetFile.ReadAsync(parsed.GetRequiredValue(s_data).FullName, new(), new SchemaOptions { Label = parsed.GetRequiredValue(s_label) }, schema, cancel: cancel);
        var tests = ConstraintSelfTest.Run(ConstraintsFile.Read(parsed.GetRequiredValue(s_constraints)).Compile(data.Schema), data.Raw);
        var sound = tests.All(test => test.Sound);
        return screen.Answer(new { rows = data.Rows, sound, relations = tests }, console => Draw(console, tests, data.Rows), sound ? ExitCode.Yes : ExitCode.No);
    }

    private static void Draw(IAnsiConsole console, IReadOnlyList<RelationTest> tests, int rows)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn("relation").AddColumn(new TableColumn($"broken by real rows, of {rows}").RightAligned()).AddColumn(new TableColumn("by spoilt rows").RightAligned()).AddColumn("sound");
        foreach (var test in tests)
            table.AddRow(Markup.Escape(test.Relation), test.Broken == 0 ? "0" : $"{test.Broken}, first row {test.FirstBroken + 1}", $"{test.Caught} of {test.Planted}", test.Sound ? "yes" : test.Broken > 0 ? "[red]NO: real rows break it[/]" : "[red]NO: nothing breaks it[/]");
        console.Write(table);
    }
}
