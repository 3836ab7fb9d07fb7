using System.CommandLine;

namespace Bulwark.Cli;

internal static class ModelCommand
{
    internal static Command Create() => NotBuilt.Create("model");
}
