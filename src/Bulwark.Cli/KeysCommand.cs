using System.CommandLine;

namespace Bulwark.Cli;

internal static class KeysCommand
{
    internal static Command Create() => NotBuilt.Create("keys");
}
