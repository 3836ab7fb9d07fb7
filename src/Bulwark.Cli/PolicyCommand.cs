using System.CommandLine;
using Bulwark.Policy;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class PolicyCommand
{
    internal static Command Create() =>
        new("policy", "Access policies in the Cedar language: who may do what. Example: bulwark policy test gateway.cedar --cases cases.json")
        {
            CreateCheck(),
            CreateTest(),
            Serving.PolicyReplayCommand.Create(),
            Serving.PolicyWhoCanCommand.Create(),
            Serving.PolicySignCommand.Create(),
        };

    private sealed record Fault(int Line, int Column, string Message);

    private static Argument<FileInfo> PolicyFile() => new Argument<FileInfo>("policies") { Description = "A file of Cedar policies." }.AcceptExistingOnly();

    private static Option<FileInfo> SchemaFile() => new Option<FileInfo>("--schema") { Description = "A Cedar schema that the policies and cases must fit.", HelpName = "FILE" }.AcceptExistingOnly();

    private static Command CreateCheck()
    {
        var file = PolicyFile();
        var schema = SchemaFile();
        var command = new Command("check", "Parses policies and lists them; names every fault with its line and column. Example: bulwark policy check gateway.cedar --schema gateway.cedarschema") { file, schema };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(file);
            var text = File.ReadAllText(path.FullName);
            var faults = PolicySet.Faults(text);
            if (faults.Count > 0)
                return Refuse(new(parsed), path, faults.Select(fault => new Fault(fault.Line, fault.Column, fault.Fault)));
            var policies = PolicySet.Parse(text);
            var misfits = parsed.GetValue(schema) is { } known ? CedarSchema.Parse(File.ReadAllText(known.FullName)).PolicyFaults(policies) : [];
            return misfits.Count > 0
                ? Refuse(new(parsed), path, misfits.Select(fault => new Fault(policies.Policies.First(policy => policy.Id == fault.PolicyId).Line, 1, $"{fault.PolicyId}: {fault.Message}")))
                : List(new(parsed), path, policies);
        });
        return command;
    }

    private static int Refuse(Screen screen, FileInfo path, IEnumerable<Fault> faults) => screen.Answer(
        new { file = path.Name, sound = false, faults },
        console =>
        {
            foreach (var fault in faults)
                console.MarkupLineInterpolated($"{path.Name}:{fault.Line}:{fault.Column}: [red]{fault.Message}[/]");
        },
        ExitCode.No);

    private static int List(Screen screen, FileInfo path, PolicySet policies) => screen.Answer(
        new
        {
            file = path.Name,
            sound = true,
            policies = policies.Policies.Select(policy => new { policy.Id, policy.Effect, policy.IsTemplate, policy.Line, policy.Annotations }),
        },
        console =>
        {
            var table = new Table().Border(TableBorder.Rounded).AddColumns("policy", "line", "effect", "annotations");
            foreach (var policy in policies.Policies)
                table.AddRow(
                    policy.Id, policy.Line.ToString(), $"{(policy.Effect == Effect.Permit ? "permit" : "forbid")}{(policy.IsTemplate ? " (template)" : "")}",
                    Markup.Escape(string.Join(" ", policy.Annotations.Select(annotation => annotation.Value.Length == 0 ? $"@{annotation.Key}" : $"@{annotation.Key}(\"{annotation.Value}\")"))));
            if (policies.Policies.Count > 0)
                console.Write(table);
            else
                console.MarkupLine("[yellow]No policy: everything is refused.[/]");
            console.MarkupLineInterpolated($"{path.Name} is sound: {policies.Policies.Count(policy => policy.Effect == Effect.Permit)} permit, {policies.Policies.Count(policy => policy.Effect == Effect.Forbid)} forbid.");
        });

    private static Command CreateTest()
    {
        var file = PolicyFile();
        var cases = new Option<FileInfo>("--cases") { Description = "Requests with the decisions that they must get.", Required = true, HelpName = "FILE" }.AcceptExistingOnly();
        var schema = SchemaFile();
        var command = new Command("test", "Asks the policies every case and compares. Example: bulwark policy test gateway.cedar --cases cases.json") { file, cases, schema };
        command.SetAction(parsed =>
        {
            var policies = PolicySet.Parse(File.ReadAllText(parsed.GetRequiredValue(file).FullName));
            var known = parsed.GetValue(schema) is { } path ? CedarSchema.Parse(File.ReadAllText(path.FullName)) : null;
            return Judge(new(parsed), policies, PolicyCases.Parse(File.ReadAllText(parsed.GetRequiredValue(cases).FullName), known));
        });
        return command;
    }

    private static int Judge(Screen screen, PolicySet policies, PolicyCases cases)
    {
        if (cases.Cases.Count == 0)
            throw new CommandException("The file holds no case; nothing was tested.", "Add requests with the decision that each must get.");
        var results = cases.Cases.Select(one => (Case: one, Answer: policies.Authorize(one.Request, cases.Entities))).ToArray();
        var disagreements = results.Count(result => !result.Case.Agrees(result.Answer));
        return screen.Answer(
            new
            {
                passed = results.Length - disagreements,
                failed = disagreements,
                cases = results.Select(result => new
                {
                    result.Case.Name,
                    passed = result.Case.Agrees(result.Answer),
                    result.Case.Expected,
                    result.Answer.Decision,
                    result.Answer.Reasons,
                    result.Answer.Errors,
                }),
            },
            console =>
            {
                foreach (var (one, answer) in results)
                    Print(console, one, answer);
                console.MarkupLineInterpolated($"{results.Length - disagreements} passed, {disagreements} failed");
            },
            disagreements == 0 ? ExitCode.Yes : ExitCode.No);
    }

    private static void Print(IAnsiConsole console, PolicyCase one, AuthorizationAnswer answer)
    {
        var got = $"{Word(answer.Decision)} by {(answer.Reasons.Count == 0 ? "default" : string.Join(", ", answer.Reasons))}";
        if (one.Agrees(answer))
            console.MarkupLineInterpolated($"[green]pass[/] {one.Name}: {got}");
        else
            console.MarkupLineInterpolated($"[red]FAIL[/] {one.Name}: expected {Word(one.Expected)}{(one.Reasons is null ? "" : $" by {string.Join(", ", one.Reasons)}")}, got {got}");
        foreach (var error in answer.Errors)
            console.MarkupLineInterpolated($"     {error.PolicyId} erred: {error.Message}");
    }

    private static string Word(Decision decision) => decision == Decision.Allow ? "allow" : "deny";
}
