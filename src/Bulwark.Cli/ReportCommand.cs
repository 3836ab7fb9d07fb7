using System.CommandLine;

namespace Bulwark.Cli;

internal static class ReportCommand
{
    internal static Command Create() => NotBuilt.Create("report");
}
