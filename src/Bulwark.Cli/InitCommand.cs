using System.CommandLine;

namespace Bulwark.Cli;

internal static class InitCommand
{
    internal static Command Create() => NotBuilt.Create("init");
}
