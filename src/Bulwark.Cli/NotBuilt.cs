using System.CommandLine;

namespace Bulwark.Cli;

internal static class NotBuilt
{
    internal static Command Create(string name)
    {
        var command = new Command(name, "Not built yet.");
        command.SetAction((_, _) => throw new CommandException($"{name} is not built yet."));
        return command;
    }
}
