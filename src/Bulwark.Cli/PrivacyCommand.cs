using System.CommandLine;

namespace Bulwark.Cli;

internal static class PrivacyCommand
{
    internal static Command Create() => NotBuilt.Create("privacy");
}
