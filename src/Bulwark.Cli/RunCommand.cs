using System.CommandLine;

namespace Bulwark.Cli;

internal static class RunCommand
{
    internal static Command Create() => NotBuilt.Create("run");
}
