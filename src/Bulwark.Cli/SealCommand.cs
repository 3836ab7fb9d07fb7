using System.CommandLine;

namespace Bulwark.Cli;

internal static class SealCommand
{
    internal static Command CreateSeal() => NotBuilt.Create("seal");
    internal static Command CreateOpen() => NotBuilt.Create("open");
}
