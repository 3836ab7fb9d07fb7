using System.CommandLine;

namespace Bulwark.Cli;

internal static class LogCommand
{
    internal static Command Create() => NotBuilt.Create("log");
}
