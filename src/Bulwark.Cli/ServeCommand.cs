using System.CommandLine;

namespace Bulwark.Cli;

internal static class ServeCommand
{
    internal static Command Create() => NotBuilt.Create("serve");
}
