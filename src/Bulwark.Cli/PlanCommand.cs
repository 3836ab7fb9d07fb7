using System.CommandLine;

namespace Bulwark.Cli;

internal static class PlanCommand
{
    internal static Command Create() => NotBuilt.Create("plan");
}
