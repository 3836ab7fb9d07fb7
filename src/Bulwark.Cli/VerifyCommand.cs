using System.CommandLine;

namespace Bulwark.Cli;

internal static class VerifyCommand
{
    internal static Command Create() => NotBuilt.Create("verify");
}
