using System.CommandLine;

namespace Bulwark.Cli;

internal static class BenchCommand
{
    internal static Command Create() => NotBuilt.Create("bench");
}
