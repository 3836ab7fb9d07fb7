using System.CommandLine;

namespace Bulwark.Cli;

internal static class PolicyCommand
{
    internal static Command Create() => NotBuilt.Create("policy");
}
