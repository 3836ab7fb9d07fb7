using System.CommandLine;

namespace Bulwark.Cli;

internal static class AttackCommand
{
    internal static Command Create() => NotBuilt.Create("attack");
}
