using System.CommandLine;

namespace Bulwark.Cli;

internal static class DeployCommand
{
    internal static Command Create() => NotBuilt.Create("deploy");
}
