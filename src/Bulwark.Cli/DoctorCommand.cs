using System.CommandLine;
using Bulwark.Cli.Doctor;
using Spectre.Console;

namespace Bulwark.Cli;

internal static class DoctorCommand
{
    internal static Command Create()
    {
        var command = new Command("doctor", """
            Says what this machine is good for: vector width, OpenSSL and its AES-GCM speed, ONNX Runtime, TEE devices, and what each means.

            Example: bulwark doctor --json
            """);
        command.SetAction(parsed =>
        {
            var screen = new Screen(parsed);
            IReadOnlyList<Finding> findings = [.. Examination.Run(), .. KeyExamination.Run(Workspace.Find(parsed))];
            return screen.Answer(findings, console => Draw(console, findings));
        });
        return command;
    }

    private static void Draw(IAnsiConsole console, IReadOnlyList<Finding> findings)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("what", "found", "what it means");
        foreach (var finding in findings)
            table.AddRow(Markup.Escape(finding.What), $"{Colour(finding.Health)}{Markup.Escape(finding.Found)}[/]", Markup.Escape(finding.Meaning));
        console.Write(table);
    }

    private static string Colour(Health health) => health switch
    {
        Health.Good => "[green]",
        Health.Limited => "[yellow]",
        _ => "[red]",
    };
}
