using System.CommandLine;

namespace Bulwark.Cli;

internal static class TrainCommand
{
    internal static Command Create() => NotBuilt.Create("train");
}
