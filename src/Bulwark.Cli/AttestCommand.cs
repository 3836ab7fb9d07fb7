using System.CommandLine;

namespace Bulwark.Cli;

internal static class AttestCommand
{
    internal static Command Create() => NotBuilt.Create("attest");
}
