using System.CommandLine;

namespace Bulwark.Cli;

internal static class DoctorCommand
{
    internal static Command Create() => NotBuilt.Create("doctor");
}
