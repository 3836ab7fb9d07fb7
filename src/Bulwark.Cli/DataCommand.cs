using System.CommandLine;

namespace Bulwark.Cli;

internal static class DataCommand
{
    internal static Command Create() => NotBuilt.Create("data");
}
