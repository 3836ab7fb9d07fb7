using System.CommandLine;

namespace Bulwark.Cli;

internal static class DemoCommand
{
    internal static Command Create() => NotBuilt.Create("demo");
}
